"""After a kill, claims waited for seconds while receipts settled what was unknown."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_suffix(".sql").read_text("utf-8")


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0013_erased_for_good")]

    operations = [migrations.RunSQL(SQL)]
