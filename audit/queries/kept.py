"""Which personal values of an entry are still kept. Nobody reads the values themselves here."""

from uuid import UUID

from django.db import connection


def kept(workspace: UUID, eid: UUID) -> list[str]:
    """Return the names of an entry's values that were not erased, in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_kept(%s, %s)", [workspace, eid])
        return sorted(name for (name,) in cursor.fetchall())
