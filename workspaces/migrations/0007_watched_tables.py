"""A membership that changes around the verbs records itself."""

from django.db import migrations

from audit.rules.watched import not_watching, watching

TABLES = ("membership",)


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0005_watch_changes_around_the_verbs"),
        ("workspaces", "0006_reply_days"),
    ]

    operations = [migrations.RunSQL(watching(table), not_watching(table)) for table in TABLES]
