"""Watched tables may have columns whose updates are nobody's decision, such as a key's last use."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("audit", "0008_spare_sealed_messages")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_name("0009_watch_only_decisions.sql").read_text(encoding="utf-8"),
            migrations.RunSQL.noop,
        )
    ]
