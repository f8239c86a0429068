"""Which personal values of an entry are still kept. Nobody reads the values themselves here."""

from uuid import UUID

from django.db import connection

from audit.rules.events import Erased


def kept(workspace: UUID, eid: UUID) -> list[str]:
    """Return the names of an entry's values that were not erased, in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_kept(%s, %s)", [workspace, eid])
        return sorted(name for (name,) in cursor.fetchall())


def holding(workspace: UUID, value: str) -> list[Erased]:
    """Return which numbered entries of a chain keep this value, and as which field, in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq, field FROM audit_holding(%s, %s)", [workspace, value])
        return [Erased(seq, field) for seq, field in cursor.fetchall()]
