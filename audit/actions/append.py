"""The one call by which an event enters the log, for Django's cursors and plain psycopg alike."""

from collections.abc import Sequence
from typing import Any, Protocol

from audit.rules.events import Happening, event_bytes
from audit.rules.hashes import leaf_hash


class Executes(Protocol):
    """A cursor or a connection."""

    def execute(self, query: Any, params: Sequence[Any], /) -> Any:
        """Run one statement."""


def append_event(cursor: Executes, happening: Happening) -> None:
    """Append within the caller's transaction; raise NotCanonical, or the database's error."""
    body = event_bytes(happening)
    cursor.execute(
        "SELECT audit_append(%s, %s, %s, %s)",
        [happening.workspace, happening.eid, leaf_hash(body), body.decode()],
    )
