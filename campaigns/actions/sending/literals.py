"""Values by the hundred as PostgreSQL reads them: array literals, and arrays in its binary form
where reading the text would take it longer.

psycopg writes the same, one value at a time; these cost a tenth of that for each segment.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from struct import Struct

import psycopg
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format

_NEEDS_NO_QUOTES = re.compile(r"[0-9A-Za-z_.+:-]+(?:,[0-9A-Za-z_.+:-]+)*")
# Dimensions, whether there are nulls, the elements' type; of the one dimension its length and where
# it starts. Then each element behind its length.
_HEADER, _EMPTY = Struct("!iiiii"), Struct("!iii")
_LENGTH, _TIME = Struct("!i"), Struct("!iq")
_NULL = _LENGTH.pack(-1)
_BYTEA = psycopg.postgres.types["bytea"].oid
_TIMESTAMPTZ = psycopg.postgres.types["timestamptz"].oid
_SINCE_2000 = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp() * 1e6)
_ARRAY_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\0": None})


def numbers(values: Iterable[int]) -> str:
    """Return a literal of integer[]."""
    return f"{{{','.join(map(str, values))}}}"


def words(values: Sequence[str]) -> str:
    """Return a literal of text[]; a NUL, which no text can hold, is left out."""
    plain = ",".join(values)
    is_plain = plain.count(",") == len(values) - 1 and "NULL" not in plain.upper()
    if is_plain and _NEEDS_NO_QUOTES.fullmatch(plain):
        return f"{{{plain}}}"
    return "{" + ",".join(f'"{value.translate(_ARRAY_ESCAPES)}"' for value in values) + "}"


def octets(values: Sequence[bytes | None]) -> "OctetArray":
    """Return a bytea[] in binary."""
    length = _LENGTH.pack
    elements = [_NULL if value is None else length(len(value)) + value for value in values]
    return OctetArray(
        _header(_BYTEA, len(elements), has_null=_NULL in elements) + b"".join(elements)
    )


def truths(values: Iterable[bool]) -> str:
    """Return a literal of boolean[]."""
    return f"{{{','.join(['t' if value else 'f' for value in values])}}}"


def times(values: Sequence[datetime]) -> "TimeArray":
    """Return a timestamptz[] in binary; neighbours mostly are the same instant."""
    written: dict[datetime, bytes] = {}
    elements = [written.get(at) or _written(at, written) for at in values]
    return TimeArray(_header(_TIMESTAMPTZ, len(elements), has_null=False) + b"".join(elements))


class OctetArray(bytes):
    """What `octets` returns: psycopg hands it on as it is."""


class TimeArray(bytes):
    """What `times` returns: psycopg hands it on as it is."""


class _Ready(Dumper):
    format = Format.BINARY

    def dump(self, obj: bytes) -> Buffer:
        return obj


class _OctetArrayDumper(_Ready):
    oid = psycopg.postgres.types["bytea"].array_oid


class _TimeArrayDumper(_Ready):
    oid = psycopg.postgres.types["timestamptz"].array_oid


psycopg.adapters.register_dumper(OctetArray, _OctetArrayDumper)
psycopg.adapters.register_dumper(TimeArray, _TimeArrayDumper)


def _written(at: datetime, written: dict[datetime, bytes]) -> bytes:
    # A float holds the microseconds of this age exactly enough to be rounded to the right one.
    written[at] = element = _TIME.pack(8, round(at.timestamp() * 1e6) - _SINCE_2000)
    return element


def _header(element: int, count: int, *, has_null: bool) -> bytes:
    return _HEADER.pack(1, has_null, element, count, 1) if count else _EMPTY.pack(0, 0, element)
