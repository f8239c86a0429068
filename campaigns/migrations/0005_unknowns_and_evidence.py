"""What settles the unknown, and what was sealed of the messages."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("campaigns", "0016_settling"),
        ("campaigns", "0025_message_segments"),
    ]
    dependencies = [("campaigns", "0004_sending")]

    operations = [
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
                        related_name="resends",
                        to="campaigns.campaign",
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
                ("requested_at", models.DateTimeField()),
                ("answer", models.CharField(blank=True, max_length=1000)),
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
                ("decided_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "resend_decision",
                "indexes": [
                    models.Index(fields=["workspace", "-id"], name="resend_decision_newest")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "refused"),
                            ("decided_person", None),
                            models.Q(
                                ("decided_person", models.F("requested_person")), _negated=True
                            ),
                            _connector="OR",
                        ),
                        name="resend_decision_four_eyes",
                    ),
                    models.CheckConstraint(
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
                    models.UniqueConstraint(
                        condition=models.Q(("state", "requested")),
                        fields=("campaign",),
                        name="resend_decision_one_open",
                    ),
                ],
            },
        ),
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
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.workspace",
                    ),
                ),
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
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "call_record_import",
                "indexes": [
                    models.Index(fields=["workspace", "-id"], name="call_record_import_newest")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("complete_from", None), ("complete_until", None)),
                            ("complete_until__gt", models.F("complete_from")),
                            _connector="OR",
                        ),
                        name="call_record_import_range",
                    )
                ],
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
                ("row_number", models.BigIntegerField()),
                ("fingerprint", models.BinaryField(default=b"")),
                ("sender", models.CharField(blank=True, max_length=21)),
                ("at", models.DateTimeField(null=True)),
                ("smsc_id", models.CharField(blank=True, max_length=65)),
                ("reference", models.IntegerField(default=0)),
                ("state", models.CharField(blank=True, max_length=16)),
                ("reason", models.CharField(blank=True, max_length=20)),
            ],
            options={
                "db_table": "call_record",
                "indexes": [
                    models.Index(fields=["records", "fingerprint"], name="call_record_of_person")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("records", "row_number"), name="call_record_once"
                    )
                ],
            },
        ),
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
            options={
                "db_table": "sealing",
            },
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
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.workspace",
                    ),
                ),
                ("number", models.BigIntegerField()),
                (
                    "sealing",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.sealing",
                    ),
                ),
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
            ],
            options={
                "db_table": "message_segment",
                "indexes": [
                    models.Index(fields=["workspace", "until_at"], name="message_segment_in_time")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("workspace", "number"), name="message_segment_number"
                    )
                ],
            },
        ),
    ]
