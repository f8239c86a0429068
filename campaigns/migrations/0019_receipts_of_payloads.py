"""One receipt settles all parts of a message that went as one payload."""

from pathlib import Path

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0018_claim_in_one_pass")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_name("0019_receipts_of_payloads.sql").read_text("utf-8"),
            migrations.RunSQL.noop,
        ),
    ]
