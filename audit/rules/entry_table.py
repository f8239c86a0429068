"""The entries as a table for spreadsheets, and counted.

Both are made of the very lines that were recomputed, so that they can tell nothing else.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from audit.rules.cells import csv_lines, harmless
from audit.rules.chain import Broken

HEADS = (
    *("entry", "recorded", "claimed", "who", "operation", "result"),
    *("about", "about id", "reason", "request", "hash"),
)
_NUMBER = re.compile(rb'"seq":([0-9]+),"ws":"[^"]*"}\s*$')
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True)
class Count:
    """How often an operation stands in the bundle, and with which result."""

    op: str
    result: str
    count: int


class _Actor(msgspec.Struct, frozen=True, gc=False):
    id: str = ""


class _Object(msgspec.Struct, frozen=True, gc=False):
    type: str = ""
    id: str = ""


class _Event(msgspec.Struct, frozen=True, gc=False):
    op: str
    t: str
    act: _Actor = _Actor()
    obj: _Object = _Object()
    res: str = "ok"
    why: str = ""
    req: str = ""


class _Entry(msgspec.Struct, frozen=True, gc=False):
    seq: int
    at: str
    hash: str
    ev: _Event | None = None


class EntryTable:
    """Turns lines of entries.jsonl into lines of a table, and counts them on the way."""

    def __init__(self) -> None:
        self._found: Counter[tuple[str, str]] = Counter()

    @property
    def counts(self) -> list[Count]:
        """Return what was counted so far, in order of operation and result."""
        return [Count(*key, count) for key, count in sorted(self._found.items())]

    def rows(self, lines: Iterable[bytes]) -> Iterator[str]:
        """Yield a row for each entry that shows its event; raise Broken for one that nobody can
        read.
        """
        read = msgspec.json.Decoder(_Entry).decode
        for line in lines:
            try:
                entry = read(line)
            except _UNREADABLE:
                entry = _odd(line)
            event = entry.ev
            if event is None:
                continue
            self._found[event.op, event.res] += 1
            # Each cell between quotes: to look whether one needs them costs more.
            yield (
                f'{entry.seq},{entry.at},"{_cell(event.t)}","{_cell(event.act.id)}",'
                f'"{_cell(event.op)}","{_cell(event.res)}","{_cell(event.obj.type)}",'
                f'"{_cell(event.obj.id)}","{_cell(event.why)}","{_cell(event.req)}",{entry.hash}\r\n'
            )


def _odd(line: bytes) -> _Entry:
    """Read an entry whose event has parts of other kinds than ours: they are told as JSON."""
    try:
        entry = msgspec.json.decode(line)
    except _UNREADABLE as fault:
        found = _NUMBER.search(line)
        number = found[1].decode() if found else "of the bundle"
        raise Broken("C07", f"Entry {number} cannot be read: {fault}") from fault
    event = entry["ev"]
    actor, about = event.get("act"), event.get("obj")
    return _Entry(
        entry["seq"],
        entry["at"],
        entry["hash"],
        _Event(
            op=_said(event, "op"),
            t=_said(event, "t"),
            act=_Actor(_said(actor, "id")),
            obj=_Object(_said(about, "type"), _said(about, "id")),
            res=_said(event, "res"),
            why=_said(event, "why"),
            req=_said(event, "req"),
        ),
    )


def _said(part: object, name: str) -> str:
    value: Any = part.get(name) if isinstance(part, dict) else None
    if value is None:
        return "ok" if name == "res" else ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def heading() -> str:
    """Return what a table begins with: the mark of UTF-8 and the titles."""
    return "".join(csv_lines(HEADS, ()))


def _cell(text: str) -> str:
    # What begins with a letter or a digit is no formula, which spares most cells the closer look.
    safe = text if text[:1].isalnum() else harmless(text)
    return safe.replace('"', '""')
