"""What the critical tables call when they change: a change that no verb recorded records itself.

Each app puts the triggers on its own tables (rules/watched.py).
"""

from pathlib import Path

from django.db import migrations

UNDO = """
DROP TABLE audit_outside;
DROP FUNCTION audit_outside_at_commit();
DROP FUNCTION audit_watch();
DROP FUNCTION audit_chain_of(bigint);
DROP FUNCTION audit_sides(jsonb, jsonb, text[]);
DROP FUNCTION audit_value(jsonb);
ALTER TABLE audit_pending DROP COLUMN xact;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_anchors_and_log_keys")]

    operations = [
        migrations.RunSQL(
            Path(__file__)
            .with_name("0005_watch_changes_around_the_verbs.sql")
            .read_text(encoding="utf-8"),
            UNDO,
        )
    ]
