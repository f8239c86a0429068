"""Write what must be recorded while the database is away: durably, chained, never dropped.

One writer at a time, over all processes of this machine. Each line is on disk before `append`
returns. What cannot be written here either is counted in the alarm, and refused.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

import structlog
from django.conf import settings

from audit.actions.durable_files import append_to, locked, sync_folder, tried_lock, write_whole
from audit.actions.fallback_memory import Memory
from audit.queries.fallback import (
    ALARM,
    ALIVE,
    AWAY,
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
    Personal,
    Place,
    next_line,
    source,
)

# Longer than any fsync; a writer that is frozen must not hold up the others for good.
LOCK_SECONDS = 5.0
QUICK_SECONDS = 0.5
_UNKNOWN = "this machine has not seen the installation's database yet"

log = structlog.get_logger("audit.fallback")


class Full(OSError):
    """The files have reached their cap."""


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
            append_to(self.path / PRIVATE / f"{begun.src}{SUFFIX}", private, size=None)
        append_to(self._current(happening.workspace), line, size=size)
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
        write_whole(path, begun.line())
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
        with locked(self.path / "lock", seconds):
            yield

    @contextmanager
    def ingesting(self) -> Iterator[bool]:
        """Be the only one who ingests; gives False when somebody else does."""
        self._make()
        with tried_lock(self.path / "ingest.lock") as is_ours:
            yield is_ours

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
                write_whole(self.path / IDENTITY, identity.text().encode())
            else:
                (self.path / IDENTITY).touch()
            if alarm_of(self.path) is None:
                self._make_alarm()

    def show_life(self) -> None:
        """Leave the sweep's heartbeat. Raises OSError."""
        self._make()
        (self.path / ALIVE).touch()

    def note_away(self) -> None:
        """Leave word that the database cannot be reached, so that files wait in good order. Raises
        OSError.
        """
        self._make()
        (self.path / AWAY).touch()

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
        write_whole(self.path / ALARM, alarm.block())
        return alarm

    def _make(self) -> None:
        for room in ("", *ROOMS):
            folder = self.path / room
            if folder.is_dir():
                continue
            new = [one for one in (folder, *folder.parents) if not one.is_dir()]
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for one in new:
                sync_folder(one.parent)


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


def _is_empty(path: Path) -> bool:
    """Whether a file holds its beginning and nothing else."""
    try:
        end = end_of(path)
    except Damaged:
        return False
    return not end.place.n and not end.torn_bytes
