"""What the log's pages show of one workspace, newest first.

Every question names its workspace and also runs within its scope: row-level security is the net.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from audit.models import Entry, Event, Pending
from audit.rules.canonical import decode_event, read_stamp
from audit.rules.events import Actor, Obj
from audit.rules.operations import OPERATIONS, OUTSIDE

PAGE = 50
MOST_OF_OBJECT = 500


@dataclass(frozen=True)
class Row:
    """An entry, or an event that waits for its number (then `seq`, `hash` and `prev` are None).

    `at` is when it was numbered, or stored while it waits; `claimed_at` what the application said.
    """

    eid: UUID
    seq: int | None
    at: datetime
    claimed_at: datetime
    op: str
    result: str
    actor: Actor
    obj: Obj
    diff: Mapping[str, Sequence[Any]]
    personal: Sequence[str]
    why: str
    request_id: str
    leaf: str
    body: str
    hash: str | None = None
    prev: str | None = None


@dataclass(frozen=True)
class Filter:
    """What a reader looks for; empty values ask for everything.

    `op` is the beginning of published operations (`campaign.`), `ids` are actors or objects,
    `since` is inclusive and `until` exclusive, by the time of numbering. `is_outside` asks for what
    came around the verbs only.
    """

    op: str = ""
    actor: str = ""
    ids: Sequence[str] = ()
    result: str = ""
    since: datetime | None = None
    until: datetime | None = None
    is_outside: bool = False


@dataclass(frozen=True)
class Page:
    """Some rows, and the number to ask for older ones with; None at the end."""

    rows: Sequence[Row] = field(default_factory=list)
    before: int | None = None


def page(
    workspace: UUID,
    *,
    before: int | None = None,
    limit: int = PAGE,
    wanted: Filter | None = None,
) -> Page:
    """Return the newest entries below number `before`; what waits for a number comes first."""
    chosen = wanted or Filter()
    entries = _chosen(Entry.objects.filter(ws=workspace), workspace, chosen, prefix="event__")
    bounds = {"seq__lt": before, "at__gte": chosen.since, "at__lt": chosen.until}
    entries = entries.filter(**{name: value for name, value in bounds.items() if value is not None})
    found = list(entries.select_related("event").order_by("-seq")[: limit + 1])
    waiting = _waiting(workspace, chosen, limit) if before is None else []
    rows = [*waiting, *(_row(entry.event, entry) for entry in found[:limit])]
    return Page(rows, found[limit - 1].seq if len(found) > limit else None)


def of_object(workspace: UUID, obj: Obj, *, limit: int = MOST_OF_OBJECT) -> list[Row]:
    """Return what was done to one object, newest first."""
    events = Event.objects.filter(ws=workspace, obj_type=obj.type, obj_id=obj.id)
    found = events.select_related("entry").order_by("-pk")[:limit]
    return [_row(event, getattr(event, "entry", None)) for event in found]


def entry_of(workspace: UUID, eid: UUID) -> Row | None:
    """Return one entry of a workspace by its event's id."""
    event = Event.objects.filter(ws=workspace, eid=eid).select_related("entry").first()
    return _row(event, getattr(event, "entry", None)) if event else None


def _waiting(workspace: UUID, chosen: Filter, limit: int) -> list[Row]:
    """Return events that have no number yet: they will get the time of now or later."""
    if chosen.until is not None:
        return []
    queue = Pending.objects.values("event_id")
    events = Event.objects.filter(pk__in=queue)
    found = _chosen(events, workspace, chosen, prefix="").order_by("-pk")[:limit]
    return [_row(event, None) for event in found]


def _chosen(rows: QuerySet[Any], workspace: UUID, chosen: Filter, *, prefix: str) -> QuerySet[Any]:
    """Narrow events, or entries by their events (`prefix` leads there)."""
    tests = {
        # A list and no LIKE: behind row-level security only equality may use the index.
        "op__in": _operations(chosen),
        "actor_id": chosen.actor,
        "result": chosen.result,
    }
    rows = rows.filter(
        **{f"{prefix}ws": workspace},
        **{f"{prefix}{name}": value for name, value in tests.items() if value},
    )
    if (chosen.op or chosen.is_outside) and not tests["op__in"]:
        return rows.none()
    if chosen.ids:
        rows = rows.filter(
            Q(**{f"{prefix}actor_id__in": chosen.ids}) | Q(**{f"{prefix}obj_id__in": chosen.ids})
        )
    return rows


def _operations(chosen: Filter) -> list[str]:
    """Return the operations that a filter names; none where it names none."""
    if not chosen.op and not chosen.is_outside:
        return []
    ending = OUTSIDE if chosen.is_outside else ""
    return [op for op in OPERATIONS if op.startswith(chosen.op) and op.endswith(ending)]


def _row(event: Event, numbered: Entry | None) -> Row:
    said = decode_event(event.body.encode())
    actor, obj = said.get("act", {}), said.get("obj", {})
    return Row(
        eid=event.eid,
        seq=numbered.seq if numbered else None,
        at=numbered.at if numbered else event.created,
        claimed_at=read_stamp(said["t"]),
        op=said["op"],
        result=said.get("res", "ok"),
        actor=Actor(actor.get("kind", "system"), actor.get("id", ""), actor.get("sid", "")),
        obj=Obj(obj.get("type", ""), obj.get("id", "")),
        diff=said.get("diff", {}),
        personal=sorted(said.get("pd", {})),
        why=said.get("why", ""),
        request_id=said.get("req", ""),
        leaf=bytes(event.leaf).hex(),
        body=event.body,
        hash=bytes(numbered.hash).hex() if numbered else None,
        prev=bytes(numbered.prev).hex() if numbered else None,
    )
