"""Taking what was written into the log: all of it, exactly once, and saying so."""

import json
import shutil
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from audit.actions.append import append_event
from audit.actions.fallback import Fallback
from audit.actions.fallback_ingest import ingest, remember_installation, report_written
from audit.queries.fallback import kept_file
from audit.queries.fallback_missing import missing_lines
from audit.rules.canonical import decode_event, stamp
from audit.rules.events import event_bytes
from audit.rules.fallback import Beginning, next_line, source
from tests.audit.conftest import Log
from tests.audit.fallback.ground import (
    ADDRESS,
    AFTER,
    denied,
    files,
    folder_at,
    open_file,
    read,
    sign_in_failure,
    state_of,
    write,
    write_until_refused,
)
from tests.audit.make import (
    INSTALL,
    MARKETING,
    NOW,
    ROAMING,
    Connection,
    happening,
    open_chains,
    rows,
)
from tests.audit.site import Site


@pytest.fixture
def folder(log: Log, runtime: Connection, tmp_path: Path) -> Fallback:
    open_chains(runtime)
    return folder_at(tmp_path / "fallback")


def events(superuser: Connection, op: str = "") -> list[dict[str, Any]]:
    """Return the events of the log in their order, or those of one operation."""
    found = [decode_event(body.encode()) for (body,) in rows(superuser, BODIES)]
    return [one for one in found if op in {"", one["op"]}]


BODIES = "SELECT body FROM audit_event ORDER BY id"


def test_every_line_enters_its_chain_with_where_it_waited(
    folder: Fallback, superuser: Connection
) -> None:
    made = write(folder, 3)
    digest = sha256(open_file(folder).read_bytes()).hexdigest()
    ingest(folder, now=NOW)
    found = events(superuser, "access.denied")
    assert [one["eid"] for one in found] == [str(one.eid) for one in made]
    assert [one["src"] for one in found] == [
        {"file_sha256": digest, "host": "web-1", "line": line} for line in (1, 2, 3)
    ]


def test_an_entry_names_the_file_by_its_digest_with_count_and_head(
    folder: Fallback, superuser: Connection
) -> None:
    write(folder, 2)
    data = open_file(folder).read_bytes()
    head = read(open_file(folder)).head.hash.hex()
    [done] = ingest(folder, now=NOW)
    [said] = events(superuser, "fallback.ingested")
    digest = sha256(data).hexdigest()
    assert said["obj"] == {"id": digest, "type": "fallback_file"}
    assert said["diff"] == {
        "after": [None, AFTER],
        "file": [None, done.name],
        "head": [None, head],
        "lines": [None, 2],
    }
    assert (said["ws"], said["res"], said["act"]["id"]) == (str(MARKETING), "ok", "fallback")
    kept = kept_file(folder.path, done.name)
    assert kept is not None
    assert kept.read_bytes() == data


def test_each_chain_is_told_of_its_own_file_only(folder: Fallback, superuser: Connection) -> None:
    write(folder, 1, MARKETING)
    write(folder, 2, ROAMING)
    ingest(folder, now=NOW)
    said = {one["ws"]: one["diff"]["lines"][1] for one in events(superuser, "fallback.ingested")}
    assert said == {str(MARKETING): 1, str(ROAMING): 2}


def test_a_second_run_changes_nothing(folder: Fallback, superuser: Connection) -> None:
    write(folder, 2)
    assert len(ingest(folder, now=NOW)) == 1
    before = events(superuser)
    assert ingest(folder, now=NOW) == []
    assert events(superuser) == before


def test_a_kill_between_the_commit_and_the_move_changes_nothing(
    folder: Fallback, superuser: Connection
) -> None:
    write(folder, 2)
    [done] = ingest(folder, now=NOW)
    before = events(superuser)
    # What a kill leaves: committed, and not moved.
    shutil.move(folder.path / "kept" / done.name, folder.path / "waiting" / done.name)
    ingest(folder, now=NOW)
    assert events(superuser) == before
    assert (files(folder, "waiting"), len(files(folder, "kept"))) == ([], 1)


def test_lines_that_are_replayed_in_another_file_are_refused_aloud(
    folder: Fallback, superuser: Connection
) -> None:
    [made] = write(folder, 1)
    ingest(folder, now=NOW)
    folder.append(made, {})
    [done] = ingest(folder, now=NOW)
    assert "contradicts the log" in done.refused
    assert len(events(superuser, "access.denied")) == 1
    [_first, said] = events(superuser, "fallback.ingested")
    assert said["res"] == "failed"


def test_an_event_whose_commit_was_not_answered_is_taken_once(
    folder: Fallback, superuser: Connection, runtime: Connection
) -> None:
    event = denied()
    append_event(runtime, event)
    folder.append(event, {})
    write(folder, 1)
    ingest(folder, now=NOW)
    assert len(events(superuser, "access.denied")) == 2
    [said] = events(superuser, "fallback.ingested")
    assert (said["diff"]["known"], said["diff"]["lines"]) == ([None, 1], [None, 2])


def test_personal_values_become_erasable_and_leave_the_machine(
    folder: Fallback, superuser: Connection
) -> None:
    failure, personal = sign_in_failure()
    folder.append(failure, personal)
    ingest(folder, now=NOW)
    query = "SELECT eid, field, value FROM audit_private.audit_disclosure"
    assert rows(superuser, query) == [(failure.eid, "address", ADDRESS)]
    assert files(folder, "private") == []
    found = [path for path in folder.path.rglob("*") if path.is_file()]
    assert not any(ADDRESS.encode() in path.read_bytes() for path in found)


def test_what_a_killed_writer_left_beside_the_file_spoils_no_value(
    folder: Fallback, superuser: Connection
) -> None:
    folder.append(*sign_in_failure())
    [private] = files(folder, "private")
    with private.open("ab") as handle:
        handle.write(b'\n{"eid": "0')
    folder.append(*sign_in_failure())
    ingest(folder, now=NOW)
    assert rows(superuser, "SELECT count(*) FROM audit_private.audit_disclosure") == [(2,)]


def test_a_torn_last_line_is_told_and_the_rest_is_taken(
    folder: Fallback, superuser: Connection
) -> None:
    write(folder, 2)
    with open_file(folder).open("ab") as handle:
        handle.write(b'{"ev":{')
    ingest(folder, now=NOW)
    [said] = events(superuser, "fallback.ingested")
    assert (said["diff"]["lines"], said["diff"]["torn_bytes"]) == ([None, 2], [None, 7])


@pytest.mark.parametrize("damage", ["edit", "cut the middle", "another installation"])
def test_a_file_that_was_touched_is_refused_kept_and_named_in_the_log(
    folder: Fallback, superuser: Connection, damage: str
) -> None:
    write(folder, 3)
    path = open_file(folder)
    lines = path.read_bytes().splitlines(keepends=True)
    if damage == "edit":
        path.write_bytes(b"".join(lines).replace(b"denied", b"failed", 2))
    elif damage == "cut the middle":
        path.write_bytes(b"".join([lines[0], *lines[2:]]))
    else:
        begun = Beginning(ROAMING, source("web-1", stamp(NOW), MARKETING), AFTER)
        line, _place = next_line(b'{"x":1}', begun.src, begun.place)
        path.write_bytes(begun.line() + line)
    data = path.read_bytes()
    [done] = ingest(folder, now=NOW)
    [said] = events(superuser)
    assert (said["op"], said["res"], said["ws"]) == ("fallback.ingested", "failed", str(INSTALL))
    assert said["obj"]["id"] == sha256(data).hexdigest()
    assert said["why"] == done.refused
    [refused] = files(folder, "refused")
    assert refused.read_bytes() == data
    assert ingest(folder, now=NOW) == []
    assert [one.room for one in state_of(folder).files] == ["refused"]


def test_a_gap_is_declared_once_with_its_count(
    log: Log, runtime: Connection, superuser: Connection, tmp_path: Path
) -> None:
    open_chains(runtime)
    folder = folder_at(tmp_path / "fallback", cap=1_000)
    made, _refused = write_until_refused(folder)
    write_until_refused(folder)
    assert made
    assert state_of(folder).lost_count == 2
    back = NOW + timedelta(hours=3)
    ingest(folder, now=back)
    [gap] = events(superuser, "gap.declared")
    lost = [None, stamp(NOW)]
    assert gap["diff"] == {"count": [None, 2], "since": lost, "until": lost}
    # The declaration is not late, whatever it declares.
    assert gap["t"] == stamp(back)
    assert "cap" in gap["why"]
    assert state_of(folder).lost_count == 0
    [declared] = (folder.path / "kept").glob("gap_*.json")
    shutil.move(declared, folder.path / "waiting" / declared.name)
    ingest(folder, now=back + timedelta(hours=1))
    assert len(events(superuser, "gap.declared")) == 1


def test_two_who_ingest_at_once_do_not_meet(folder: Fallback, superuser: Connection) -> None:
    write(folder, 2)
    other = Fallback(folder.path, max_bytes=10_000, host="web-1")
    with other.ingesting() as is_ours:
        assert is_ours
        assert ingest(folder, now=NOW) == []
    assert len(ingest(folder, now=NOW)) == 1


def test_writing_goes_on_in_a_new_file_while_one_is_ingested(folder: Fallback) -> None:
    write(folder, 2)
    folder.put_all_aside()
    write(folder, 1)
    assert read(open_file(folder)).head.n == 1
    assert len(ingest(folder, now=NOW)) == 2


def test_a_file_without_events_stays_open(folder: Fallback, superuser: Connection) -> None:
    begun = Beginning(INSTALL, source("web-1", stamp(NOW), MARKETING), AFTER)
    open_file(folder).write_bytes(begun.line())
    assert ingest(folder, now=NOW) == []
    assert not state_of(folder).has_work
    write(folder, 1)
    assert read(open_file(folder)).reading.begun == begun


def test_the_installation_and_its_last_checkpoint_are_kept_for_writers(
    log: Log, tmp_path: Path
) -> None:
    site = Site(log, tmp_path / "signer")
    site.hours(2)
    folder = Fallback(tmp_path / "fallback", max_bytes=10_000, host="web-1")
    assert remember_installation(folder)
    note = site.notes()[-1] or ""
    identity = state_of(folder).identity
    assert identity is not None
    assert (identity.install, identity.after) == (INSTALL, sha256(note.encode()).hexdigest())


def test_there_is_nothing_to_keep_before_the_installation(log: Log, tmp_path: Path) -> None:
    folder = Fallback(tmp_path / "fallback", max_bytes=10_000, host="web-1")
    assert not remember_installation(folder)


def test_lines_cut_off_before_the_ingest_are_missed(
    folder: Fallback, superuser: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, 3)
    path = open_file(folder)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    monkeypatch.setattr("audit.queries.fallback_missing.SECONDS", -1)
    [done] = ingest(folder, now=NOW)
    assert not done.refused  # the file alone does not show it
    assert report_written(folder, now=NOW) == 1
    [missing] = missing_lines()
    assert (missing.file, missing.wrote, missing.taken) == (done.name, 3, 2)
    [said] = events(superuser, "fallback.wrote")
    assert said["diff"]["lines"] == [None, 3]


def test_nothing_is_missed_where_all_was_taken(
    folder: Fallback, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, 3)
    write(folder, 1, ROAMING)
    monkeypatch.setattr("audit.queries.fallback_missing.SECONDS", -1)
    assert report_written(folder, now=NOW) == 2
    assert {one.taken for one in missing_lines()} == {0}
    ingest(folder, now=NOW)
    assert missing_lines() == []
    assert report_written(folder, now=NOW) == 0


def test_a_thousand_lines_are_taken_in_one_piece(folder: Fallback, superuser: Connection) -> None:
    # Written without the writer, whose fsyncs are not what is looked at.
    begun = Beginning(INSTALL, source("web-1", stamp(NOW), MARKETING), AFTER)
    place, lines = begun.place, [begun.line()]
    for _ in range(1_200):
        made = happening(MARKETING, "access.denied", result="denied")
        line, place = next_line(event_bytes(made), begun.src, place)
        lines.append(line)
    open_file(folder).write_bytes(b"".join(lines))
    [done] = ingest(folder, now=NOW)
    assert done.line_count == 1_200
    assert rows(superuser, "SELECT count(*) FROM audit_pending") == [(1_201,)]


def test_the_chain_verifies_with_what_came_late(log: Log, tmp_path: Path) -> None:
    site = Site(log, tmp_path / "signer")
    folder = folder_at(tmp_path / "fallback")
    write(folder, 3)
    ingest(folder, now=NOW)
    assert site.sequence(10).entry_count >= 4
    assert site.sign()
    bodies = rows(
        site.superuser,
        "SELECT v.body FROM audit_entry e JOIN audit_event v"
        " ON v.id = e.event_id WHERE e.ws = %s ORDER BY e.seq",
        MARKETING,
    )
    assert [json.loads(body)["op"] for (body,) in bodies] == [
        "access.denied",
        "access.denied",
        "access.denied",
        "fallback.ingested",
    ]
