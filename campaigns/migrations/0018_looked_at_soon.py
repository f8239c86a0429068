"""A receipt that came to one sender as another stored the answer to its segment waits seconds."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_suffix(".sql").read_text("utf-8")


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0017_found_by_key")]

    operations = [migrations.RunSQL(SQL)]
