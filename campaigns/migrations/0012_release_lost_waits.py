"""What a claim without an answer committed is looked for once that claim can commit no more."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_suffix(".sql").read_text("utf-8")


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0011_erased_values")]

    operations = [migrations.RunSQL(SQL)]
