"""Accounts and API keys that change around the verbs record themselves."""

from django.db import migrations

from audit.rules.watched import not_watching, watching

TABLES = ("account", "api_key")


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0009_watch_only_decisions"),
        ("workspaces", "0007_watched_tables"),
    ]

    operations = [migrations.RunSQL(watching(table), not_watching(table)) for table in TABLES]
