"""What a bundle's report tells of its entries: counts, approvals, erasures, gaps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.queries.chains import Connection
from audit.rules.bundle import Span
from audit.rules.canonical import decode_event
from audit.rules.events import Actor, Obj

MOST_STEPS = 5_000
MOST_SHOWN = 1_000
# What happens to a sender name or a campaign on its way to subscribers and after.
OF_APPROVALS = (
    *("sender.create", "sender.propose", "sender.submit", "sender.approve", "sender.return"),
    *("sender.reject", "sender.withdraw", "sender.archive", "sender.restore"),
    *("campaign.create", "campaign.build", "campaign.freeze", "campaign.submit"),
    *("campaign.withdraw", "campaign.approve", "campaign.return", "campaign.reject"),
    *("campaign.schedule", "campaign.start", "campaign.cancel", "campaign.complete"),
)
OF_ERASURES = ("pd.erase",)
OF_GAPS = ("gap.declared", "clock.step", "fallback.ingested", "retention.prune")

_COUNTS = (
    "SELECT v.op, v.result, count(*) FROM audit_entry e JOIN audit_event v ON v.id = e.event_id"
    " WHERE e.ws = %s AND e.seq BETWEEN %s AND %s GROUP BY v.op, v.result ORDER BY v.op, v.result"
)
_STEPS = (
    "SELECT e.seq, e.at, v.body FROM audit_event v JOIN audit_entry e ON e.event_id = v.id"
    " AND e.ws = v.ws WHERE v.ws = %s AND v.op = ANY (%s) AND e.seq BETWEEN %s AND %s"
    " ORDER BY v.id DESC LIMIT %s"
)
_SHOWN = (
    "SELECT e.seq, e.at, v.body FROM audit_entry e JOIN audit_event v ON v.id = e.event_id"
    " WHERE e.ws = %s AND e.seq BETWEEN %s AND %s ORDER BY e.seq DESC LIMIT %s"
)


@dataclass(frozen=True)
class Count:
    """How often an operation stands in the bundle, and with which result."""

    op: str
    result: str
    count: int


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


def counts(connection: Connection, span: Span) -> list[Count]:
    """Return the counts per operation and result."""
    wanted = [span.chain.ws, span.first_seq, span.last_seq]
    return [Count(*row) for row in connection.execute(_COUNTS, wanted)]


def steps(connection: Connection, span: Span, ops: Sequence[str]) -> list[Step]:
    """Return the newest entries of some operations, oldest first; MOST_STEPS at most."""
    wanted = [span.chain.ws, list(ops), span.first_seq, span.last_seq, MOST_STEPS]
    return [_step(*row) for row in reversed(connection.execute(_STEPS, wanted).fetchall())]


def newest(connection: Connection, span: Span) -> list[Step]:
    """Return the newest entries, oldest first; MOST_SHOWN at most."""
    wanted = [span.chain.ws, span.first_seq, span.last_seq, MOST_SHOWN]
    return [_step(*row) for row in reversed(connection.execute(_SHOWN, wanted).fetchall())]


def _step(seq: int, at: datetime, body: str) -> Step:
    said = decode_event(body.encode())
    actor, obj = said.get("act", {}), said.get("obj", {})
    erased = said.get("erased")
    return Step(
        seq=seq,
        at=at,
        op=said["op"],
        result=said.get("res", "ok"),
        actor=Actor(actor.get("kind", "system"), actor.get("id", ""), actor.get("sid", "")),
        obj=Obj(obj.get("type", ""), obj.get("id", "")),
        why=said.get("why", ""),
        diff=said.get("diff", {}),
        erased=erased if isinstance(erased, list) else (),
    )
