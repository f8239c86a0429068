"""Messages, submissions and receipts by month, so that retention drops partitions."""

from pathlib import Path

from django.db import migrations

from workspaces.rules.tenancy import row_level_security


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_tenancy")]

    operations = [
        migrations.RunSQL(Path(__file__).with_name("0003_partitions.sql").read_text("utf-8")),
        migrations.RunSQL(row_level_security("message")),
        migrations.RunSQL(row_level_security("submission")),
    ]
