"""A page of refused, suppressed or undelivered messages is found without looking at the others."""

from pathlib import Path

from django.db import migrations

INDEXES = (
    "submission_refused",
    "submission_suppressed",
    "submission_given_back",
    "submission_undelivered",
    "submission_without_receipt",
)


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0010_fewer_recipient_indexes")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_name("0011_messages_by_state.sql").read_text("utf-8"),
            "".join(f"DROP INDEX {name};" for name in INDEXES),
        )
    ]
