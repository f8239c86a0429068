"""What an event says, and how any value of the product becomes part of it.

An event names actors and objects by opaque ids, never by names. Personal values enter it only as
commitments. A text that is too long is cut where everybody can see it: a long note must never
keep a person from acting.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Literal, NamedTuple, TypeAlias
from uuid import UUID

from audit.rules.canonical import (
    KEY,
    MAX_INTEGER,
    Json,
    NotCanonical,
    TooLong,
    encode_event,
    stamp,
)

ActorKind: TypeAlias = Literal["user", "system", "api"]
Result: TypeAlias = Literal["ok", "denied", "failed"]
Diff: TypeAlias = Mapping[str, tuple[object, object] | list[object]]

# Tried in this order until the event fits; the first is generous enough for any sentence.
TEXT_LIMITS = (4_000, 400, 40)
# Deeper values of a diff are written as text: the event's own objects and lists surround them too.
_DEEPEST = 5


@dataclass(frozen=True)
class Actor:
    """Who acted: a user, an API key or a part of the system, by opaque id."""

    kind: ActorKind
    id: str
    session_id: str = ""


@dataclass(frozen=True)
class Obj:
    """What was acted upon, by type (`campaign`) and opaque id."""

    type: str
    id: str


class Erased(NamedTuple):
    """A personal value of an earlier entry of the same chain."""

    seq: int
    field: str


@dataclass(frozen=True)
class Happening:
    """Everything an event says; `personal` holds commitments, field -> 64 hex digits.

    `erased` are the values that the act erases, which only `pd.erase` does.
    """

    op: str
    eid: UUID
    workspace: UUID
    actor: Actor
    obj: Obj
    at: datetime
    result: Result = "ok"
    diff: Diff | None = None
    personal: Mapping[str, str] | None = None
    why: str = ""
    request_id: str = ""
    erased: Sequence[Erased] = ()


def event_bytes(happening: Happening) -> bytes:
    """Return the canonical bytes, with texts cut as short as 64 KB demand.

    Raises NotCanonical for what no cutting mends: a field name, a time without a zone.
    """
    for limit in TEXT_LIMITS:
        try:
            return encode_event(_event(happening, diff=_diff(happening.diff, limit), limit=limit))
        except TooLong:
            continue
    count = len(happening.diff or {})
    dropped: dict[str, Json] = {"cut": [None, f"{count} changed fields were too many to keep"]}
    return encode_event(_event(happening, diff=dropped, limit=TEXT_LIMITS[-1]))


def plain_text(text: str, limit: int = TEXT_LIMITS[0]) -> str:
    """Return text in NFC without what cannot be stored, cut visibly after `limit` characters."""
    storable = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    normal = unicodedata.normalize("NFC", storable)
    if len(normal) <= limit:
        return normal
    return f"{normal[:limit]}… [{len(normal) - limit} more characters cut]"


def personal_text(value: str) -> str:
    """Return a personal value as it is committed to: NFC, on one line."""
    return " ".join(plain_text(value).splitlines())


def json_safe(value: object, limit: int = TEXT_LIMITS[0], *, depth: int = 0) -> Json:
    """Return any value of the product in canonical JSON; dates, decimals and floats become text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return json_safe(value.value, limit, depth=depth)
    if isinstance(value, int):
        return value if abs(value) <= MAX_INTEGER else str(value)
    if isinstance(value, Mapping | Set | list | tuple):
        return _container(value, limit, depth)
    return plain_text(_as_text(value), limit)


def _container(value: Iterable[object], limit: int, depth: int) -> Json:
    if depth >= _DEEPEST:
        return plain_text(str(value), limit)
    if not isinstance(value, Mapping):
        members = sorted(value, key=str) if isinstance(value, Set) else value
        return [json_safe(member, limit, depth=depth + 1) for member in members]
    if all(isinstance(key, str) and KEY.fullmatch(key) for key in value):
        return {key: json_safe(inner, limit, depth=depth + 1) for key, inner in value.items()}
    # Names that are data (a file's columns) cannot be keys; they become pairs.
    return _container([[str(key), inner] for key, inner in value.items()], limit, depth)


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return stamp(value) if value.tzinfo else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return str(value)


def _diff(diff: Diff | None, limit: int) -> dict[str, Json]:
    fields: dict[str, Json] = {}
    for field, change in (diff or {}).items():
        if not KEY.fullmatch(field):
            raise NotCanonical(f"{field!r} cannot name a changed field.")
        fields[field] = [json_safe(side, limit) for side in change]
    return fields


def _event(happening: Happening, *, diff: dict[str, Json], limit: int) -> dict[str, Json]:
    actor: dict[str, Json] = {"kind": happening.actor.kind, "id": plain_text(happening.actor.id)}
    if happening.actor.session_id:
        actor["sid"] = plain_text(happening.actor.session_id)
    optional: dict[str, Json] = {
        "diff": diff,
        "pd": dict(happening.personal or {}),
        "why": plain_text(happening.why, limit),
        "req": plain_text(happening.request_id, limit),
        "erased": [one._asdict() for one in happening.erased],
    }
    return {
        "v": 1,
        "ws": str(happening.workspace),
        "eid": str(happening.eid),
        "t": stamp(happening.at),
        "op": happening.op,
        "act": actor,
        "obj": {
            "type": plain_text(happening.obj.type, limit),
            "id": plain_text(happening.obj.id, limit),
        },
        "res": happening.result,
        **{key: value for key, value in optional.items() if value},
    }
