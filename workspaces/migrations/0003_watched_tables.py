"""Memberships, accounts and API keys that change around the verbs record themselves."""

from django.db import migrations

from audit.rules.watched import not_watching, watching

TABLES = ("membership", "account", "api_key")


class Migration(migrations.Migration):
    replaces = [
        ("workspaces", "0007_watched_tables"),
    ]
    dependencies = [("audit", "0002_functions"), ("workspaces", "0002_tenancy")]

    operations = [migrations.RunSQL(watching(table), not_watching(table)) for table in TABLES]
