"""Values are erased and entries removed only with an entry of the same transaction that says so."""

from pathlib import Path

from django.db import migrations

UNDO = """
DROP TRIGGER audit_no_truncate ON audit_private.audit_disclosure;
DROP FUNCTION audit_only_erased() CASCADE;
DROP FUNCTION audit_only_pruned() CASCADE;
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_refuse();
ALTER TABLE audit_event ENABLE ALWAYS TRIGGER audit_no_change;
DROP FUNCTION audit_prune(uuid, uuid);
DROP TABLE audit_pruned;
DROP FUNCTION audit_kept(uuid, uuid);
DROP FUNCTION audit_erase(uuid, uuid);
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0005_watch_changes_around_the_verbs")]

    operations = [
        migrations.RunSQL(
            Path(__file__).with_name("0006_erase_and_prune.sql").read_text(encoding="utf-8"), UNDO
        )
    ]
