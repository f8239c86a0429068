"""Receipts are stored and applied in one statement."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0026_receipts_in_place")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_name("0027_take_receipts.sql").read_text("utf-8"),
            migrations.RunSQL.noop,
        ),
    ]
