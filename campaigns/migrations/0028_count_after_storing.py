"""Outcomes of batches from the cursor are stored before the campaign's counters are locked."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0027_take_receipts")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_name("0028_count_after_storing.sql").read_text("utf-8"),
            migrations.RunSQL.noop,
        ),
    ]
