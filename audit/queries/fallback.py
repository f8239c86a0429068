"""The fallback files of this machine as they are. Asks no database."""

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from audit.rules.fallback import (
    ALARM_BYTES,
    LONGEST_LINE,
    SUFFIX,
    Alarm,
    Beginning,
    Damaged,
    Identity,
    Personal,
    Place,
    read_alarm,
    read_beginning,
    read_identity,
    read_line,
)

OPEN, WAITING, KEPT, REFUSED, PRIVATE = "open", "waiting", "kept", "refused", "private"
ROOMS = (OPEN, WAITING, KEPT, REFUSED, PRIVATE)
IDENTITY, ALARM, ALIVE = "identity.json", "alarm.json", "sweep.alive"
# Touched by each sweep that does not reach the database although files wait for it.
AWAY = "database.away"
GAP = "gap_*.json"
# The sweep comes every ten seconds.
LATE = timedelta(seconds=60)
# A disk with less room than this is about to be full.
LEAST_FREE = 100_000_000


def file_names(path: Path) -> list[str]:
    """Return the names of the files in a folder that are not in the log yet, at most 50."""
    rooms = (OPEN, WAITING)
    return sorted(one.name for room in rooms for one in (path / room).glob(f"*{SUFFIX}"))[:50]


@dataclass(frozen=True)
class End:
    """Where a file ends. `size` counts the whole lines only, `torn_bytes` what follows them."""

    begun: Beginning
    place: Place
    size: int
    torn_bytes: int


@dataclass(frozen=True)
class File:
    """A fallback file in one of the rooms; without `end` it is damaged."""

    path: Path
    room: str
    size: int
    changed_at: datetime
    end: End | None

    @property
    def name(self) -> str:
        """Return the name under which the log knows the file, or will."""
        return f"{self.end.begun.src}{SUFFIX}" if self.end else self.path.name

    @property
    def line_count(self) -> int | None:
        """Return how many events it holds; None when it cannot be read."""
        return self.end.place.n if self.end else None

    @property
    def head(self) -> str:
        """Return the hash of its last line in hex."""
        return self.end.place.hash.hex() if self.end else ""


@dataclass(frozen=True)
class State:
    """The folder. `used_bytes` is of what is not ingested yet, `most_bytes` its cap; `free_bytes`
    is None when the disk cannot be asked. `swept_at` is when the worker's sweep last got through,
    `away_at` when one last did not reach the database, `looked_at` the machine's clock.
    """

    path: Path
    files: tuple[File, ...]
    used_bytes: int
    most_bytes: int
    free_bytes: int | None
    kept_count: int
    last_ingest_at: datetime | None
    alarm: Alarm | None
    gap_count: int
    identity: Identity | None
    swept_at: datetime | None
    away_at: datetime | None
    looked_at: datetime
    is_writable: bool

    @property
    def line_count(self) -> int:
        """Return how many events wait."""
        return sum(file.line_count or 0 for file in self.files if file.room != REFUSED)

    @property
    def is_full(self) -> bool:
        """Say whether the next line would be refused for the cap."""
        return self.used_bytes + LONGEST_LINE > self.most_bytes

    @property
    def lost_count(self) -> int:
        """Return how many records could be written nowhere and are in no entry yet."""
        return self.alarm.count if self.alarm else 0

    @property
    def has_work(self) -> bool:
        """Say whether there is anything to ingest."""
        waiting = any(file.room != REFUSED for file in self.files)
        return waiting or bool(self.gap_count or self.lost_count)

    @property
    def refused(self) -> tuple[File, ...]:
        """Return the files that were not taken: a person must look."""
        return tuple(file for file in self.files if file.room == REFUSED)

    @property
    def late(self) -> tuple[File, ...]:
        """Return the files that nobody takes, though the database was not away for LATE.

        Whoever wrote a line found it away too, so a file is late only after its last line.
        """
        excused = self.looked_at - LATE
        if self.away_at and self.away_at >= excused:
            return ()
        waiting = (file for file in self.files if file.room != REFUSED)
        return tuple(file for file in waiting if file.changed_at < excused)


def look(path: Path, most_bytes: int) -> State:
    """Return the state of a folder, which may not exist yet."""
    found = [file for room in (OPEN, WAITING, REFUSED) for file in _files(path, room)]
    files = tuple(file for file in found if file.room != OPEN or file.line_count != 0)
    # A file's inode changes when it is moved here; its content and that content's time do not.
    kept = [_moved(one) for one in _paths(path / KEPT)]
    return State(
        path=path,
        files=files,
        used_bytes=used_bytes(path),
        most_bytes=most_bytes,
        free_bytes=_free(path),
        kept_count=len(kept),
        last_ingest_at=max(kept, default=None),
        alarm=alarm_of(path),
        gap_count=len(list((path / WAITING).glob(GAP))),
        identity=identity_of(path),
        swept_at=_touched(path / ALIVE),
        away_at=_touched(path / AWAY),
        looked_at=datetime.now(UTC),
        is_writable=os.access(path, os.W_OK),
    )


def kept_file(path: Path, name: str) -> Path | None:
    """Return an ingested file, byte for byte as it was written, by its name in the log; or None."""
    found = path / KEPT / Path(name).name
    return found if found.is_file() else None


def values_beside(path: Path, src: str) -> dict[UUID, dict[str, Personal]]:
    """Return the personal values that were kept beside a file.

    A line that was torn belongs to an event that nobody was told was kept.
    """
    found: dict[UUID, dict[str, Personal]] = defaultdict(dict)
    try:
        text = (path / PRIVATE / f"{src}{SUFFIX}").read_text(errors="replace")
    except FileNotFoundError:
        return found
    for line in text.splitlines():
        with suppress(ValueError, KeyError, TypeError):
            one = json.loads(line)
            value = Personal(bytes.fromhex(one["salt"]), str(one["value"]))
            found[UUID(one["eid"])][str(one["field"])] = value
    return found


def used_bytes(path: Path) -> int:
    """Return the size of what is not ingested yet, personal values included."""
    rooms = (path / room for room in (OPEN, WAITING, PRIVATE))
    return sum(_size(file) for room in rooms for file in _paths(room))


def identity_of(path: Path) -> Identity | None:
    """Return what this machine knows of the installation, None before it ever saw the database."""
    try:
        return read_identity((path / IDENTITY).read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None


def alarm_of(path: Path) -> Alarm | None:
    """Return the alarm, None when there is no block for it."""
    try:
        with (path / ALARM).open("rb") as handle:
            return read_alarm(handle.read(ALARM_BYTES))
    except OSError:
        return None


def end_of(path: Path) -> End:
    """Return where a file ends, from its first and its last whole line. Raises Damaged, OSError."""
    with path.open("rb") as handle:
        begun = read_beginning(handle.readline(LONGEST_LINE))
        first = handle.tell()
        size = handle.seek(0, os.SEEK_END)
        start = max(first, size - 2 * LONGEST_LINE)
        handle.seek(start)
        whole, ending, torn = handle.read().rpartition(b"\n")
    if not ending:
        return End(begun, begun.place, first, len(torn))
    last = whole.rpartition(b"\n")[2] + b"\n"
    line, _prev = read_line(last, begun.src)
    return End(begun, line.place, size - len(torn), len(torn))


def _files(path: Path, room: str) -> Iterator[File]:
    for one in _paths(path / room):
        if one.suffix != SUFFIX:
            continue
        try:
            stat = one.stat()
            end = end_of(one)
        except Damaged:
            end = None
        except OSError:  # moved on meanwhile
            continue
        yield File(one, room, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC), end)


def _paths(room: Path) -> list[Path]:
    try:
        return sorted(one for one in room.iterdir() if one.is_file())
    except OSError:
        return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _changed(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return datetime.fromtimestamp(0, UTC)


def _touched(path: Path) -> datetime | None:
    return _changed(path) if path.exists() else None


def _moved(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_ctime, UTC)
    except OSError:
        return datetime.fromtimestamp(0, UTC)


def _free(path: Path) -> int | None:
    """Return the free bytes of the folder's disk, or of the nearest folder that exists."""
    try:
        return shutil.disk_usage(next(one for one in (path, *path.parents) if one.exists())).free
    except (OSError, StopIteration):
        return None
