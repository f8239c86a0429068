"""What may have been sent after the backup that a database was restored from."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0016_settling"),
        ("workspaces", "0005_doubt_after_a_restore"),
    ]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_name("0017_doubt_after_a_restore.sql").read_text("utf-8"),
            "DROP FUNCTION doubt_campaign(bigint, bigint, timestamptz, text)",
        ),
    ]
