"""A folder of fallback files, and what tests write into it and read from it."""

import contextlib
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from audit.actions.fallback import Fallback
from audit.queries.fallback import State, look
from audit.rules.canonical import decode_event
from audit.rules.events import Actor, Happening, Obj
from audit.rules.fallback import Identity, Line, NotRecorded, Personal, Place, Reading
from audit.rules.hashes import commitment
from tests.audit.make import INSTALL, MARKETING, NOW, happening

AFTER = "ab" * 32
CAP = 10_000_000
SALT = bytes(32)
ADDRESS = "192.0.2.7"


def folder_at(path: Path, *, cap: int = CAP, install: UUID = INSTALL) -> Fallback:
    """A folder that knows the installation."""
    folder = Fallback(path, max_bytes=cap, host="web-1")
    folder.remember(Identity(install, AFTER))
    return folder


def denied(ws: UUID = MARKETING, at: datetime = NOW, **changes: Any) -> Happening:
    """A refused attempt."""
    return happening(ws, "access.denied", result="denied", at=at, **changes)


def sign_in_failure() -> tuple[Happening, dict[str, Personal]]:
    """A failed sign-in, which commits to an address."""
    failure = happening(
        INSTALL,
        "user.sign_in_failed",
        actor=Actor("system", "sign_in"),
        obj=Obj("user", "unknown"),
        result="failed",
        personal={"address": commitment(SALT, "address", ADDRESS)},
    )
    return failure, {"address": Personal(SALT, ADDRESS)}


def write(folder: Fallback, count: int = 1, ws: UUID = MARKETING) -> list[Happening]:
    """Write refused attempts and return them."""
    made = [denied(ws) for _ in range(count)]
    for one in made:
        folder.append(one, {})
    return made


def write_until_refused(folder: Fallback) -> tuple[list[Happening], NotRecorded]:
    """Write until a line is refused; return what was kept, and the refusal."""
    made: list[Happening] = []
    while True:
        try:
            made += write(folder)
        except NotRecorded as refused:
            return made, refused


def open_file(folder: Fallback, ws: UUID = MARKETING) -> Path:
    """Return the file that is being written for a chain."""
    return folder.path / "open" / f"{ws}.jsonl"


def files(folder: Fallback, room: str) -> list[Path]:
    """Return the fallback files of a room."""
    return sorted((folder.path / room).glob("*.jsonl"))


def state_of(folder: Fallback, cap: int = CAP) -> State:
    """Return the folder's state."""
    return look(folder.path, cap)


@dataclass(frozen=True)
class Read:
    """A file that was read to its end."""

    reading: Reading
    lines: list[Line]

    @property
    def head(self) -> Place:
        assert self.reading.head is not None
        return self.reading.head

    @property
    def eids(self) -> list[str]:
        return [decode_event(line.ev)["eid"] for line in self.lines]


def read(path: Path) -> Read:
    """Read a whole file; raises Damaged."""
    reading = Reading()
    with path.open("rb") as handle:
        lines = list(reading.lines(handle))
    return Read(reading, lines)


def all_eids(folder: Fallback) -> list[str]:
    """Return the ids of every event in every file that is whole, wherever it lies."""
    found = []
    for room in ("open", "waiting", "kept"):
        for path in files(folder, room):
            found += read(path).eids
    return found


@contextlib.contextmanager
def no_room_beyond(most_bytes: int) -> Iterator[None]:
    """Let no file of this process grow beyond so many bytes: what a full disk does to a writer,
    half a line included, and anybody may ask the kernel for it.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
