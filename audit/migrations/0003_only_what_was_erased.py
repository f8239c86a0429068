"""An entry of a refused erasing no longer lets a value go."""

from pathlib import Path

from django.db import migrations

SQL = Path(__file__).with_suffix(".sql").read_text("utf-8")


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_functions")]

    operations = [migrations.RunSQL(SQL)]
