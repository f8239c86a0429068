"""What the database refuses by itself, and how messages are claimed, recorded and settled.

A change of a function is a new migration with the whole function: the newest definition counts.
"""

from pathlib import Path

from django.db import migrations

from campaigns.rules.campaign_states import moves_as_sql

# A function in SQL comes after those that it calls.
TOPICS = ("guards", "states", "claiming", "outcomes", "receipts", "settling")


def statements(topic: str) -> str:
    """Return the SQL of one topic, from the file beside this one, with the campaign's moves in it."""
    text = Path(__file__).with_name(f"0007_{topic}.sql").read_text("utf-8")
    return text.replace("/* moves */", moves_as_sql())


class Migration(migrations.Migration):
    replaces = [
        ("campaigns", "0004_guards"),
        ("campaigns", "0005_sending"),
        ("campaigns", "0006_discard_audience"),
        ("campaigns", "0012_push_message"),
        ("campaigns", "0013_queue_lanes"),
        ("campaigns", "0015_receipts_improve"),
        ("campaigns", "0016_faster_outcomes"),
        ("campaigns", "0017_doubt_after_a_restore"),
        ("campaigns", "0018_claim_in_one_pass"),
        ("campaigns", "0019_receipts_of_payloads"),
        ("campaigns", "0020_late_answers"),
        ("campaigns", "0022_messages_in_one_piece"),
        ("campaigns", "0023_resend_what_was_never_there"),
        ("campaigns", "0024_many_orphans"),
        ("campaigns", "0027_take_receipts"),
        ("campaigns", "0028_count_after_storing"),
    ]
    dependencies = [("campaigns", "0006_tenancy")]

    operations = [migrations.RunSQL(statements(topic)) for topic in TOPICS]
