"""Receipts and outcomes are matched with less work: by key, and sorted once for a group."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_suffix(".sql").read_text("utf-8")


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0016_non_delivery")]

    operations = [migrations.RunSQL(SQL)]
