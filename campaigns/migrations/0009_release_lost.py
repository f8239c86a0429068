"""What a claim without an answer committed is told by the last batch that arrived, not by a list of
those that are known.
"""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_suffix(".sql").read_text("utf-8")


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0008_watched_tables")]

    operations = [migrations.RunSQL(SQL)]
