"""Waiting segments have lanes: what a number range gives to one connection, and shares of the rest."""

from pathlib import Path

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0012_push_message"),
        ("smpp_client", "0003_route_tiers_ranges_shifts"),
        ("workspaces", "0004_workspace_weight"),
    ]

    operations = [
        migrations.AddField(
            model_name="queuedsegment",
            name="lane_id",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="queuedsegment",
            index=models.Index(
                condition=models.Q(("batch_id", None), ("lane_id__isnull", False)),
                fields=["campaign", "lane_id", "not_before_at"],
                name="queued_segment_in_lane",
            ),
        ),
        migrations.RunSQL(
            Path(__file__).with_name("0013_queue_lanes.sql").read_text("utf-8"),
            migrations.RunSQL.noop,
        ),
    ]
