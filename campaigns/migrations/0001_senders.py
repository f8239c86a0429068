"""Sender names, their revisions and what was decided on them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("campaigns", "0001_campaigns"),
        ("campaigns", "0007_sender_revision_guards"),
        ("campaigns", "0031_erased_numbers"),
    ]
    initial = True
    dependencies = [("workspaces", "0001_tables")]

    operations = [
        migrations.CreateModel(
            name="Sender",
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
                        related_name="senders",
                        to="workspaces.workspace",
                    ),
                ),
                ("value", models.CharField(max_length=15)),
                ("skeleton", models.CharField(max_length=30, unique=True)),
                ("is_archived", models.BooleanField(default=False)),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("created_at", models.DateTimeField()),
            ],
            options={
                "db_table": "sender",
                "indexes": [
                    models.Index(fields=["workspace", "value"], name="sender_in_workspace")
                ],
            },
        ),
        migrations.CreateModel(
            name="SenderRevision",
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
                    "sender",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revisions",
                        to="campaigns.sender",
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("value", models.CharField(max_length=15)),
                ("ton", models.PositiveSmallIntegerField()),
                ("npi", models.PositiveSmallIntegerField()),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("service", "Service"),
                            ("transactional", "Transactional"),
                            ("promotional", "Promotional"),
                            ("government", "Government"),
                        ],
                        max_length=14,
                    ),
                ),
                ("legal_entity", models.CharField(max_length=200)),
                ("purpose", models.CharField(max_length=500)),
                ("sample_text", models.CharField(max_length=500)),
                ("resembles", models.CharField(blank=True, max_length=40)),
                ("needed_approvals", models.PositiveSmallIntegerField(default=1)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("in_review", "In review"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("withdrawn", "Withdrawn"),
                            ("replaced", "Replaced"),
                        ],
                        default="in_review",
                        max_length=10,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.person",
                    ),
                ),
                ("proposed_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "sender_revision",
                "indexes": [
                    models.Index(fields=["workspace", "state"], name="sender_revision_state")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("sender", "number"), name="sender_revision_number"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "in_review")),
                        fields=("sender",),
                        name="sender_revision_one_in_review",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="sender",
            name="approved_revision",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="campaigns.senderrevision",
            ),
        ),
        migrations.CreateModel(
            name="SenderDecision",
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
                    "revision",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="decisions",
                        to="campaigns.senderrevision",
                    ),
                ),
                ("is_approval", models.BooleanField()),
                ("note", models.CharField(blank=True, max_length=1000)),
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
                    "proposed_person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="workspaces.person",
                    ),
                ),
                ("decided_at", models.DateTimeField()),
            ],
            options={
                "db_table": "sender_decision",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("revision", "decided_person"), name="sender_decision_once_a_person"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_person", models.F("proposed_person")), _negated=True
                        ),
                        name="sender_decision_four_eyes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProtectedName",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("value", models.CharField(max_length=40)),
                ("skeleton", models.CharField(max_length=60, unique=True)),
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
                "db_table": "protected_name",
            },
        ),
    ]
