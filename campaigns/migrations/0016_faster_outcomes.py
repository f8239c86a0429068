"""Accepted segments of one part, the bulk of all outcomes, become durable by a short way."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0015_receipts_improve")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_name("0016_faster_outcomes.sql").read_text("utf-8"),
            migrations.RunSQL.noop,
        ),
    ]
