"""The one byte form of an audit event: RFC 8785, narrowed so that `json.dumps` writes exactly it.

Keys are `[a-z][a-z0-9_.]{0,63}`; values are text, integers below 2**53, true, false, null, lists
and objects; at most eight containers surround a value; no floats, no U+0000, no lone surrogates;
at most 64 KB.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn, TypeAlias
from uuid import UUID

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"

MAX_BYTES = 65_536
MAX_DEPTH = 8
MAX_INTEGER = 2**53 - 1
KEY = re.compile(r"[a-z][a-z0-9_.]{0,63}")
STAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
OPERATION = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
REQUIRED = ("v", "ws", "eid", "t", "op")


class NotCanonical(ValueError):
    """A value that has no canonical form, with a sentence that says why."""


class TooLong(NotCanonical):
    """More than 64 KB: the one fault that shorter texts mend."""


def stamp(moment: datetime) -> str:
    """Write an aware moment as `YYYY-MM-DDThh:mm:ss.ffffffZ`; raise NotCanonical without a zone."""
    if moment.tzinfo is None:
        raise NotCanonical("A moment needs a time zone.")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def read_stamp(text: str) -> datetime:
    """Read what `stamp` wrote; raise NotCanonical for any other form or an impossible date."""
    if not STAMP.fullmatch(text):
        raise NotCanonical(f"{text!r} is not a time with six decimals and Z.")
    try:
        return datetime.fromisoformat(text)
    except ValueError as impossible:
        raise NotCanonical(f"{text!r} is not a time that exists.") from impossible


def encode(value: Json) -> bytes:
    """Return the canonical bytes of a value; raise NotCanonical when it has none."""
    _check(value, depth=0)
    try:
        text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        data = text.encode()
    except UnicodeEncodeError as lone:
        raise NotCanonical("Text holds half of a surrogate pair.") from lone
    if len(data) > MAX_BYTES:
        raise TooLong(f"{len(data)} bytes are more than {MAX_BYTES}.")
    return data


def encode_event(event: Mapping[str, Json]) -> bytes:
    """Return the canonical bytes of an event with all its required keys; raise NotCanonical."""
    _check_event(event)
    return encode(event)


def decode(data: bytes) -> Json:
    """Read canonical bytes; raise NotCanonical unless they are the one form of what they say."""
    try:
        value: Json = json.loads(
            data.decode(), object_pairs_hook=_pairs, parse_float=_no_float, parse_constant=_no_float
        )
    except NotCanonical:
        raise
    except (ValueError, RecursionError) as broken:
        raise NotCanonical(f"Not JSON in UTF-8: {broken}") from broken
    if encode(value) != data:
        raise NotCanonical("The same value has another canonical form.")
    return value


def decode_event(data: bytes) -> dict[str, Any]:
    """Read the bytes of an event and check its required keys; raise NotCanonical."""
    event = decode(data)
    if not isinstance(event, dict):
        raise NotCanonical("An event is an object.")
    _check_event(event)
    return event


def _check_event(event: Mapping[str, Json]) -> None:
    missing = [key for key in REQUIRED if key not in event]
    if missing:
        raise NotCanonical(f"An event needs {', '.join(missing)}.")
    if event["v"] != 1 or isinstance(event["v"], bool):
        raise NotCanonical("Events of this version say v = 1.")
    _check_uuid(event["ws"], version=None)
    _check_uuid(event["eid"], version=4)
    read_stamp(str(event["t"]))
    if not OPERATION.fullmatch(str(event["op"])):
        raise NotCanonical(f"{event['op']!r} is not a dotted operation.")


def _check_uuid(value: Json, *, version: int | None) -> None:
    try:
        parsed = UUID(str(value))
    except ValueError as broken:
        raise NotCanonical(f"{value!r} is not a UUID.") from broken
    if str(parsed) != value or (version and parsed.version != version):
        raise NotCanonical(f"{value!r} is not a lower-case UUID of the version needed.")


def _check(value: Json, *, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise NotCanonical(f"More than {MAX_DEPTH} containers surround a value.")
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_key(key)
            _check(inner, depth=depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner, depth=depth + 1)
    else:
        _check_plain(value)


def _check_key(key: object) -> None:
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise NotCanonical(f"{key!r} is not a key: a-z, then a-z, 0-9, _ and dots.")


def _check_plain(value: object) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise NotCanonical("Text holds U+0000.")
    elif isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise NotCanonical(f"{value} is not below 2**53; write it as text.")
    elif value is not None:
        raise NotCanonical(f"{type(value).__name__} has no canonical form; write it as text.")


def _pairs(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise NotCanonical("A key stands twice in one object.")
    return value


def _no_float(text: str) -> NoReturn:
    raise NotCanonical(f"{text} is a float; write it as text.")
