"""Connections, routes and their grants that change around the verbs record themselves."""

from django.db import migrations

from audit.rules.watched import not_watching, watching

TABLES = ("connection", "route", "route_connection", "route_range", "route_grant")


class Migration(migrations.Migration):
    replaces = [
        ("smpp_client", "0005_watched_tables"),
    ]
    dependencies = [("audit", "0002_functions"), ("smpp_client", "0001_tables")]

    operations = [migrations.RunSQL(watching(table), not_watching(table)) for table in TABLES]
