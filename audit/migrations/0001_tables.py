"""The tables of the audit log, in SQL: what they promise matters more than how Django sees them.

Columns are those of the published format; the generated ones of `audit_event` are for searching and
always follow the body. There are no foreign keys out of these tables, on purpose.
"""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

LOG = [
    migrations.CreateModel(
        name="Event",
        fields=[
            ("id", models.BigIntegerField(primary_key=True, serialize=False)),
            ("ws", models.UUIDField()),
            ("eid", models.UUIDField(unique=True)),
            ("created", models.DateTimeField()),
            ("leaf", models.BinaryField()),
            ("body", models.TextField()),
            ("op", models.TextField()),
            ("result", models.TextField()),
            ("actor_id", models.TextField()),
            ("obj_type", models.TextField()),
            ("obj_id", models.TextField()),
        ],
        options={
            "db_table": "audit_event",
        },
    ),
    migrations.CreateModel(
        name="Pending",
        fields=[
            ("event_id", models.BigIntegerField(primary_key=True, serialize=False)),
        ],
        options={
            "db_table": "audit_pending",
        },
    ),
    migrations.CreateModel(
        name="Entry",
        fields=[
            (
                "pk",
                models.CompositePrimaryKey(
                    "ws", "seq", blank=True, editable=False, primary_key=True, serialize=False
                ),
            ),
            ("ws", models.UUIDField()),
            ("seq", models.BigIntegerField()),
            ("at", models.DateTimeField()),
            ("prev", models.BinaryField()),
            ("hash", models.BinaryField()),
            (
                "event",
                models.OneToOneField(
                    db_constraint=False,
                    on_delete=django.db.models.deletion.DO_NOTHING,
                    to="audit.event",
                ),
            ),
        ],
        options={
            "db_table": "audit_entry",
            "constraints": [
                models.UniqueConstraint(fields=("ws", "prev"), name="audit_entry_no_fork")
            ],
        },
    ),
    migrations.CreateModel(
        name="Head",
        fields=[
            ("ws", models.UUIDField(primary_key=True, serialize=False)),
            ("slot", models.IntegerField(unique=True)),
            ("seq", models.BigIntegerField()),
            ("hash", models.BinaryField()),
            ("created", models.DateTimeField()),
        ],
        options={
            "db_table": "audit_head",
        },
    ),
    migrations.CreateModel(
        name="Epoch",
        fields=[
            ("epoch", models.BigIntegerField(primary_key=True, serialize=False)),
            ("body", models.TextField()),
            ("note", models.TextField(null=True)),
        ],
        options={
            "db_table": "audit_epoch",
        },
    ),
    migrations.CreateModel(
        name="EpochChange",
        fields=[
            (
                "pk",
                models.CompositePrimaryKey(
                    "epoch",
                    "slot",
                    blank=True,
                    editable=False,
                    primary_key=True,
                    serialize=False,
                ),
            ),
            ("epoch", models.BigIntegerField()),
            ("slot", models.IntegerField()),
            ("seq", models.BigIntegerField()),
        ],
        options={
            "db_table": "audit_epoch_change",
        },
    ),
    migrations.CreateModel(
        name="Disclosure",
        fields=[
            (
                "pk",
                models.CompositePrimaryKey(
                    "eid",
                    "field",
                    blank=True,
                    editable=False,
                    primary_key=True,
                    serialize=False,
                ),
            ),
            ("ws", models.UUIDField()),
            ("eid", models.UUIDField()),
            ("field", models.TextField()),
            ("salt", models.BinaryField()),
            ("value", models.TextField()),
        ],
        options={
            "db_table": 'audit_private"."audit_disclosure',
        },
    ),
    migrations.CreateModel(
        name="Anchor",
        fields=[
            ("name", models.TextField(primary_key=True, serialize=False)),
            ("since", models.DateTimeField()),
            ("try_count", models.IntegerField(default=0)),
            ("next_try_at", models.DateTimeField()),
            ("failure", models.TextField(blank=True, default="")),
            ("is_refused", models.BooleanField(default=False)),
            ("told_at", models.DateTimeField(null=True)),
        ],
        options={
            "db_table": "audit_anchor",
        },
    ),
    migrations.CreateModel(
        name="AnchorReceipt",
        fields=[
            (
                "pk",
                models.CompositePrimaryKey(
                    "anchor",
                    "epoch",
                    blank=True,
                    editable=False,
                    primary_key=True,
                    serialize=False,
                ),
            ),
            ("anchor", models.TextField()),
            ("epoch", models.BigIntegerField()),
            ("kind", models.TextField()),
            ("note_digest", models.BinaryField()),
            ("content", models.BinaryField()),
            ("attested_at", models.DateTimeField(null=True)),
            ("made_at", models.DateTimeField()),
            ("eid", models.UUIDField(unique=True)),
        ],
        options={
            "db_table": "audit_anchor_receipt",
            "indexes": [models.Index(fields=["epoch"], name="audit_receipt_by_epoch")],
        },
    ),
    migrations.CreateModel(
        name="LogKey",
        fields=[
            ("key", models.TextField(primary_key=True, serialize=False)),
            ("first_epoch", models.BigIntegerField(unique=True)),
            ("note", models.TextField()),
            ("published_at", models.DateTimeField()),
        ],
        options={
            "db_table": "audit_log_key",
        },
    ),
]


class Migration(migrations.Migration):
    replaces = [
        ("audit", "0001_append_only_tables"),
        ("audit", "0003_index_objects_and_refusals"),
        ("audit", "0004_anchors_and_log_keys"),
        ("audit", "0007_exports"),
        ("audit", "0010_find_values"),
    ]
    initial = True
    dependencies = []

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(Path(__file__).with_name("0001_tables.sql").read_text("utf-8"))
            ],
            state_operations=LOG,
        ),
        # Exports of evidence that people ask for; each workspace sees its own.
        migrations.CreateModel(
            name="Export",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("ws", models.UUIDField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "waiting"),
                            ("queued", "queued"),
                            ("running", "running"),
                            ("ready", "ready"),
                            ("refused", "refused"),
                            ("failed", "failed"),
                            ("expired", "expired"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("since", models.DateTimeField(null=True)),
                ("until", models.DateTimeField(null=True)),
                ("shows_values", models.BooleanField(default=False)),
                ("reason", models.CharField(max_length=500)),
                ("asked_by", models.CharField(max_length=40)),
                ("asked_person", models.BigIntegerField()),
                ("asked_at", models.DateTimeField()),
                ("decided_by", models.CharField(blank=True, max_length=40)),
                ("decided_person", models.BigIntegerField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("decision_note", models.CharField(blank=True, max_length=500)),
                ("forced_by", models.UUIDField()),
                ("touched_at", models.DateTimeField()),
                ("done", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField(default=0)),
                ("ended_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("file", models.CharField(blank=True, max_length=120)),
                ("size", models.BigIntegerField(default=0)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("manifest_sha256", models.CharField(blank=True, max_length=64)),
                ("entry_count", models.BigIntegerField(default=0)),
                ("problem", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "db_table": "audit_export",
                "indexes": [
                    models.Index(fields=["ws", "-id"], name="audit_export_newest"),
                    models.Index(
                        condition=models.Q(("state__in", ["queued", "running", "ready"])),
                        fields=["state"],
                        name="audit_export_at_work",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_person", None),
                            models.Q(("decided_person", models.F("asked_person")), _negated=True),
                            _connector="OR",
                        ),
                        name="audit_export_four_eyes",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("shows_values", False),
                            ("state__in", ["waiting", "refused"]),
                            ("decided_person__isnull", False),
                            _connector="OR",
                        ),
                        name="audit_export_values_released",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "waiting",
                                    "queued",
                                    "running",
                                    "ready",
                                    "refused",
                                    "failed",
                                    "expired",
                                ],
                            )
                        ),
                        name="audit_export_state_known",
                    ),
                ],
            },
        ),
    ]
