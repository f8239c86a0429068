"""Senders, approvals and opt-outs that change around the verbs record themselves."""

from django.db import migrations

from audit.rules.watched import not_watching, watching

TABLES = ("sender", "sender_revision", "sender_decision", "approval", "opt_out")


class Migration(migrations.Migration):
    replaces = [
        ("campaigns", "0021_watched_tables"),
    ]
    dependencies = [("audit", "0002_functions"), ("campaigns", "0007_functions")]

    operations = [migrations.RunSQL(watching(table), not_watching(table)) for table in TABLES]
