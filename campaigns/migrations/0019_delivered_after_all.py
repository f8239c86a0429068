"""A message that was delivered after all is not looked at among those that were not."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_suffix(".sql").read_text("utf-8")


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0018_looked_at_soon")]

    operations = [migrations.RunSQL(SQL)]
