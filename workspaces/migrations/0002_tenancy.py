"""Rows of a workspace are seen only by a connection that is set to it."""

from django.db import migrations

from workspaces.rules.tenancy import no_row_level_security, row_level_security

TABLES = (
    "membership",
    "invitation",
    "join_request",
    "visit",
    "api_key",
    "idempotent_request",
)


class Migration(migrations.Migration):
    replaces = [
        ("workspaces", "0002_row_level_security"),
    ]
    dependencies = [("workspaces", "0001_tables")]

    operations = [
        migrations.RunSQL(row_level_security(table), no_row_level_security(table))
        for table in TABLES
    ]
