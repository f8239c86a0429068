"""The rows of the log as they are stored, for those who recompute them. Plain psycopg, any role.

The connection must be set to see every workspace (`see_everything`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from audit.rules.chain import Entry

ROWS_AT_ONCE = 2_000

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class StoredHead:
    """A row of audit_head; `created` is when the chain was opened."""

    slot: int
    ws: UUID
    seq: int
    hash: bytes
    created: datetime


@dataclass(frozen=True)
class StoredEpoch:
    """A row of audit_epoch; `body` is the line, `note` its signed checkpoint when there is one."""

    number: int
    body: str
    note: str | None


def see_everything(connection: Connection) -> None:
    """Let this connection see the entries of every workspace, until it is closed."""
    connection.execute("SELECT set_config('app.workspace_uuid', '*', false)")


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """Read everything inside as it was at one moment."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def heads(connection: Connection) -> list[StoredHead]:
    """Return the heads of all chains in slot order."""
    query = "SELECT slot, ws, seq, hash, created FROM audit_head ORDER BY slot"
    return [StoredHead(*row) for row in connection.execute(query)]


def entries(
    connection: Connection, ws: UUID, *, after: int, until: int | None = None
) -> Iterator[Entry]:
    """Yield the entries of a chain from `after` (exclusive) to `until` (inclusive), in order.

    An entry whose event was removed after its term has its leaf and no body; one whose event is
    gone has neither.
    """
    query = (
        "SELECT e.seq, e.at, e.prev, e.hash, coalesce(v.leaf, p.leaf, ''), coalesce(v.body, '')"
        " FROM audit_entry e LEFT JOIN audit_event v ON v.id = e.event_id"
        " LEFT JOIN audit_pruned p ON p.event_id = e.event_id"
        " WHERE e.ws = %s AND e.seq > %s AND e.seq <= %s ORDER BY e.seq LIMIT %s"
    )
    last = until if until is not None else 2**62
    while rows := connection.execute(query, [ws, after, last, ROWS_AT_ONCE]).fetchall():
        for row in rows:
            yield Entry(*row)
        after = rows[-1][0]


def epochs(connection: Connection, *, first: int = 0) -> Iterator[StoredEpoch]:
    """Yield the epochs from number `first` on, in order."""
    query = "SELECT epoch, body, note FROM audit_epoch WHERE epoch >= %s ORDER BY epoch LIMIT %s"
    while rows := connection.execute(query, [first, ROWS_AT_ONCE]).fetchall():
        for row in rows:
            yield StoredEpoch(*row)
        first = rows[-1][0] + 1


def changes(connection: Connection, epoch: int) -> list[tuple[int, int]]:
    """Return (slot, length) of the chains that an epoch found longer or new."""
    query = "SELECT slot, seq FROM audit_epoch_change WHERE epoch = %s ORDER BY slot"
    return connection.execute(query, [epoch]).fetchall()


def lengths(connection: Connection, slot: int) -> list[tuple[int, int]]:
    """Return (epoch, length) of the epochs in which a chain was new or longer."""
    query = "SELECT epoch, seq FROM audit_epoch_change WHERE slot = %s ORDER BY epoch"
    return connection.execute(query, [slot]).fetchall()
