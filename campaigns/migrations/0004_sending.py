"""Messages, what was intended and what became of it; by month, so that retention drops partitions."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("campaigns", "0003_partitions"),
        ("campaigns", "0011_messages_by_state"),
        ("campaigns", "0026_receipts_in_place"),
    ]
    dependencies = [("campaigns", "0003_campaigns")]

    operations = [
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "frozen_on",
                        "campaign_id",
                        "position",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("frozen_on", models.DateField()),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="workspaces.workspace",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="campaigns.campaign",
                    ),
                ),
                ("position", models.BigIntegerField()),
                ("recipient_id", models.BigIntegerField()),
                ("fingerprint", models.BinaryField()),
                ("segment_count", models.PositiveSmallIntegerField()),
            ],
            options={
                "db_table": "message",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Batch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.workspace",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.campaign",
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="smpp_client.connection",
                    ),
                ),
                (
                    "lease",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="smpp_client.lease",
                    ),
                ),
                ("epoch", models.BigIntegerField()),
                ("first_position", models.BigIntegerField(null=True)),
                ("last_position", models.BigIntegerField(null=True)),
                ("segment_count", models.IntegerField()),
                ("open_count", models.IntegerField()),
                ("opened_on", models.DateField()),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("request_id", models.CharField(blank=True, max_length=64)),
            ],
            options={
                "db_table": "batch",
                "indexes": [
                    models.Index(
                        condition=models.Q(("closed_at", None)),
                        fields=["lease", "epoch"],
                        name="batch_open",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Submission",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "batch_on",
                        "batch_id",
                        "position",
                        "part",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("batch_on", models.DateField()),
                ("batch_id", models.BigIntegerField()),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="workspaces.workspace",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="campaigns.campaign",
                    ),
                ),
                ("position", models.BigIntegerField()),
                ("part", models.PositiveSmallIntegerField()),
                ("part_count", models.PositiveSmallIntegerField()),
                ("connection_id", models.BigIntegerField()),
                ("kind", models.CharField(max_length=10)),
                ("status", models.IntegerField()),
                ("cause", models.CharField(max_length=60)),
                ("smsc_id", models.CharField(max_length=65)),
                ("happened_at", models.DateTimeField()),
                ("receipt_state", models.CharField(max_length=16)),
                ("receipt_error", models.CharField(max_length=20)),
                ("receipt_at", models.DateTimeField(null=True)),
                ("evidence", models.CharField(blank=True, max_length=10)),
            ],
            options={
                "db_table": "submission",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="QueuedSegment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.workspace",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.campaign",
                    ),
                ),
                ("position", models.BigIntegerField()),
                ("part", models.PositiveSmallIntegerField()),
                ("part_count", models.PositiveSmallIntegerField()),
                ("is_deferred", models.BooleanField(default=False)),
                ("attempt_count", models.PositiveSmallIntegerField(default=0)),
                ("not_before_at", models.DateTimeField()),
                ("batch_id", models.BigIntegerField(null=True)),
                ("lane_id", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "queued_segment",
                "indexes": [
                    models.Index(
                        condition=models.Q(("batch_id", None)),
                        fields=["campaign", "not_before_at"],
                        name="queued_segment_waiting",
                    ),
                    models.Index(
                        condition=models.Q(("batch_id__isnull", False)),
                        fields=["batch_id"],
                        name="queued_segment_in_batch",
                    ),
                    models.Index(
                        condition=models.Q(("batch_id", None), ("lane_id__isnull", False)),
                        fields=["campaign", "lane_id", "not_before_at"],
                        name="queued_segment_in_lane",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("campaign", "position", "part"), name="queued_segment_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Receipt",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "received_on",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("received_on", models.DateField()),
                ("id", models.BigIntegerField()),
                ("connection_id", models.BigIntegerField()),
                ("smsc_id", models.CharField(max_length=65)),
                ("state", models.CharField(max_length=16)),
                ("error", models.CharField(max_length=20)),
                ("reference", models.IntegerField()),
                ("raw", models.BinaryField()),
                ("received_at", models.DateTimeField()),
                ("result", models.CharField(max_length=10)),
                ("fingerprint", models.BinaryField(null=True)),
                ("sender", models.CharField(max_length=21)),
                ("is_unmarked", models.BooleanField(default=False)),
                ("look_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "receipt",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="ReceiptsAwaited",
            fields=[
                ("id", models.PositiveSmallIntegerField(primary_key=True, serialize=False)),
                ("since_at", models.DateTimeField()),
            ],
            options={
                "db_table": "receipts_awaited",
            },
        ),
        migrations.CreateModel(
            name="RateSample",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="workspaces.workspace",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="campaigns.campaign",
                    ),
                ),
                ("second", models.BigIntegerField()),
                ("claimed", models.IntegerField(default=0)),
                ("planned", models.FloatField(default=0)),
                ("reason", models.CharField(blank=True, max_length=300)),
            ],
            options={
                "db_table": "rate_sample",
                "constraints": [
                    models.UniqueConstraint(fields=("campaign", "second"), name="rate_sample_once")
                ],
            },
        ),
        migrations.RunSQL(Path(__file__).with_name("0004_sending.sql").read_text("utf-8")),
    ]
