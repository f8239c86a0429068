"""Call records and decisions of two people settle what is unknown."""

from pathlib import Path

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from campaigns.rules.campaign_states import moves_as_sql
from workspaces.rules.tenancy import (
    key_with_workspace,
    no_row_level_security,
    row_level_security,
    same_workspace,
)

TABLES = ("resend_decision", "call_record_import", "call_record")


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0016_faster_outcomes"),
        ("smpp_client", "0004_carriers_and_reports"),
        ("workspaces", "0004_workspace_weight"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CallRecordImport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("uploaded", "Waits for its columns"),
                            ("importing", "Reading"),
                            ("settling", "Settling"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="uploaded",
                        max_length=9,
                    ),
                ),
                ("file_key", models.CharField(blank=True, max_length=64)),
                ("file_name", models.CharField(max_length=255)),
                ("size_bytes", models.BigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("encoding", models.CharField(max_length=20)),
                ("delimiter", models.CharField(max_length=1)),
                ("line_end", models.CharField(max_length=1)),
                ("has_header", models.BooleanField()),
                ("columns", models.JSONField(default=dict)),
                ("country", models.CharField(blank=True, max_length=2)),
                ("time_form", models.CharField(blank=True, max_length=10)),
                ("zone", models.CharField(default="UTC", max_length=64)),
                ("tolerance_seconds", models.PositiveIntegerField(default=300)),
                ("complete_from", models.DateTimeField(null=True)),
                ("complete_until", models.DateTimeField(null=True)),
                ("next_byte", models.BigIntegerField(default=0)),
                ("next_row", models.BigIntegerField(default=0)),
                ("next_fingerprint", models.BinaryField(default=b"")),
                ("row_count", models.BigIntegerField(default=0)),
                ("fault_count", models.BigIntegerField(default=0)),
                ("other_count", models.BigIntegerField(default=0)),
                ("kept_count", models.BigIntegerField(default=0)),
                ("accepted_count", models.BigIntegerField(default=0)),
                ("absent_count", models.BigIntegerField(default=0)),
                ("failure", models.CharField(blank=True, max_length=300)),
                ("created_at", models.DateTimeField()),
                ("touched_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="smpp_client.connection",
                    ),
                ),
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
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.workspace",
                    ),
                ),
            ],
            options={
                "db_table": "call_record_import",
            },
        ),
        migrations.CreateModel(
            name="CallRecord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("row_number", models.BigIntegerField()),
                ("fingerprint", models.BinaryField(default=b"")),
                ("sender", models.CharField(blank=True, max_length=21)),
                ("at", models.DateTimeField(null=True)),
                ("smsc_id", models.CharField(blank=True, max_length=65)),
                ("reference", models.IntegerField(default=0)),
                ("state", models.CharField(blank=True, max_length=16)),
                ("reason", models.CharField(blank=True, max_length=20)),
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
                    "records",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="campaigns.callrecordimport",
                    ),
                ),
            ],
            options={
                "db_table": "call_record",
            },
        ),
        migrations.CreateModel(
            name="ResendDecision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "Waits for a second person"),
                            ("approved", "Approved"),
                            ("refused", "Refused"),
                        ],
                        default="requested",
                        max_length=9,
                    ),
                ),
                (
                    "positions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
                ("message_count", models.PositiveIntegerField()),
                ("resent_count", models.PositiveIntegerField(default=0)),
                ("note", models.CharField(max_length=1000)),
                ("requested_at", models.DateTimeField()),
                ("answer", models.CharField(blank=True, max_length=1000)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "campaign",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resends",
                        to="campaigns.campaign",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.person",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "requested_person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.person",
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
            options={
                "db_table": "resend_decision",
            },
        ),
        migrations.AddIndex(
            model_name="callrecordimport",
            index=models.Index(fields=["workspace", "-id"], name="call_record_import_newest"),
        ),
        migrations.AddConstraint(
            model_name="callrecordimport",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("complete_from", None), ("complete_until", None)),
                    ("complete_until__gt", models.F("complete_from")),
                    _connector="OR",
                ),
                name="call_record_import_range",
            ),
        ),
        migrations.AddIndex(
            model_name="callrecord",
            index=models.Index(fields=["records", "fingerprint"], name="call_record_of_person"),
        ),
        migrations.AddConstraint(
            model_name="callrecord",
            constraint=models.UniqueConstraint(
                fields=("records", "row_number"), name="call_record_once"
            ),
        ),
        migrations.AddIndex(
            model_name="resenddecision",
            index=models.Index(fields=["workspace", "-id"], name="resend_decision_newest"),
        ),
        migrations.AddConstraint(
            model_name="resenddecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "refused"),
                    ("decided_person", None),
                    models.Q(("decided_person", models.F("requested_person")), _negated=True),
                    _connector="OR",
                ),
                name="resend_decision_four_eyes",
            ),
        ),
        migrations.AddConstraint(
            model_name="resenddecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_person", None), ("state", "requested")),
                    models.Q(
                        models.Q(("state", "requested"), _negated=True),
                        ("decided_person__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="resend_decision_decided_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="resenddecision",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "requested")),
                fields=("campaign",),
                name="resend_decision_one_open",
            ),
        ),
        migrations.RunSQL(key_with_workspace("call_record_import"), migrations.RunSQL.noop),
        migrations.RunSQL(
            same_workspace("resend_decision", "campaign_id", "campaign"), migrations.RunSQL.noop
        ),
        migrations.RunSQL(
            same_workspace("call_record", "records_id", "call_record_import"),
            migrations.RunSQL.noop,
        ),
        *[
            migrations.RunSQL(row_level_security(table), no_row_level_security(table))
            for table in TABLES
        ],
        migrations.RunSQL(
            Path(__file__)
            .with_name("0016_settling.sql")
            .read_text("utf-8")
            .replace("/* moves */", moves_as_sql()),
            migrations.RunSQL.noop,
        ),
    ]
