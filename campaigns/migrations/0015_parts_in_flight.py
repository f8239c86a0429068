"""Each part in flight is known, and what a completed campaign has unknown stays so."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_suffix(".sql").read_text("utf-8")


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0014_receipts_by_pieces")]

    operations = [migrations.RunSQL(SQL)]
