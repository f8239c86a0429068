"""Who must erase a value asks which entries still keep it."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("audit", "0009_watch_only_decisions")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_name("0010_find_values.sql").read_text(encoding="utf-8"),
            "DROP FUNCTION audit_holding(uuid, text)",
        )
    ]
