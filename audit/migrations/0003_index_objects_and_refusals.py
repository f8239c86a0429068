"""Find an object by its id alone, and refused attempts without reading the whole chain."""

from django.db import migrations

INDEXES = """
DROP INDEX audit_event_by_object;
CREATE INDEX audit_event_by_object ON audit_event (ws, obj_id, obj_type, id);
CREATE INDEX audit_event_not_ok ON audit_event (ws, result, id) WHERE result <> 'ok';
"""

NO_INDEXES = """
DROP INDEX audit_event_not_ok;
DROP INDEX audit_event_by_object;
CREATE INDEX audit_event_by_object ON audit_event (ws, obj_type, obj_id, id);
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_functions_guards_and_scope")]

    operations = [migrations.RunSQL(INDEXES, NO_INDEXES)]
