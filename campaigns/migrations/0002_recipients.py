"""Lists of recipients, what subscribers write to us, and the words by which they stop."""

import uuid
from datetime import UTC, datetime

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from campaigns.rules.stop_words import START_WORDS, STOP_WORDS, fold

WORDS = (("stop", STOP_WORDS), ("start", START_WORDS))


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
    replaces = [
        ("campaigns", "0008_list_layout"),
        ("campaigns", "0009_list_line_end"),
        ("campaigns", "0010_fewer_recipient_indexes"),
        ("campaigns", "0014_inbound_messages"),
        ("campaigns", "0030_reply_holders"),
    ]
    dependencies = [("campaigns", "0001_senders"), ("smpp_client", "0001_tables")]

    operations = [
        migrations.CreateModel(
            name="RecipientList",
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
                        related_name="lists",
                        to="workspaces.workspace",
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("uploading", "Uploading"),
                            ("uploaded", "Uploaded"),
                            ("importing", "Importing"),
                            ("ready", "Ready"),
                            ("failed", "Failed"),
                        ],
                        default="uploading",
                        max_length=10,
                    ),
                ),
                ("is_archived", models.BooleanField(default=False)),
                ("is_internal", models.BooleanField(default=False)),
                ("file_key", models.CharField(blank=True, max_length=64)),
                ("file_name", models.CharField(blank=True, max_length=255)),
                ("size_bytes", models.BigIntegerField(default=0)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("encoding", models.CharField(blank=True, max_length=20)),
                ("delimiter", models.CharField(blank=True, max_length=1)),
                ("line_end", models.CharField(default="\n", max_length=1)),
                ("has_header", models.BooleanField(default=True)),
                ("header", models.JSONField(default=list)),
                ("columns", models.JSONField(default=list)),
                ("positions", models.JSONField(default=list)),
                ("number_column", models.PositiveIntegerField(null=True)),
                ("country", models.CharField(blank=True, max_length=2)),
                ("next_byte", models.BigIntegerField(default=0)),
                ("next_row", models.BigIntegerField(default=0)),
                ("row_count", models.BigIntegerField(default=0)),
                ("valid_count", models.BigIntegerField(default=0)),
                ("fault_count", models.BigIntegerField(default=0)),
                ("duplicate_count", models.BigIntegerField(default=0)),
                ("failure", models.CharField(blank=True, max_length=300)),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "uploaded_person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.person",
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("touched_at", models.DateTimeField()),
                ("ready_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "recipient_list",
                "indexes": [
                    models.Index(fields=["workspace", "-created_at"], name="recipient_list_newest"),
                    models.Index(
                        condition=models.Q(("state", "importing")),
                        fields=["touched_at"],
                        name="recipient_list_importing",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Recipient",
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
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.workspace",
                    ),
                ),
                (
                    "recipient_list",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recipients",
                        to="campaigns.recipientlist",
                    ),
                ),
                ("row_number", models.BigIntegerField()),
                ("fingerprint", models.BinaryField()),
                ("number_sealed", models.BinaryField(null=True)),
                ("values", models.JSONField(default=dict)),
            ],
            options={
                "db_table": "recipient",
                "indexes": [
                    models.Index(fields=["recipient_list", "id"], name="recipient_of_list")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("recipient_list", "fingerprint"), name="recipient_once_in_list"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RecipientFault",
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
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.workspace",
                    ),
                ),
                (
                    "recipient_list",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="faults",
                        to="campaigns.recipientlist",
                    ),
                ),
                ("row_number", models.BigIntegerField()),
                ("code", models.CharField(max_length=30)),
                ("value_sealed", models.BinaryField()),
                ("row_sealed", models.BinaryField()),
            ],
            options={
                "db_table": "recipient_fault",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("recipient_list", "row_number"), name="recipient_fault_once"
                    )
                ],
            },
        ),
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
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="smpp_client.connection",
                    ),
                ),
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
                    "wish",
                    models.CharField(
                        blank=True, choices=[("stop", "stop"), ("start", "start")], max_length=5
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "inbound_message",
                "indexes": [
                    models.Index(
                        condition=models.Q(("head", None)),
                        fields=["workspace", "-id"],
                        name="inbound_message_newest",
                    ),
                    models.Index(
                        condition=models.Q(("head", None), models.Q(("wish", ""), _negated=True)),
                        fields=["workspace", "-id"],
                        name="inbound_message_wishes",
                    ),
                    models.Index(
                        condition=models.Q(("holder", None), _negated=True),
                        fields=["workspace", "holder", "-id"],
                        name="inbound_message_of_holder",
                    ),
                    models.Index(fields=["fingerprint", "-id"], name="inbound_message_of_number"),
                    models.Index(
                        condition=models.Q(("head", None), _negated=True),
                        fields=["head"],
                        name="inbound_message_of_head",
                    ),
                    models.Index(
                        condition=models.Q(("content_sealed", None), _negated=True),
                        fields=["received_at"],
                        name="inbound_message_to_erase",
                    ),
                    models.Index(
                        condition=models.Q(("is_settled", False)),
                        fields=["received_at"],
                        name="inbound_message_unsettled",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_settled", False)),
                        fields=("connection", "digest"),
                        name="inbound_message_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("part__gte", 1), ("part__lte", models.F("part_count"))),
                        name="inbound_message_part",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="OptOut",
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
                        related_name="opt_outs",
                        to="workspaces.workspace",
                    ),
                ),
                ("fingerprint", models.BinaryField()),
                ("number_sealed", models.BinaryField()),
                ("source", models.CharField(max_length=20)),
                ("note", models.CharField(blank=True, max_length=200)),
                (
                    "inbound_message",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="opt_outs",
                        to="campaigns.inboundmessage",
                    ),
                ),
                (
                    "added_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("added_at", models.DateTimeField()),
                (
                    "lifted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("lifted_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "opt_out",
                "indexes": [models.Index(fields=["workspace", "-id"], name="opt_out_newest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at", None)),
                        fields=("workspace", "fingerprint"),
                        name="opt_out_once",
                    )
                ],
            },
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
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField()),
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
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="stop_words",
                        to="workspaces.workspace",
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
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "workspace_stop_word",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("workspace", "folded"), name="workspace_stop_word_once"
                    )
                ],
            },
        ),
        migrations.RunPython(add_words, migrations.RunPython.noop),
    ]
