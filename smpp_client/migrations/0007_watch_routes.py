"""Routes and their grants that change around the verbs record themselves."""

from django.db import migrations

from audit.rules.watched import not_watching, watching

TABLES = ("route", "route_connection", "route_range", "route_grant")


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0009_watch_only_decisions"),
        ("smpp_client", "0006_changes_by_two_people"),
    ]

    operations = [migrations.RunSQL(watching(table), not_watching(table)) for table in TABLES]
