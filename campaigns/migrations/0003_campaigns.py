"""Campaigns, their approvals and counters, and the messages of the API."""

from decimal import Decimal

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("campaigns", "0029_run_request"),
    ]
    dependencies = [("campaigns", "0002_recipients")]

    operations = [
        migrations.CreateModel(
            name="Campaign",
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
                        related_name="campaigns",
                        to="workspaces.workspace",
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("name", models.CharField(blank=True, max_length=120)),
                ("purpose", models.CharField(blank=True, max_length=500)),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("on_demand", "On demand"),
                            ("scheduled", "Scheduled"),
                            ("spread", "Spread"),
                            ("trigger", "Trigger"),
                        ],
                        default="spread",
                        max_length=10,
                    ),
                ),
                (
                    "priority",
                    models.CharField(
                        choices=[
                            ("transactional", "Transactional"),
                            ("operational", "Operational"),
                            ("promotional", "Promotional"),
                        ],
                        default="operational",
                        max_length=13,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "draft"),
                            ("building", "building"),
                            ("ready", "ready"),
                            ("in_review", "in_review"),
                            ("returned", "returned"),
                            ("rejected", "rejected"),
                            ("approved", "approved"),
                            ("scheduled", "scheduled"),
                            ("sending", "sending"),
                            ("paused", "paused"),
                            ("held", "held"),
                            ("completed", "completed"),
                            ("cancelled", "cancelled"),
                            ("expired", "expired"),
                            ("failed", "failed"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("state_since_at", models.DateTimeField()),
                ("hold_reason", models.CharField(blank=True, max_length=40)),
                ("hold_sentence", models.CharField(blank=True, max_length=300)),
                ("is_archived", models.BooleanField(default=False)),
                ("deleted_at", models.DateTimeField(null=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("text", models.TextField(blank=True, max_length=4000)),
                (
                    "sender",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.sender",
                    ),
                ),
                (
                    "sender_revision",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.senderrevision",
                    ),
                ),
                (
                    "recipient_list",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="campaigns.recipientlist",
                    ),
                ),
                (
                    "route",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="smpp_client.route",
                    ),
                ),
                ("starts_at", models.DateTimeField(null=True)),
                ("ends_at", models.DateTimeField(null=True)),
                ("daily_from", models.TimeField(null=True)),
                ("daily_until", models.TimeField(null=True)),
                ("zone", models.CharField(default="UTC", max_length=64)),
                ("rate_ceiling", models.DecimalField(decimal_places=3, max_digits=12, null=True)),
                ("runtime_rate", models.DecimalField(decimal_places=3, max_digits=12, null=True)),
                (
                    "start_by",
                    models.CharField(
                        choices=[
                            ("itself", "By itself at its time"),
                            ("hand", "When a person presses start"),
                        ],
                        default="itself",
                        max_length=6,
                    ),
                ),
                ("daily_cap", models.PositiveIntegerField(null=True)),
                ("slots", models.JSONField(default=list)),
                (
                    "author",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "author_person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.person",
                    ),
                ),
                (
                    "editor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "editor_person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.person",
                    ),
                ),
                (
                    "submitter",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "submitter_person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.person",
                    ),
                ),
                (
                    "cloned_from",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="campaigns.campaign",
                    ),
                ),
                ("frozen_on", models.DateField(null=True)),
                ("permutation_key", models.BinaryField(null=True)),
                ("audience_digest", models.BinaryField(null=True)),
                ("built_recipient_id", models.BigIntegerField(default=0)),
                ("built_count", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField(default=0)),
                ("segment_total", models.BigIntegerField(default=0)),
                ("segment_histogram", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField()),
                ("edited_at", models.DateTimeField()),
                ("submitted_at", models.DateTimeField(null=True)),
                ("approved_at", models.DateTimeField(null=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("run_request_id", models.CharField(blank=True, max_length=64)),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "campaign",
                "indexes": [
                    models.Index(fields=["workspace", "-number"], name="campaign_newest"),
                    models.Index(
                        condition=models.Q(
                            (
                                "state__in",
                                ["building", "approved", "scheduled", "sending", "paused", "held"],
                            )
                        ),
                        fields=["state"],
                        name="campaign_at_work",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "number"), name="campaign_number"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "draft",
                                    "building",
                                    "ready",
                                    "in_review",
                                    "returned",
                                    "rejected",
                                    "approved",
                                    "scheduled",
                                    "sending",
                                    "paused",
                                    "held",
                                    "completed",
                                    "cancelled",
                                    "expired",
                                    "failed",
                                ],
                            )
                        ),
                        name="campaign_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starts_at", None),
                            ("ends_at", None),
                            ("ends_at__gt", models.F("starts_at")),
                            _connector="OR",
                        ),
                        name="campaign_ends_after_start",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("runtime_rate", None),
                            models.Q(("runtime_rate__gt", Decimal("0")), ("rate_ceiling", None)),
                            models.Q(
                                ("runtime_rate__gt", Decimal("0")),
                                ("runtime_rate__lte", models.F("rate_ceiling")),
                            ),
                            _connector="OR",
                        ),
                        name="campaign_rate_below_ceiling",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Approval",
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
                        related_name="approvals",
                        to="campaigns.campaign",
                    ),
                ),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("approve", "Approved"),
                            ("return", "Returned"),
                            ("reject", "Rejected"),
                        ],
                        max_length=7,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=1000)),
                ("digest", models.BinaryField()),
                ("signature", models.BinaryField()),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "decided_person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.person",
                    ),
                ),
                (
                    "author_person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.person",
                    ),
                ),
                (
                    "uploader_person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.person",
                    ),
                ),
                (
                    "editor_person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.person",
                    ),
                ),
                (
                    "submitter_person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.person",
                    ),
                ),
                ("decided_at", models.DateTimeField()),
            ],
            options={
                "db_table": "approval",
                "indexes": [
                    models.Index(fields=["workspace", "campaign", "-id"], name="approval_newest")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_person", models.F("author_person")), _negated=True),
                            models.Q(("decided_person", models.F("editor_person")), _negated=True),
                            models.Q(
                                ("decided_person", models.F("submitter_person")), _negated=True
                            ),
                            models.Q(
                                ("uploader_person", None),
                                models.Q(
                                    ("decided_person", models.F("uploader_person")), _negated=True
                                ),
                                _connector="OR",
                            ),
                        ),
                        name="approval_four_eyes",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="campaign",
            name="approval",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="campaigns.approval",
            ),
        ),
        migrations.CreateModel(
            name="Progress",
            fields=[
                (
                    "campaign",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="progress",
                        serialize=False,
                        to="campaigns.campaign",
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
                ("cursor", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField(default=0)),
                ("claimed_segments", models.BigIntegerField(default=0)),
                ("submitted_segments", models.BigIntegerField(default=0)),
                ("paced_from_at", models.DateTimeField(null=True)),
                ("paced_from_segments", models.BigIntegerField(default=0)),
                ("queued", models.BigIntegerField(default=0)),
                ("suppressed", models.BigIntegerField(default=0)),
                ("sending", models.BigIntegerField(default=0)),
                ("submitted", models.BigIntegerField(default=0)),
                ("deferred", models.BigIntegerField(default=0)),
                ("refused", models.BigIntegerField(default=0)),
                ("unknown", models.BigIntegerField(default=0)),
                ("delivered", models.BigIntegerField(default=0)),
                ("undelivered", models.BigIntegerField(default=0)),
                ("expired", models.BigIntegerField(default=0)),
                ("cancelled", models.BigIntegerField(default=0)),
                ("no_receipt", models.BigIntegerField(default=0)),
                ("resent", models.BigIntegerField(default=0)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("reason_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "progress",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "total",
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        django.db.models.expressions.CombinedExpression(
                                            django.db.models.expressions.CombinedExpression(
                                                django.db.models.expressions.CombinedExpression(
                                                    django.db.models.expressions.CombinedExpression(
                                                        django.db.models.expressions.CombinedExpression(
                                                            django.db.models.expressions.CombinedExpression(
                                                                django.db.models.expressions.CombinedExpression(
                                                                    django.db.models.expressions.CombinedExpression(
                                                                        django.db.models.expressions.CombinedExpression(
                                                                            models.F("queued"),
                                                                            "+",
                                                                            models.F("suppressed"),
                                                                        ),
                                                                        "+",
                                                                        models.F("sending"),
                                                                    ),
                                                                    "+",
                                                                    models.F("submitted"),
                                                                ),
                                                                "+",
                                                                models.F("deferred"),
                                                            ),
                                                            "+",
                                                            models.F("refused"),
                                                        ),
                                                        "+",
                                                        models.F("unknown"),
                                                    ),
                                                    "+",
                                                    models.F("delivered"),
                                                ),
                                                "+",
                                                models.F("undelivered"),
                                            ),
                                            "+",
                                            models.F("expired"),
                                        ),
                                        "+",
                                        models.F("cancelled"),
                                    ),
                                    "+",
                                    models.F("no_receipt"),
                                ),
                            )
                        ),
                        name="progress_adds_up",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("deferred__gte", 0),
                            ("queued__gte", 0),
                            ("sending__gte", 0),
                            ("submitted__gte", 0),
                            ("unknown__gte", 0),
                        ),
                        name="progress_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ApiMessage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uuid", models.UUIDField(unique=True)),
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
                ("client_reference", models.CharField(blank=True, max_length=100)),
                (
                    "api_key",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.apikey",
                    ),
                ),
                ("request_id", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "api_message",
                "indexes": [
                    models.Index(fields=["workspace", "-id"], name="api_message_newest"),
                    models.Index(
                        fields=["api_key", "campaign", "created_at"], name="api_message_of_key"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("client_reference", ""), _negated=True),
                        fields=("workspace", "client_reference"),
                        name="api_message_reference",
                    ),
                    models.UniqueConstraint(
                        fields=("campaign", "position"), name="api_message_position"
                    ),
                ],
            },
        ),
        # Rows that change many times a second are rewritten in place when their page has room.
        migrations.RunSQL("ALTER TABLE progress SET (fillfactor = 20)"),
    ]
