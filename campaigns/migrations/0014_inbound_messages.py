"""What subscribers write to us, and the words by which they stop."""

import uuid
from datetime import UTC, datetime

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from campaigns.rules.stop_words import START_WORDS, STOP_WORDS, fold
from workspaces.rules.tenancy import no_row_level_security, row_level_security

WORDS = (("stop", STOP_WORDS), ("start", START_WORDS))
TENANT_TABLES = ("inbound_message", "workspace_stop_word")


def add_words(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Begin with the usual words."""
    model = apps.get_model("campaigns", "StopWord")
    now = datetime.now(UTC)
    model.objects.bulk_create(
        [
            model(kind=kind, language=language, word=word, folded=fold(word), created_at=now)
            for kind, table in WORDS
            for language, words in table.items()
            for word in words
        ],
        # Two languages may share a word.
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0013_queue_lanes"),
        ("smpp_client", "0004_carriers_and_reports"),
        ("workspaces", "0004_workspace_weight"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="InboundMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("digest", models.BinaryField()),
                ("is_settled", models.BooleanField(default=False)),
                ("received_at", models.DateTimeField()),
                ("fingerprint", models.BinaryField(null=True)),
                ("number_sealed", models.BinaryField(null=True)),
                ("destination", models.CharField(max_length=40)),
                ("content_sealed", models.BinaryField(null=True)),
                (
                    "coding",
                    models.CharField(
                        choices=[
                            ("gsm", "gsm"),
                            ("ascii", "ascii"),
                            ("latin1", "latin1"),
                            ("cyrillic", "cyrillic"),
                            ("hebrew", "hebrew"),
                            ("ucs2", "ucs2"),
                            ("binary", "binary"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reference", models.PositiveIntegerField(default=0)),
                ("part", models.PositiveSmallIntegerField(default=1)),
                ("part_count", models.PositiveSmallIntegerField(default=1)),
                (
                    "wish",
                    models.CharField(
                        blank=True, choices=[("stop", "stop"), ("start", "start")], max_length=5
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="smpp_client.connection",
                    ),
                ),
                (
                    "head",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="parts",
                        to="campaigns.inboundmessage",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.workspace",
                    ),
                ),
            ],
            options={
                "db_table": "inbound_message",
            },
        ),
        migrations.AddField(
            model_name="optout",
            name="inbound_message",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="opt_outs",
                to="campaigns.inboundmessage",
            ),
        ),
        migrations.CreateModel(
            name="StopWord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("stop", "Stops"), ("start", "Starts again")], max_length=5
                    ),
                ),
                ("language", models.CharField(max_length=2)),
                ("word", models.CharField(max_length=40)),
                ("folded", models.CharField(max_length=40, unique=True)),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "stop_word",
            },
        ),
        migrations.CreateModel(
            name="WorkspaceStopWord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("stop", "Stops"), ("start", "Starts again")], max_length=5
                    ),
                ),
                ("word", models.CharField(max_length=40)),
                ("folded", models.CharField(max_length=40)),
                ("created_at", models.DateTimeField()),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stop_words",
                        to="workspaces.workspace",
                    ),
                ),
            ],
            options={
                "db_table": "workspace_stop_word",
            },
        ),
        migrations.AddIndex(
            model_name="inboundmessage",
            index=models.Index(
                condition=models.Q(("head", None)),
                fields=["workspace", "-id"],
                name="inbound_message_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="inboundmessage",
            index=models.Index(
                condition=models.Q(("head", None), models.Q(("wish", ""), _negated=True)),
                fields=["workspace", "-id"],
                name="inbound_message_wishes",
            ),
        ),
        migrations.AddIndex(
            model_name="inboundmessage",
            index=models.Index(fields=["fingerprint", "-id"], name="inbound_message_of_number"),
        ),
        migrations.AddIndex(
            model_name="inboundmessage",
            index=models.Index(
                condition=models.Q(("head", None), _negated=True),
                fields=["head"],
                name="inbound_message_of_head",
            ),
        ),
        migrations.AddIndex(
            model_name="inboundmessage",
            index=models.Index(
                condition=models.Q(("content_sealed", None), _negated=True),
                fields=["received_at"],
                name="inbound_message_to_erase",
            ),
        ),
        migrations.AddIndex(
            model_name="inboundmessage",
            index=models.Index(
                condition=models.Q(("is_settled", False)),
                fields=["received_at"],
                name="inbound_message_unsettled",
            ),
        ),
        migrations.AddConstraint(
            model_name="inboundmessage",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_settled", False)),
                fields=("connection", "digest"),
                name="inbound_message_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="inboundmessage",
            constraint=models.CheckConstraint(
                condition=models.Q(("part__gte", 1), ("part__lte", models.F("part_count"))),
                name="inbound_message_part",
            ),
        ),
        migrations.AddConstraint(
            model_name="workspacestopword",
            constraint=models.UniqueConstraint(
                fields=("workspace", "folded"), name="workspace_stop_word_once"
            ),
        ),
        *[
            migrations.RunSQL(row_level_security(table), no_row_level_security(table))
            for table in TENANT_TABLES
        ],
        migrations.RunPython(add_words, migrations.RunPython.noop),
    ]
