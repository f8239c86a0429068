"""Revisions of sender names begin in review, move by a table and are never taken away."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0006_discard_audience")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_name("0007_sender_revision_guards.sql").read_text("utf-8")
        )
    ]
