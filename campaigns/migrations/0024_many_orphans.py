"""Many receipts that fit nothing are applied in step with their number."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0023_resend_what_was_never_there")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_suffix(".sql").read_text("utf-8"), migrations.RunSQL.noop
        )
    ]
