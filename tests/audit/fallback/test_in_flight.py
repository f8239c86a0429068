"""Files that are ingested while a commit that concerns them is still under way, or was refused."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from audit.actions.append import append_event
from audit.actions.fallback import Fallback
from audit.actions.fallback_ingest import FILE, Ingested, _eid_of, ingest, report_written
from audit.queries.fallback import values_beside
from audit.rules.canonical import decode_event
from audit.rules.events import Obj
from audit.rules.fallback import late_event
from audit.rules.hashes import leaf_hash
from tests.audit.conftest import Log
from tests.audit.fallback.ground import denied, files, folder_at, read, sign_in_failure, write
from tests.audit.make import INSTALL, MARKETING, NOW, Connection, happening, open_chains, rows
from tests.poll import poll

WAITS = "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
SAID = "SELECT ws, result FROM audit_event WHERE op = 'fallback.ingested' ORDER BY id"


@pytest.fixture
def folder(log: Log, runtime: Connection, tmp_path: Path) -> Fallback:
    open_chains(runtime)
    return folder_at(tmp_path / "fallback")


def ingest_while(log: Log, folder: Fallback, other: Connection) -> list[Ingested]:
    """Ingest; the other's transaction commits as soon as the ingest waits for it."""
    watcher = log.connect("superuser")

    def commit() -> None:
        try:
            poll(lambda: watcher.execute(WAITS).fetchone(), 8, "nobody waits for the commit")
        finally:
            other.execute("COMMIT")

    with ThreadPoolExecutor(1) as pool:
        committed = pool.submit(commit)
        done = ingest(folder, now=NOW)
        committed.result()
    return done


def take(folder: Fallback, other: Connection, path: Path, ws: UUID) -> None:
    """Do what an ingest does up to its commit."""
    digest = sha256(path.read_bytes()).hexdigest()
    found = read(path)
    assert found.reading.begun is not None
    values = values_beside(folder.path, found.reading.begun.src)
    for line in found.lines:
        body = late_event(line.ev, file_sha256=digest, line=line.place.n, host="web-1")
        eid = decode_event(body)["eid"]
        other.execute(
            "SELECT audit_append(%s, %s, %s, %s)", [ws, eid, leaf_hash(body), body.decode()]
        )
        for name, one in values.get(UUID(eid), {}).items():
            query = "SELECT audit_disclose(%s, %s, %s, %s, %s)"
            other.execute(query, [ws, eid, name, one.salt, one.value])
    said = happening(ws, "fallback.ingested", eid=_eid_of(digest), obj=Obj(FILE, digest))
    append_event(other, said)


@pytest.mark.parametrize("has_values", [False, True])
def test_an_ingest_that_was_killed_during_its_commit_is_not_contradicted(
    folder: Fallback, log: Log, superuser: Connection, has_values: bool
) -> None:
    if has_values:
        folder.append(*sign_in_failure())
    else:
        write(folder, 2)
    folder.put_all_aside()
    [path] = files(folder, "waiting")
    killed = log.connect("app")
    killed.execute("BEGIN")
    take(folder, killed, path, INSTALL if has_values else MARKETING)
    [done] = ingest_while(log, folder, killed)
    assert not done.refused
    assert [result for _ws, result in rows(superuser, SAID)] == ["ok"]
    assert [len(files(folder, room)) for room in ("kept", "refused", "private")] == [1, 0, 0]


def test_a_refusal_that_was_killed_during_its_commit_is_said_once(
    folder: Fallback, log: Log, superuser: Connection
) -> None:
    write(folder, 2)
    folder.put_all_aside()
    [path] = files(folder, "waiting")
    path.write_bytes(path.read_bytes().replace(b"denied", b"failed"))
    digest = sha256(path.read_bytes()).hexdigest()
    killed = log.connect("app")
    killed.execute("BEGIN")
    about = Obj(FILE, digest)
    said = happening(INSTALL, "fallback.ingested", eid=_eid_of(digest), obj=about, result="failed")
    append_event(killed, said)
    [done] = ingest_while(log, folder, killed)
    assert done.refused
    assert rows(superuser, SAID) == [(INSTALL, "failed")]
    assert len(files(folder, "refused")) == 1


def test_an_event_whose_own_commit_is_under_way_is_taken_once(
    folder: Fallback, log: Log, superuser: Connection
) -> None:
    event = denied()
    stalled = log.connect("app")
    stalled.execute("BEGIN")
    append_event(stalled, event)
    folder.append(event, {})
    write(folder, 1)
    [done] = ingest_while(log, folder, stalled)
    assert (done.refused, done.line_count) == ("", 2)
    query = "SELECT count(*) FROM audit_event WHERE op = 'access.denied'"
    assert rows(superuser, query) == [(2,)]
    query = "SELECT body::json #>> '{diff,known,1}' FROM audit_event WHERE result = 'ok'"
    assert rows(superuser, query) == [("1",)]


def test_a_file_of_a_workspace_that_the_log_does_not_hold_is_refused_and_not_lost(
    folder: Fallback, superuser: Connection
) -> None:
    strange = uuid4()
    write(folder, 2, strange)
    [done] = ingest(folder, now=NOW)
    assert f"names the workspace {strange}" in done.refused
    assert rows(superuser, SAID) == [(INSTALL, "failed")]
    assert rows(superuser, "SELECT count(*) FROM audit_event WHERE ws = %s", strange) == [(0,)]
    assert len(files(folder, "refused")) == 1


def test_what_was_written_for_such_a_workspace_is_told_where_it_can_be_numbered(
    folder: Fallback, superuser: Connection
) -> None:
    write(folder, 1, uuid4())
    write(folder, 1, MARKETING)
    assert report_written(folder, now=NOW) == 2
    query = "SELECT ws FROM audit_event WHERE op = 'fallback.wrote' ORDER BY id"
    assert rows(superuser, query) == [(INSTALL,), (MARKETING,)]


def test_a_kill_between_a_refusal_and_the_move_does_not_make_it_an_ingest(
    folder: Fallback, superuser: Connection
) -> None:
    failure = sign_in_failure()
    folder.append(*failure)
    ingest(folder, now=NOW)
    folder.append(*failure)
    [first] = ingest(folder, now=NOW)
    assert first.refused
    # What a kill leaves, and an operator who puts the file back: the entry, and the file not moved.
    shutil.move(folder.path / "refused" / first.name, folder.path / "waiting" / first.name)
    [again] = ingest(folder, now=NOW)
    assert "contradicts the log" in again.refused
    assert [path.name for path in files(folder, "refused")] == [first.name]
    assert [path.name for path in files(folder, "private")] == [first.name]
    assert [result for _ws, result in rows(superuser, SAID)] == ["ok", "failed"]
