"""A connection that changes around the verbs records itself."""

from django.db import migrations

from audit.rules.watched import not_watching, watching

TABLES = ("connection",)


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0005_watch_changes_around_the_verbs"),
        ("smpp_client", "0004_carriers_and_reports"),
    ]

    operations = [migrations.RunSQL(watching(table), not_watching(table)) for table in TABLES]
