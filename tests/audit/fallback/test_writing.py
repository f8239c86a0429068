"""Writing while the database is away: durable, chained, one after another, never dropped."""

import ast
import fcntl
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from pathlib import Path

import pytest

from audit.actions.fallback import Fallback
from audit.queries.fallback_findings import Tone, document, problems, tone_of
from audit.rules.canonical import MAX_BYTES, decode_event
from audit.rules.events import event_bytes
from audit.rules.fallback import SPARE_BYTES, NotRecorded, late_event
from message_center.stack.product import ROOT
from tests.audit.fallback.ground import (
    CAP,
    all_eids,
    denied,
    files,
    folder_at,
    no_room_beyond,
    open_file,
    read,
    sign_in_failure,
    state_of,
    write,
    write_until_refused,
)
from tests.audit.make import MARKETING, NOW, ROAMING

MAY_END_IN_A_FILE = re.compile(r"record_(denied|outage)\(|record\(.*using=DENIED", re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Fallback:
    return folder_at(tmp_path / "fallback")


def test_events_stand_in_the_file_in_their_order(folder: Fallback) -> None:
    made = write(folder, 3)
    found = read(open_file(folder))
    assert [line.ev for line in found.lines] == [event_bytes(one) for one in made]


def test_the_place_that_is_returned_is_the_lines(folder: Fallback) -> None:
    write(folder)
    place = folder.append(denied(), {})
    assert read(open_file(folder)).head == place


def test_each_chain_has_a_file_of_its_own(folder: Fallback) -> None:
    write(folder, 2, MARKETING)
    write(folder, 1, ROAMING)
    assert read(open_file(folder, MARKETING)).head.n == 2
    assert read(open_file(folder, ROAMING)).head.n == 1


def test_nobody_else_may_read_the_folder(folder: Fallback) -> None:
    failure, personal = sign_in_failure()
    folder.append(failure, personal)
    found = [path for path in folder.path.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o077 for path in found if path.suffix == ".jsonl"} == {0}
    assert folder.path.stat().st_mode & 0o077 == 0


def test_personal_values_lie_beside_the_file_and_not_in_it(folder: Fallback) -> None:
    failure, personal = sign_in_failure()
    folder.append(failure, personal)
    assert b"192.0.2.7" not in open_file(folder, failure.workspace).read_bytes()
    [private] = files(folder, "private")
    assert "192.0.2.7" in private.read_text()


def test_no_subscribers_number_can_lie_beside_a_file() -> None:
    """Of what may be written to one, these are the personal values; docs/attacks.md names them."""
    given = {
        name.value
        for call in _calls_that_may_end_in_a_file()
        for word in call.keywords
        if word.arg == "personal"
        for name in ast.walk(word.value)
        if isinstance(name, ast.Constant)
    }
    assert given == {"account", "address"}


def _calls_that_may_end_in_a_file() -> Iterator[ast.Call]:
    apps = ("audit", "workspaces", "smpp_client", "campaigns", "message_center")
    for path in chain.from_iterable((ROOT / app).rglob("*.py") for app in apps):
        text = path.read_text(encoding="utf-8")
        if MAY_END_IN_A_FILE.search(text):
            calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
            yield from (call for call in calls if MAY_END_IN_A_FILE.match(ast.unparse(call)))


def test_an_event_of_any_length_keeps_room_for_what_the_ingest_adds(folder: Fallback) -> None:
    longest = denied(
        why="x" * 4000, diff={f"field_{number}": (None, "y" * 900) for number in range(64)}
    )
    folder.append(longest, {})
    [line] = read(open_file(folder)).lines
    late = late_event(line.ev, file_sha256="ab" * 32, line=10**9, host="h" * 60)
    assert len(line.ev) <= MAX_BYTES - SPARE_BYTES
    assert decode_event(late)["why"].startswith("xxx")


def test_a_torn_last_line_ends_its_file_and_nothing_else(folder: Fallback) -> None:
    made = write(folder, 2)
    with open_file(folder).open("ab") as handle:
        handle.write(b'{"ev":{"act"')
    made += write(folder, 1)
    [aside] = files(folder, "waiting")
    assert read(aside).reading.torn_bytes == 12
    assert read(open_file(folder)).head.n == 1
    assert sorted(all_eids(folder)) == sorted(str(one.eid) for one in made)


def test_a_damaged_file_is_put_aside_for_a_person_and_writing_goes_on(folder: Fallback) -> None:
    write(folder, 2)
    path = open_file(folder)
    path.write_bytes(path.read_bytes().replace(b"denied", b"failed"))
    write(folder, 1)
    assert read(path).head.n == 1
    assert len(files(folder, "waiting")) == 1


def test_two_files_of_one_moment_have_two_names(folder: Fallback) -> None:
    for _ in range(3):
        write(folder)
        folder.put_all_aside()
    assert len(files(folder, "waiting")) == 3


def test_before_the_database_was_ever_seen_nothing_can_be_recorded(tmp_path: Path) -> None:
    folder = Fallback(tmp_path / "new", max_bytes=CAP, host="web-1")
    with pytest.raises(NotRecorded, match="has not seen the installation's database"):
        folder.append(denied(), {})
    assert state_of(folder).lost_count == 1
    assert tone_of(state_of(folder)) is Tone.BAD


# --- what cannot be written ---------------------------------------------------------------------


def test_above_the_cap_a_record_is_refused_and_counted_and_what_is_there_stays(
    tmp_path: Path,
) -> None:
    folder = folder_at(tmp_path / "fallback", cap=2_000)
    made, refused = write_until_refused(folder)
    assert "cap of 2,000 bytes" in str(refused)
    with pytest.raises(NotRecorded):
        write(folder)
    state = state_of(folder, 2_000)
    assert all_eids(folder) == [str(one.eid) for one in made]
    assert (state.lost_count, state.is_full) == (2, True)
    assert "cap of" in " ".join(problems(state))


def test_the_alarm_says_since_when_and_why(tmp_path: Path) -> None:
    folder = folder_at(tmp_path / "fallback", cap=100)
    for minutes in (0, 5):
        with pytest.raises(NotRecorded):
            folder.append(denied(at=NOW + timedelta(minutes=minutes)), {})
    alarm = state_of(folder).alarm
    assert alarm is not None
    assert (alarm.count, alarm.since[:16], alarm.last[:16]) == (
        2,
        "2026-03-01T09:00",
        "2026-03-01T09:05",
    )
    assert "cap" in alarm.why


def test_a_full_disk_refuses_counts_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    folder = folder_at(tmp_path / "fallback")
    made = write(folder, 2)
    # Room for two lines and a half.
    line = open_file(folder).stat().st_size // 2
    with no_room_beyond(line * 9 // 2):
        more, refused = write_until_refused(folder)
    made += more
    assert "No space left on device" in str(refused)
    assert len(more) > 0
    assert state_of(folder).lost_count == 1
    assert read(open_file(folder)).reading.torn_bytes == 0
    made += write(folder, 3)
    assert all_eids(folder) == [str(one.eid) for one in made]


def test_a_folder_that_cannot_be_written_is_told_in_memory_until_it_can(tmp_path: Path) -> None:
    folder = Fallback(tmp_path / "a-file" / "fallback", max_bytes=CAP, host="web-1")
    (tmp_path / "a-file").write_text("in the way")
    with pytest.raises(NotRecorded):
        folder.append(denied(), {})
    assert folder.memory.lost_count == 1
    (tmp_path / "a-file").unlink()
    folder.flush_alarm(at=NOW, why="later")
    assert (folder.memory.lost_count, state_of(folder).lost_count) == (0, 1)


def test_a_writer_that_is_frozen_holds_nobody_up_for_good(folder: Fallback) -> None:
    other = Fallback(folder.path, max_bytes=CAP, host="web-1")
    with folder.locked(), pytest.raises(OSError, match="for too long"), other.locked(0.05):
        pass


def test_the_lock_goes_with_its_process(folder: Fallback) -> None:
    script = (
        "import fcntl, os, sys; h = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT);"
        " fcntl.flock(h, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", script, str(folder.path / "lock")]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        handle = os.open(folder.path / "lock", os.O_RDWR)
        with pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(handle)
        holder.kill()
        holder.wait()
    write(folder)


# --- several at once ----------------------------------------------------------------------------


def test_threads_keep_one_chain(folder: Fallback) -> None:
    threads = [threading.Thread(target=write, args=(folder, 20)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(open_file(folder)).head.n == 80


def test_processes_that_write_at_once_keep_one_chain(folder: Fallback) -> None:
    words = [sys.executable, "-m", "tests.audit.fallback.writer", str(folder.path), "150"]
    running = [
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(2)
    ]
    said = [process.communicate(timeout=60)[0].split() for process in running]
    assert [process.returncode for process in running] == [0, 0]
    found = read(open_file(folder))
    assert found.head.n == 300
    assert sorted(found.eids) == sorted(said[0] + said[1])


# --- its state ----------------------------------------------------------------------------------


def test_the_state_counts_what_waits(folder: Fallback) -> None:
    write(folder, 3)
    folder.put_all_aside()
    write(folder, 2)
    state = state_of(folder)
    assert [(one.room, one.line_count) for one in state.files] == [("open", 2), ("waiting", 3)]
    assert (state.line_count, state.has_work, tone_of(state)) == (5, True, Tone.WARN)
    assert state.used_bytes == sum(one.size for one in state.files)
    assert document(state)["lines"] == 5


def test_a_folder_that_is_not_there_yet_has_a_state(tmp_path: Path) -> None:
    state = state_of(Fallback(tmp_path / "none", max_bytes=CAP, host="x"))
    assert (state.files, state.line_count, state.alarm) == ((), 0, None)
    assert tone_of(state) is Tone.BAD
