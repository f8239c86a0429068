"""A claim reads each message, its recipient and its opt-out once."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0017_doubt_after_a_restore")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_name("0018_claim_in_one_pass.sql").read_text("utf-8"),
            migrations.RunSQL.noop,
        ),
    ]
