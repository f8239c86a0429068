"""What was sealed of the messages: passes over all outcomes, and a segment for each workspace."""

import django.db.models.deletion
from django.db import migrations, models

from workspaces.rules.tenancy import no_row_level_security, row_level_security


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0024_many_orphans"),
        ("workspaces", "0004_workspace_weight"),
    ]

    operations = [
        migrations.CreateModel(
            name="Sealing",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("sealed_at", models.DateTimeField()),
                ("horizon", models.BigIntegerField()),
                ("aged_horizon", models.BigIntegerField()),
                ("fresh_from", models.DateField()),
                ("cluster", models.CharField(max_length=60)),
                ("line_count", models.BigIntegerField()),
            ],
            options={"db_table": "sealing"},
        ),
        migrations.CreateModel(
            name="MessageSegment",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.BigIntegerField()),
                ("since_at", models.DateTimeField(null=True)),
                ("until_at", models.DateTimeField()),
                ("line_count", models.BigIntegerField()),
                ("size_bytes", models.BigIntegerField()),
                ("sha256", models.BinaryField()),
                ("root", models.BinaryField()),
                ("file_name", models.CharField(max_length=80)),
                ("key_sealed", models.BinaryField(null=True)),
                ("eid", models.UUIDField(unique=True)),
                ("pruned_at", models.DateTimeField(null=True)),
                (
                    "sealing",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.sealing",
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
            ],
            options={"db_table": "message_segment"},
        ),
        migrations.AddIndex(
            model_name="messagesegment",
            index=models.Index(fields=["workspace", "until_at"], name="message_segment_in_time"),
        ),
        migrations.AddConstraint(
            model_name="messagesegment",
            constraint=models.UniqueConstraint(
                fields=("workspace", "number"), name="message_segment_number"
            ),
        ),
        migrations.RunSQL(
            row_level_security("message_segment"), no_row_level_security("message_segment")
        ),
    ]
