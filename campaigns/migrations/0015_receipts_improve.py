"""Receipts only improve a state, and tell whom they are about where the answer was lost."""

from pathlib import Path

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0014_inbound_messages")]

    operations = [
        migrations.AddField("progress", "resent", models.BigIntegerField(default=0)),
        migrations.RunSQL(
            Path(__file__).with_name("0015_receipts_improve.sql").read_text("utf-8"),
            migrations.RunSQL.noop,
        ),
    ]
