"""What a bundle's report tells of its entries: approvals, erasures, gaps, the newest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from audit.queries.chains import Connection
from audit.rules.bundle import Span
from audit.rules.canonical import decode_event
from audit.rules.events import Actor, Obj
from audit.rules.operations import OPERATIONS, OUTSIDE

MOST_STEPS = 5_000
MOST_SHOWN = 1_000
# What happens to a sender name or a campaign on its way to subscribers and after.
OF_APPROVALS = (
    *("sender.create", "sender.propose", "sender.submit", "sender.approve", "sender.return"),
    *("sender.reject", "sender.withdraw", "sender.archive", "sender.restore"),
    *("campaign.create", "campaign.build", "campaign.freeze", "campaign.submit"),
    *("campaign.withdraw", "campaign.approve", "campaign.return", "campaign.reject"),
    *("campaign.schedule", "campaign.start", "campaign.cancel", "campaign.complete"),
    # What somebody with the database changed in either, around every verb.
    *("sender.changed_outside", "approval.changed_outside"),
)
OF_ERASURES = ("pd.erase", "number.erase", "replies.erase", "messages.prune")
OF_GAPS = ("gap.declared", "clock.step", "fallback.ingested", "retention.prune")
# These stand in the system's chain alone and concern every reader.
OF_SYSTEM = (
    *OF_GAPS,
    *("fallback.wrote", "restore.confirm", "anchor.late", "anchor.refused", "checkpoint.late"),
    *("log_key.publish", "log_key.rotate", "log_key.lost", "audit.verify"),
)
OF_OUTSIDE = tuple(sorted(op for op in OPERATIONS if op.endswith(OUTSIDE)))
# The end of an object's id where an entry is about many rows.
MANY = "_many"
# A whole table that was emptied is no single workspace's.
OF_SYSTEM_OUTSIDE = ("sender.changed_outside", "approval.changed_outside")

_STEPS = (
    "SELECT e.seq, e.at, v.body FROM audit_event v JOIN audit_entry e ON e.event_id = v.id"
    " AND e.ws = v.ws WHERE v.ws = %s AND v.op = ANY (%s) AND e.seq BETWEEN %s AND %s"
    " ORDER BY v.id DESC LIMIT %s"
)
_FIXED_BEFORE = "SELECT max(seq) FROM audit_epoch_change WHERE slot = 0 AND epoch <= %s"
_SHOWN = (
    "SELECT e.seq, e.at, v.body FROM audit_entry e JOIN audit_event v ON v.id = e.event_id"
    " WHERE e.ws = %s AND e.seq BETWEEN %s AND %s ORDER BY e.seq DESC LIMIT %s"
)


@dataclass(frozen=True)
class Step:
    """An entry as the report tells it."""

    seq: int
    at: datetime
    op: str
    result: str
    actor: Actor
    obj: Obj
    why: str
    diff: Mapping[str, Sequence[Any]]
    erased: Sequence[Mapping[str, Any]] = ()
    is_of_system: bool = False


def steps(connection: Connection, span: Span, ops: Sequence[str]) -> list[Step]:
    """Return the newest entries of some operations, oldest first; MOST_STEPS at most."""
    wanted = [span.chain.ws, list(ops), span.first_seq, span.last_seq, MOST_STEPS]
    return [_step(*row) for row in reversed(connection.execute(_STEPS, wanted).fetchall())]


def system_steps(
    connection: Connection, span: Span, last_seq: int, ops: Sequence[str]
) -> list[Step]:
    """Return the same of the system's chain, up to its entry `last_seq`.

    A bundle that begins later tells what the epochs after its start fixed, one from the beginning
    all of it.
    """
    is_later = span.first_seq > 1
    found = connection.execute(_FIXED_BEFORE, [span.start_epoch]).fetchone() if is_later else None
    first = found[0] + 1 if found and found[0] else 1
    wanted = [span.chain.install, list(ops), first, last_seq, MOST_STEPS]
    rows = reversed(connection.execute(_STEPS, wanted).fetchall())
    return [replace(_step(*row), is_of_system=True) for row in rows]


def newest(connection: Connection, span: Span) -> list[Step]:
    """Return the newest entries, oldest first; MOST_SHOWN at most."""
    wanted = [span.chain.ws, span.first_seq, span.last_seq, MOST_SHOWN]
    return [_step(*row) for row in reversed(connection.execute(_SHOWN, wanted).fetchall())]


def _step(seq: int, at: datetime, body: str) -> Step:
    said = decode_event(body.encode())
    actor, obj, diff = (_part(said, name) for name in ("act", "obj", "diff"))
    erased = said.get("erased")
    return Step(
        seq=seq,
        at=at,
        op=said["op"],
        result=said.get("res", "ok"),
        actor=Actor(actor.get("kind", "system"), actor.get("id", ""), actor.get("sid", "")),
        obj=Obj(obj.get("type", ""), obj.get("id", "")),
        why=said.get("why") or "",
        diff=diff,
        erased=erased if isinstance(erased, list) else (),
    )


def _part(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a part of an event, empty where another hand wrote something else in its place."""
    part = said.get(name)
    return part if isinstance(part, dict) else {}
