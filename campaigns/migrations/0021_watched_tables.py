"""Senders, approvals and opt-outs that change around the verbs record themselves."""

from django.db import migrations

from audit.rules.watched import not_watching, watching

TABLES = (
    "sender",
    "sender_revision",
    "sender_decision",
    "approval",
    "opt_out",
)


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0005_watch_changes_around_the_verbs"),
        ("campaigns", "0020_late_answers"),
    ]

    operations = [migrations.RunSQL(watching(table), not_watching(table)) for table in TABLES]
