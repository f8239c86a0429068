"""Take what was written while the database was away into the log, exactly once.

One transaction a file: its events, its personal values and the entry that names the file by its
SHA-256. That entry's id follows from the SHA-256, so that the database itself refuses a second
one. Only then the file is moved to those that are kept; a kill in between is found by the entry.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import structlog
from django.db import IntegrityError, connection, transaction

from audit.actions.append import append_event
from audit.actions.durable_files import sync_folder
from audit.actions.fallback import Fallback
from audit.models import Epoch, Event, Head
from audit.queries.fallback import GAP, KEPT, PRIVATE, REFUSED, WAITING, values_beside
from audit.queries.system import every_chain, system_chain
from audit.rules.canonical import decode_event
from audit.rules.events import Actor, Diff, Happening, Obj, Result
from audit.rules.fallback import (
    SUFFIX,
    Beginning,
    Damaged,
    Identity,
    Line,
    Personal,
    Reading,
    late_event,
    read_alarm,
)
from audit.rules.hashes import leaf_hash

ACTOR = Actor("system", "fallback")
FILE = "fallback_file"
BATCH = 500

log = structlog.get_logger("audit.fallback")


@dataclass(frozen=True)
class Ingested:
    """What became of a file: `line_count` events entered the log, or it was refused and why."""

    name: str
    line_count: int
    refused: str = ""


def remember_installation(folder: Fallback) -> bool:
    """Keep what a writer must know while the database is away; False before the installation.

    Raises the database's error, and OSError.
    """
    with every_chain():
        install = system_chain()
    if install is None:
        return False
    note = Epoch.objects.filter(note__isnull=False).order_by("-epoch").values_list("note").first()
    after = sha256(str(note[0]).encode()).hexdigest() if note else "0" * 64
    folder.remember(Identity(install, after))
    return True


def ingest(folder: Fallback, *, now: datetime) -> list[Ingested]:
    """Take every file that waits; return what became of each.

    Run twice, or by two at once, it changes nothing more. Raises the database's error, and OSError.
    """
    with folder.ingesting() as is_ours, every_chain():
        if not is_ours:
            return []
        install = system_chain()
        if install is None:
            return []
        folder.put_all_aside()
        waiting = sorted((folder.path / WAITING).glob(f"*{SUFFIX}"))
        done = [_take(folder, path, install, now) for path in waiting]
        for path in sorted((folder.path / WAITING).glob(GAP)):
            _declare(folder, path, install, now)
        _forget_values(folder)
        return done


def _take(folder: Fallback, path: Path, install: UUID, now: datetime) -> Ingested:
    try:
        return _take_once(folder, path, install, now)
    except IntegrityError as first:
        # A commit was under way while we looked: of an event that is in the file too, or of an
        # ingest that was killed. It has ended by now, and a second look sees what it left.
        log.info("audit_fallback_looks_again", file=path.name, why=str(first))
    try:
        return _take_once(folder, path, install, now)
    except IntegrityError as other:
        contradiction = Damaged(1, f"begins a file that contradicts the log: {other}")
        return _refuse(folder, path, contradiction, install, now)


def _take_once(folder: Fallback, path: Path, install: UUID, now: datetime) -> Ingested:
    try:
        reading = _read(path, install)
        said = _said_of(reading.sha256)
        if said is None:
            _store(folder, path, reading, now)
        elif said["res"] != "ok":
            raise Damaged(1, f"begins a file that was refused before: {said['why']}")
    except Damaged as damage:
        return _refuse(folder, path, damage, install, now)
    _move(path, folder.path / KEPT)
    count = reading.head.n if reading.head else 0
    log.info("audit_fallback_ingested", file=path.name, lines=count, sha256=reading.sha256)
    return Ingested(path.name, count)


def _read(path: Path, install: UUID) -> Reading:
    """Read and verify a whole file; raise Damaged."""
    reading = Reading()
    with path.open("rb") as handle:
        for _line in reading.lines(handle):
            pass
    if reading.begun is None or reading.begun.install != install:
        raise Damaged(1, "is of another installation.")
    return reading


def _store(folder: Fallback, path: Path, reading: Reading, now: datetime) -> None:
    """Append all events and the entry that names the file, in one transaction."""
    begun, head = reading.begun, reading.head
    assert begun is not None
    assert head is not None
    if not _is_chain(begun.ws):
        words = "whose chain the log does not hold: the database may come from an older backup."
        raise Damaged(1, f"names the workspace {begun.ws}, {words}")
    values = values_beside(folder.path, begun.src)
    known = 0
    with transaction.atomic(durable=True):
        with path.open("rb") as handle:
            lines = Reading().lines(handle)
            while batch := list(islice(lines, BATCH)):
                known += _append(batch, reading.sha256, begun, values)
        said: dict[str, tuple[object, object]] = {
            "file": (None, path.name),
            "lines": (None, head.n),
            "head": (None, head.hash.hex()),
            "after": (None, begun.after),
        }
        if known:
            said["known"] = (None, known)
        if reading.torn_bytes:
            said["torn_bytes"] = (None, reading.torn_bytes)
        _say("fallback.ingested", begun.ws, reading.sha256, said, now=now)


def _append(
    lines: Sequence[Line],
    digest: str,
    begun: Beginning,
    values: Mapping[UUID, Mapping[str, Personal]],
) -> int:
    """Append events and their values; return how many the log held already.

    A connection may break after the commit and before its answer: then the event is in the log,
    and in the file too.
    """
    ws, eids = str(begun.ws), [_eid(line) for line in lines]
    held = dict(Event.objects.filter(eid__in=eids).values_list("eid", "body"))
    known = 0
    rows: list[list[str | bytes]] = []
    disclosed: list[list[str | bytes]] = []
    for eid, line in zip(eids, lines, strict=True):
        if held.get(eid, "").encode() == line.ev:
            known += 1
            continue
        body = late_event(line.ev, file_sha256=digest, line=line.place.n, host=begun.host)
        rows.append([ws, str(eid), leaf_hash(body), body.decode()])
        fields = values.get(eid, {}).items()
        disclosed += [[ws, str(eid), name, one.salt, one.value] for name, one in fields]
    with connection.cursor() as cursor:
        if rows:
            cursor.executemany("SELECT audit_append(%s::uuid, %s::uuid, %s, %s)", rows)
        if disclosed:
            cursor.executemany("SELECT audit_disclose(%s::uuid, %s::uuid, %s, %s, %s)", disclosed)
    return known


def _refuse(
    folder: Fallback, path: Path, damage: Damaged, install: UUID, now: datetime
) -> Ingested:
    """Put a damaged file where a person finds it, and say so in the system's chain, once."""
    digest = sha256(path.read_bytes()).hexdigest()
    if _said_of(digest) is None:
        said: Diff = {"file": (None, path.name), "line": (None, damage.line)}
        with transaction.atomic(durable=True):
            why = str(damage)
            _say("fallback.ingested", install, digest, said, now=now, result="failed", why=why)
    _move(path, folder.path / REFUSED)
    log.critical("audit_fallback_refused", file=path.name, why=str(damage))
    return Ingested(path.name, 0, refused=str(damage))


def _declare(folder: Fallback, path: Path, install: UUID, now: datetime) -> None:
    """Say how many records could be written nowhere, once. The declaration itself is not late: the
    time of what was lost stands in its fields.
    """
    alarm = read_alarm(path.read_bytes())
    if alarm is None or not alarm.count:
        _move(path, folder.path / REFUSED)
        return
    happening = Happening(
        op="gap.declared",
        eid=alarm.id,
        workspace=install,
        actor=ACTOR,
        obj=Obj("gap", str(alarm.id)),
        at=now,
        diff={
            "count": (None, alarm.count),
            "since": (None, alarm.since),
            "until": (None, alarm.last),
        },
        why=alarm.why,
    )
    # A kill between the commit and the move leaves the file; nobody else ingests meanwhile.
    if not Event.objects.filter(eid=alarm.id).exists():
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            append_event(cursor, happening)
        log.critical("audit_gap_declared", count=alarm.count, since=alarm.since)
    _move(path, folder.path / KEPT)


def report_written(folder: Fallback, *, now: datetime) -> int:
    """Record what this process wrote to fallback files, and return to how many.

    It is known from memory, not from the files: what was cut off at a file's end before it was
    ingested is missing from the log, and these entries say so: in the system's chain where the log
    does not hold the file's. Raises the database's error.
    """
    told = folder.memory.take()
    try:
        with every_chain(), transaction.atomic(durable=True):
            install = system_chain()
            for (ws, src), wrote in told.items():
                said: Diff = {
                    "lines": (None, wrote.count),
                    "last": (None, wrote.place.n),
                    "hash": (None, wrote.place.hash.hex()),
                }
                chain = ws if _is_chain(ws) else install or ws
                _say("fallback.wrote", chain, f"{src}{SUFFIX}", said, now=now, eid=uuid4())
    except BaseException:
        folder.memory.put_back(told)
        raise
    return len(told)


def _say(
    op: str,
    ws: UUID,
    about: str,
    said: Diff,
    *,
    now: datetime,
    result: Result = "ok",
    why: str = "",
    eid: UUID | None = None,
) -> None:
    happening = Happening(
        op=op,
        eid=eid or _eid_of(about),
        workspace=ws,
        actor=ACTOR,
        obj=Obj(FILE, about),
        at=now,
        result=result,
        diff=said,
        why=why,
    )
    with connection.cursor() as cursor:
        append_event(cursor, happening)


def _said_of(digest: str) -> dict[str, Any] | None:
    """Return the entry that names the file already: a kill came between the commit and the move,
    or a person put back what was refused.
    """
    body = Event.objects.filter(eid=_eid_of(digest)).values_list("body", flat=True).first()
    return None if body is None else decode_event(body.encode())


def _is_chain(ws: UUID) -> bool:
    """Whether the log holds this chain. Else its events would wait for a number for ever, as after
    a backup that is older than the workspace. Needs `every_chain`.
    """
    return Head.objects.filter(ws=ws).exists()


def _eid_of(digest: str) -> UUID:
    """Return the id of the entry that names a file: bits of its SHA-256 as a UUID of version 4."""
    return UUID(bytes=sha256(b"fallback.ingested " + digest.encode()).digest()[:16], version=4)


def _eid(line: Line) -> UUID:
    return UUID(json.loads(line.ev)["eid"])


def _forget_values(folder: Fallback) -> None:
    """Delete the values beside files that are ingested: they are in the database now, erasable."""
    for path in (folder.path / PRIVATE).glob(f"*{SUFFIX}"):
        if (folder.path / KEPT / path.name).exists():
            path.unlink(missing_ok=True)


def _move(path: Path, room: Path) -> None:
    path.rename(room / path.name)
    sync_folder(room)
    sync_folder(path.parent)
