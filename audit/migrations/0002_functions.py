"""The only ways in, the guards against every way back, and who sees which rows.

The runtime role holds no right to write any of these tables. It may execute functions that run as
their owner, with a fixed search path and for nobody by default.
"""

from pathlib import Path

from django.db import migrations

TOPICS = ("ways_in", "erasing", "guards", "scope", "watch")


def statements(topic: str) -> str:
    """Return the SQL of one topic, from the file beside this one."""
    return Path(__file__).with_name(f"0002_{topic}.sql").read_text("utf-8")


class Migration(migrations.Migration):
    replaces = [
        ("audit", "0002_append_functions_guards_and_scope"),
        ("audit", "0005_watch_changes_around_the_verbs"),
        ("audit", "0006_erase_and_prune"),
        ("audit", "0008_spare_sealed_messages"),
        ("audit", "0009_watch_only_decisions"),
    ]
    dependencies = [("audit", "0001_tables")]

    operations = [migrations.RunSQL(statements(topic)) for topic in TOPICS]
