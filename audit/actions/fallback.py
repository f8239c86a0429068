"""Write what must be recorded while the database is away: durably, chained, never dropped.

One writer at a time, over all processes of this machine. Each line is on disk before `append`
returns. What cannot be written here either is counted in the alarm, and refused.
"""

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, TypeAlias
from uuid import UUID, uuid4

import structlog
from django.conf import settings

from audit.queries.fallback import (
    ALARM,
    ALIVE,
    IDENTITY,
    OPEN,
    PRIVATE,
    ROOMS,
    WAITING,
    alarm_of,
    end_of,
    identity_of,
    used_bytes,
)
from audit.rules.canonical import MAX_BYTES, stamp
from audit.rules.events import Happening, event_bytes
from audit.rules.fallback import (
    SPARE_BYTES,
    SUFFIX,
    Alarm,
    Beginning,
    Damaged,
    Identity,
    NotRecorded,
    Place,
    next_line,
    source,
)

# Longer than any fsync; a writer that is frozen must not hold up the others for good.
LOCK_SECONDS = 5.0
QUICK_SECONDS = 0.5
_STEP_SECONDS = 0.005
_UNKNOWN = "this machine has not seen the installation's database yet"

log = structlog.get_logger("audit.fallback")


class Full(OSError):
    """The files have reached their cap."""


class Busy(OSError):
    """Another process holds the lock for too long."""


class Personal(NamedTuple):
    """A personal value and the salt of its commitment."""

    salt: bytes
    value: str


@dataclass(frozen=True)
class Wrote:
    """How many lines a process wrote to a file, and where the last one stands."""

    count: int
    place: Place


Told: TypeAlias = dict[tuple[UUID, str], Wrote]


@dataclass
class Memory:
    """What this process still has to tell: what it wrote, by chain and file, and how many records
    it could write nowhere, the alarm included.
    """

    written: Told = field(default_factory=dict)
    lost_count: int = 0
    guard: threading.Lock = field(default_factory=threading.Lock)

    @property
    def has_news(self) -> bool:
        """Say whether there is anything to tell."""
        return bool(self.written or self.lost_count)

    def note(self, key: tuple[UUID, str], place: Place) -> None:
        """Remember one more line."""
        self.put_back({key: Wrote(1, place)})

    def take(self) -> Told:
        """Return what was written and forget it."""
        with self.guard:
            told, self.written = self.written, {}
        return told

    def put_back(self, told: Told) -> None:
        """Remember what could not be told yet, beside what came meanwhile."""
        with self.guard:
            for key, wrote in told.items():
                more = self.written.get(key, Wrote(0, wrote.place))
                last = max(more.place, wrote.place, key=lambda place: place.n)
                self.written[key] = Wrote(more.count + wrote.count, last)


class Fallback:
    """The folder of fallback files of this machine. `host` is its name in them."""

    def __init__(self, path: Path, *, max_bytes: int, host: str) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._host = host
        self.memory = Memory()

    # --- writing ---

    def append(self, happening: Happening, personal: Mapping[str, Personal]) -> Place:
        """Write one event and return its place, once it is on disk.

        Raises NotRecorded when it cannot be written; then the alarm counts it.
        """
        ev = _spared(happening)
        try:
            with self.locked():
                src, place = self._append(happening, ev, personal)
        except OSError as failure:
            why = failure.strerror or str(failure)
            self.raise_alarm(why, at=happening.at)
            raise NotRecorded(f"What was tried can be recorded nowhere: {why}.") from failure
        self.memory.note((happening.workspace, src), place)
        # A second copy of the place leaves the machine with the logs: a file that is cut back
        # before it is ingested is found by it.
        log.warning("audit_fallback_written", file=src, n=place.n, hash=place.hash.hex())
        return place

    def _append(
        self, happening: Happening, ev: bytes, personal: Mapping[str, Personal]
    ) -> tuple[str, Place]:
        begun, place, size = self._open(happening.workspace, happening.at)
        line, after = next_line(ev, begun.src, place)
        private = _private_lines(happening.eid, personal)
        if used_bytes(self.path) + len(line) + len(private) > self._max_bytes:
            raise Full(f"the fallback files have reached their cap of {self._max_bytes:,} bytes")
        if private:
            # First: a line that counts must not lack the values that it commits to.
            _append_to(self.path / PRIVATE / f"{begun.src}{SUFFIX}", private, size=None)
        _append_to(self._current(happening.workspace), line, size=size)
        return begun.src, after

    def _current(self, ws: UUID) -> Path:
        return self.path / OPEN / f"{ws}{SUFFIX}"

    def _open(self, ws: UUID, at: datetime) -> tuple[Beginning, Place, int]:
        """Return where the chain's open file ends; begin one where there is none.

        One whose last line was torn, or that was damaged, is put aside as it is.
        """
        path = self._current(ws)
        if path.exists():
            with suppress(Damaged):
                end = end_of(path)
                if not end.torn_bytes:
                    return end.begun, end.place, end.size
            self._put_aside(path)
        return self._begin(path, ws, at)

    def _begin(self, path: Path, ws: UUID, at: datetime) -> tuple[Beginning, Place, int]:
        identity = identity_of(self.path)
        if identity is None:
            raise OSError(_UNKNOWN)
        src = source(self._host, stamp(at), ws)
        begun = Beginning(identity.install, self._unused(src), identity.after)
        _write_whole(path, begun.line())
        return begun, begun.place, len(begun.line())

    def _unused(self, src: str) -> str:
        """Return a name that no file has: the clock may have been set back."""
        host, _, rest = src.partition("_")
        number, name = 1, src
        while any((self.path / room / f"{name}{SUFFIX}").exists() for room in ROOMS):
            number += 1
            name = f"{host}.{number}_{rest}"
        return name

    def installation(self, now: datetime) -> UUID:
        """Return the installation's UUID, the system chain's. Raises NotRecorded before this
        machine has seen the database.
        """
        identity = identity_of(self.path)
        if identity is None:
            self.raise_alarm(_UNKNOWN, at=now)
            raise NotRecorded(f"What was tried can be recorded nowhere: {_UNKNOWN}.")
        return identity.install

    # --- what the ingest and the sweep need ---

    @contextmanager
    def locked(self, seconds: float = LOCK_SECONDS) -> Iterator[None]:
        """Be the only writer of this machine; raises Busy after so many seconds, and OSError."""
        self._make()
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _take(handle, seconds)
            yield
        finally:
            os.close(handle)

    @contextmanager
    def ingesting(self) -> Iterator[bool]:
        """Be the only one who ingests; gives False when somebody else does."""
        self._make()
        handle = os.open(self.path / "ingest.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield _try(handle)
        finally:
            os.close(handle)

    def put_all_aside(self) -> None:
        """End every open file that holds an event, so that no further line comes to it."""
        with self.locked():
            for path in sorted((self.path / OPEN).glob(f"*{SUFFIX}")):
                if not _is_empty(path):
                    self._put_aside(path)
            alarm = alarm_of(self.path)
            if alarm is not None and alarm.count:
                (self.path / ALARM).rename(self.path / WAITING / f"gap_{alarm.id}.json")
                sync_folder(self.path / WAITING)
                self._make_alarm()

    def _put_aside(self, path: Path) -> None:
        try:
            name = end_of(path).begun.src
        except Damaged:
            name = f"damaged_{uuid4()}"
        path.rename(self.path / WAITING / f"{name}{SUFFIX}")
        sync_folder(self.path / WAITING)
        sync_folder(self.path / OPEN)

    def remember(self, identity: Identity) -> None:
        """Keep what a writer must know while the database is away. Raises OSError."""
        with self.locked():
            if identity_of(self.path) != identity:
                _write_whole(self.path / IDENTITY, identity.text().encode())
            else:
                (self.path / IDENTITY).touch()
            if alarm_of(self.path) is None:
                self._make_alarm()

    def show_life(self) -> None:
        """Leave the sweep's heartbeat. Raises OSError."""
        self._make()
        (self.path / ALIVE).touch()

    # --- the alarm ---

    def raise_alarm(self, why: str, *, at: datetime) -> None:
        """Count a record that could be written nowhere, here until the alarm takes it."""
        log.critical("audit_not_recorded", why=why)
        with self.memory.guard:
            self.memory.lost_count += 1
        with suppress(OSError):
            self.flush_alarm(at=at, why=why)

    def flush_alarm(self, *, at: datetime, why: str) -> None:
        """Move this process's count of lost records into the alarm. Raises OSError."""
        with self.locked(QUICK_SECONDS), self.memory.guard:
            if not self.memory.lost_count:
                return
            alarm = alarm_of(self.path) or self._make_alarm()
            block = alarm.plus(self.memory.lost_count, at=stamp(at), why=why).block()
            handle = os.open(self.path / ALARM, os.O_WRONLY)
            try:
                # In place: this needs no room on a disk that is full.
                os.pwrite(handle, block, 0)
                os.fsync(handle)
            finally:
                os.close(handle)
            self.memory.lost_count = 0

    def _make_alarm(self) -> Alarm:
        alarm = Alarm(uuid4())
        _write_whole(self.path / ALARM, alarm.block())
        return alarm

    def _make(self) -> None:
        for room in ("", *ROOMS):
            folder = self.path / room
            if not folder.is_dir():
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)


_made: dict[tuple[Path, int, str], Fallback] = {}


def fallback() -> Fallback:
    """Return the folder that the settings name; one object a process, which remembers."""
    key = (
        Path(settings.AUDIT_FALLBACK_DIR),
        settings.AUDIT_FALLBACK_MAX_BYTES,
        os.uname().nodename,
    )
    if key not in _made:
        _made[key] = Fallback(key[0], max_bytes=key[1], host=key[2])
    return _made[key]


def sync_folder(path: Path) -> None:
    """Put a folder's names on disk: a file that was renamed or made stays so. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _spared(happening: Happening) -> bytes:
    """Return the event's bytes with room for what the ingest adds to them."""
    ev = event_bytes(happening)
    if len(ev) <= MAX_BYTES - SPARE_BYTES:
        return ev
    count = len(happening.diff or {})
    short = replace(
        happening,
        why=happening.why[:400],
        diff={"cut": (None, f"{count} changed fields were too many to keep")},
    )
    return event_bytes(short)


def _private_lines(eid: UUID, personal: Mapping[str, Personal]) -> bytes:
    """Return a line for each value. A line feed in front ends what a killed writer left."""
    lines = [
        json.dumps({"eid": str(eid), "field": name, "salt": one.salt.hex(), "value": one.value})
        for name, one in personal.items()
    ]
    return "".join(f"\n{line}\n" for line in lines).encode()


def _append_to(path: Path, data: bytes, *, size: int | None) -> None:
    """Append durably, all of it or nothing; raises OSError.

    `size` is what the file must have before; None where it does not matter.
    """
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        before = os.fstat(handle).st_size
        if size is not None and before != size:
            raise OSError("the file is not as it was: somebody else writes to it")
        try:
            if os.write(handle, data) < len(data):
                raise OSError("No space left on device")
            os.fsync(handle)
            if not before:
                sync_folder(path.parent)
        except OSError:
            # Take back a part of a line. Should that fail too, the next writer sees a torn line.
            with suppress(OSError):
                os.ftruncate(handle, before)
                os.fsync(handle)
            raise
    finally:
        os.close(handle)


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file so that after a power cut it is there whole, or as before. Raises OSError."""
    aside = path.with_name(f".{path.name}.new")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        if os.write(handle, data) < len(data):
            raise OSError("No space left on device")
        os.fsync(handle)
    finally:
        os.close(handle)
    aside.rename(path)
    sync_folder(path.parent)


def _is_empty(path: Path) -> bool:
    """Whether a file holds its beginning and nothing else."""
    try:
        end = end_of(path)
    except Damaged:
        return False
    return not end.place.n and not end.torn_bytes


def _take(handle: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not _try(handle):
        if time.monotonic() > deadline:
            raise Busy("another process holds the fallback file for too long")
        time.sleep(_STEP_SECONDS)


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
