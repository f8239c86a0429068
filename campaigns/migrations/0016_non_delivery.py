"""Receipts rewrite their submissions in place; what was not delivered is found by a table of its own."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

from workspaces.rules.tenancy import no_row_level_security, row_level_security

SQL = Path(__file__).with_suffix(".sql").read_text("utf-8")


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0015_parts_in_flight")]

    operations = [
        migrations.CreateModel(
            name="NonDelivery",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "campaign_id",
                        "is_reported",
                        "position",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("is_reported", models.BooleanField()),
                ("position", models.BigIntegerField()),
                (
                    "workspace",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="workspaces.workspace",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="campaigns.campaign",
                    ),
                ),
            ],
            options={"db_table": "non_delivery"},
        ),
        migrations.RunSQL(
            row_level_security("non_delivery"), no_row_level_security("non_delivery")
        ),
        migrations.RunSQL(SQL),
    ]
