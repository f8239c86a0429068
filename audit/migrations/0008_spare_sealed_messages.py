"""Entries that seal messages outlive the others: evidence of single messages leads to them."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("audit", "0007_exports")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_name("0008_spare_sealed_messages.sql").read_text(encoding="utf-8"),
            migrations.RunSQL.noop,
        )
    ]
