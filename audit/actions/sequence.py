"""Number and link what was recorded: one sequencer, one transaction a batch, nothing skipped.

The queue is a table of pending events, never a cursor over ids: a transaction that took a low id
and committed late is simply numbered later. The head of each chain moves by compare-and-set, so
that even a second sequencer could not fork it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg

from audit.actions.append import append_event
from audit.rules import hashes
from audit.rules.canonical import stamp
from audit.rules.clock import Reading, step_back_since, step_between
from audit.rules.epochs import Epoch, Head, is_due, next_epoch, read_epoch
from audit.rules.events import Actor, Happening, Obj
from audit.rules.operations import is_privileged

BATCH = 500
SYSTEM = Actor("system", "sequencer")
_LOCK = "hashtextextended('audit_sequencer', 0)"

Connection = psycopg.Connection[Any]


class AlreadyRunning(RuntimeError):
    """Another sequencer holds the lock."""


class HeadMoved(RuntimeError):
    """A chain's head moved although we hold the lock: nothing may be written on top of that."""


@dataclass(frozen=True)
class Step:
    """What one step did. `is_full` says that there is probably more to do at once."""

    entry_count: int
    epoch: Epoch | None
    is_full: bool


@dataclass(frozen=True)
class _Pending:
    event_id: int
    ws: UUID
    leaf: bytes
    op: str


@dataclass(frozen=True)
class _Numbered:
    """A row of audit_entry, in the order of its columns."""

    ws: UUID
    seq: int
    at: datetime
    prev: bytes
    hash: bytes
    event_id: int


def take_lock(connection: Connection) -> None:
    """Become the only sequencer for as long as the connection lives; raise AlreadyRunning."""
    found = connection.execute(f"SELECT pg_try_advisory_lock({_LOCK})").fetchone()
    if found != (True,):
        raise AlreadyRunning("Another audit sequencer is running; this one must not start.")


class Sequencer:
    """The holder of the lock. `connection` is in autocommit and belongs to nobody else.

    `secret` keys the nonces of heads; `epoch_seconds` is the period of epochs.
    """

    def __init__(self, connection: Connection, *, secret: bytes, epoch_seconds: float) -> None:
        take_lock(connection)
        connection.execute("SELECT set_config('app.workspace_uuid', '*', false)")
        self._connection = connection
        self._secret = secret
        self._epoch_seconds = epoch_seconds
        self._last_epoch = _last_epoch(connection)
        self._last_at = _last_at(connection, self._last_epoch)
        # When the last epoch was fixed, or this began, by the clock that only runs.
        self._fixed_at: float | None = None
        self._install: UUID | None = None
        self._reading: Reading | None = None

    def step(self, reading: Reading) -> Step:
        """Number what is pending and fix an epoch when one is due, in one transaction.

        Raises HeadMoved, or the database's error; then nothing was written.
        """
        self._tell(reading)
        at = max(reading.wall, self._last_at or reading.wall)
        try:
            with self._connection.transaction():
                pending = _pending(self._connection)
                _number(self._connection, pending, at)
                epoch = self._epoch(pending, at, reading)
        except psycopg.errors.UniqueViolation as fork:
            raise HeadMoved("A chain holds entries beyond its head.") from fork
        self._last_at = at if pending or epoch else self._last_at
        self._last_epoch = epoch or self._last_epoch
        if epoch or self._fixed_at is None:
            self._fixed_at = reading.steady
        return Step(len(pending), epoch, is_full=len(pending) == BATCH)

    def _epoch(self, pending: Sequence[_Pending], at: datetime, reading: Reading) -> Epoch | None:
        is_wanted = any(is_privileged(event.op) for event in pending)
        if not is_wanted and not self._is_due(at, reading):
            return None
        heads = _heads(self._connection)
        if not heads:
            return None
        epoch = next_epoch(self._last_epoch, at=stamp(at), secret=self._secret, heads=heads)
        _fix(self._connection, epoch, heads)
        return epoch

    def _is_due(self, at: datetime, reading: Reading) -> bool:
        """Say whether another period has begun. The log's time stands still while a clock that was
        put back is behind it: then a period is counted by the other clock.
        """
        if is_due(self._last_epoch, at, self._epoch_seconds):
            return True
        passed = reading.steady - (reading.steady if self._fixed_at is None else self._fixed_at)
        return at > reading.wall and passed >= self._epoch_seconds

    def _tell(self, reading: Reading) -> None:
        """Record our start, once there is a system chain, and every step of the clock."""
        if self._install is None:
            self._install = _install(self._connection)
            if self._install is None:
                return
            self._record("sequencer.start", reading)
            step = step_back_since(self._last_at, reading.wall)
        else:
            step = step_between(self._reading or reading, reading)
        self._reading = reading
        if step:
            self._record("clock.step", reading, step)

    def _record(self, op: str, reading: Reading, step: timedelta | None = None) -> None:
        assert self._install is not None
        diff = {"clock": (reading.wall - step, reading.wall)} if step else None
        happening = Happening(
            op=op,
            eid=uuid4(),
            workspace=self._install,
            actor=SYSTEM,
            obj=Obj("process", "sequencer"),
            at=reading.wall,
            diff=diff,
        )
        append_event(self._connection, happening)


def number_first(connection: Connection, now: datetime) -> int:
    """Number what a new installation holds, as its first sequencer would; return how many.

    Else the first entry of all would claim, in every bundle for ever, a time before its recording
    (T01): that of the set-up, however late somebody starts the sequencer. Under the sequencer's own
    lock; where it runs already this does nothing. The first epoch stays the sequencer's.
    """
    try:
        take_lock(connection)
    except AlreadyRunning:
        return 0
    connection.execute("SELECT set_config('app.workspace_uuid', '*', false)")
    with connection.transaction():
        pending = _pending(connection)
        last = _last_at(connection, _last_epoch(connection))
        _number(connection, pending, max(now, last or now))
    return len(pending)


def _install(connection: Connection) -> UUID | None:
    found = connection.execute("SELECT ws FROM audit_head WHERE slot = 0").fetchone()
    return found[0] if found else None


def _last_epoch(connection: Connection) -> Epoch | None:
    query = "SELECT body FROM audit_epoch ORDER BY epoch DESC LIMIT 1"
    found = connection.execute(query).fetchone()
    return read_epoch(found[0].encode()) if found else None


def _last_at(connection: Connection, epoch: Epoch | None) -> datetime | None:
    """Return the latest time in the log: time never goes back over all entries and epochs."""
    query = (
        "SELECT greatest(max(e.at), %s::timestamptz) FROM audit_head h"
        " JOIN audit_entry e ON e.ws = h.ws AND e.seq = h.seq"
    )
    found = connection.execute(query, [epoch.at if epoch else None]).fetchone()
    return found[0] if found else None


def _pending(connection: Connection) -> list[_Pending]:
    """Return the oldest events that wait, of chains that are open."""
    query = (
        "SELECT p.event_id, e.ws, e.leaf, e.op FROM audit_pending p"
        " JOIN audit_event e ON e.id = p.event_id JOIN audit_head h ON h.ws = e.ws"
        " ORDER BY p.event_id LIMIT %s"
    )
    return [_Pending(*row) for row in connection.execute(query, [BATCH])]


def _number(connection: Connection, pending: Sequence[_Pending], at: datetime) -> None:
    if not pending:
        return
    chains: dict[UUID, list[_Pending]] = defaultdict(list)
    for event in pending:
        chains[event.ws].append(event)
    query = "SELECT slot, ws, seq, hash FROM audit_head WHERE ws = ANY(%s)"
    before = [Head(*row) for row in connection.execute(query, [list(chains)])]
    numbered = {head.ws: _link(head, chains[head.ws], at) for head in before}
    _insert(connection, [row for rows in numbered.values() for row in rows])
    _move(connection, before, [rows[-1] for rows in numbered.values()])
    connection.execute(
        "DELETE FROM audit_pending WHERE event_id = ANY(%s)",
        [[event.event_id for event in pending]],
    )


def _link(head: Head, pending: Sequence[_Pending], at: datetime) -> list[_Numbered]:
    """Return the entries that continue a chain with these events, all of this moment."""
    rows = []
    prev, moment = head.hash, stamp(at)
    for seq, event in enumerate(pending, start=head.seq + 1):
        found = hashes.entry_hash(head.ws, seq, moment, prev, event.leaf)
        rows.append(_Numbered(head.ws, seq, at, prev, found, event.event_id))
        prev = found
    return rows


def _insert(connection: Connection, numbered: Sequence[_Numbered]) -> None:
    connection.execute(
        "INSERT INTO audit_entry (ws, seq, at, prev, hash, event_id) SELECT * FROM unnest("
        "%s::uuid[], %s::bigint[], %s::timestamptz[], %s::bytea[], %s::bytea[], %s::bigint[])",
        [
            [row.ws for row in numbered],
            [row.seq for row in numbered],
            [row.at for row in numbered],
            [row.prev for row in numbered],
            [row.hash for row in numbered],
            [row.event_id for row in numbered],
        ],
    )


def _move(connection: Connection, before: Sequence[Head], last: Sequence[_Numbered]) -> None:
    moved = connection.execute(
        "UPDATE audit_head h SET seq = n.seq, hash = n.hash FROM unnest(%s::uuid[], %s::bigint[],"
        " %s::bytea[], %s::bigint[], %s::bytea[]) AS n (ws, old_seq, old_hash, seq, hash)"
        " WHERE h.ws = n.ws AND h.seq = n.old_seq AND h.hash = n.old_hash",
        [
            [head.ws for head in before],
            [head.seq for head in before],
            [head.hash for head in before],
            [row.seq for row in last],
            [row.hash for row in last],
        ],
    )
    if moved.rowcount != len(before):
        raise HeadMoved("The head of a chain moved under the sequencer's lock.")


def _heads(connection: Connection) -> list[Head]:
    query = "SELECT slot, ws, seq, hash FROM audit_head ORDER BY slot"
    return [Head(*row) for row in connection.execute(query)]


def _fix(connection: Connection, epoch: Epoch, heads: Sequence[Head]) -> None:
    """Store the epoch's line, and the lengths of the chains that grew or began since the last."""
    connection.execute(
        "INSERT INTO audit_epoch (epoch, body) VALUES (%s, %s)",
        [epoch.number, epoch.line().decode()],
    )
    connection.execute(
        "INSERT INTO audit_epoch_change (epoch, slot, seq) SELECT %s, n.slot, n.seq"
        " FROM unnest(%s::int[], %s::bigint[]) AS n (slot, seq)"
        " WHERE n.seq IS DISTINCT FROM (SELECT c.seq FROM audit_epoch_change c"
        " WHERE c.slot = n.slot ORDER BY c.epoch DESC LIMIT 1)",
        [epoch.number, [head.slot for head in heads], [head.seq for head in heads]],
    )
