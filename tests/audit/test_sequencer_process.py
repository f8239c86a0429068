"""The sequencer as a process: killed, doubled, cut off and stopped."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from audit.queries import chains
from audit.queries.verification import verify
from audit.rules.chain import Entry, first_link, follow
from audit.rules.findings import Outside
from tests.audit.conftest import Log
from tests.audit.make import (
    INSTALL,
    MARKETING,
    NOW,
    ROAMING,
    Connection,
    append,
    open_chains,
    rows,
)
from tests.poll import poll
from tests.processes import Processes

pytestmark = pytest.mark.processes


@pytest.fixture
def log(own_log: Log) -> Log:
    """The log that the processes work on."""
    return own_log


@contextmanager
def writers(log: Log, *workspaces: object) -> Iterator[list[int]]:
    """Write an event after another into each workspace; the list holds how many were committed."""
    counts = [0] * len(workspaces)
    enough = threading.Event()

    def write(number: int) -> None:
        with psycopg.connect(log.ground.url("app", log.name)) as connection:
            while not enough.is_set():
                append(connection, ws=workspaces[number])
                connection.commit()
                counts[number] += 1

    threads = [threading.Thread(target=write, args=[number]) for number in range(len(workspaces))]
    for thread in threads:
        thread.start()
    try:
        yield counts
    finally:
        enough.set()
        for thread in threads:
            thread.join()


def pending(superuser: Connection) -> int:
    [(count,)] = rows(superuser, "SELECT count(*) FROM audit_pending")
    return int(count)


def check_chain(superuser: Connection, ws: object, slot: int) -> int:
    """Recompute a chain from its genesis and return its length."""
    query = (
        "SELECT e.seq, e.at, e.prev, e.hash, v.leaf, v.body FROM audit_entry e"
        " JOIN audit_event v ON v.id = e.event_id WHERE e.ws = %s ORDER BY e.seq"
    )
    link = first_link(
        INSTALL, MARKETING if slot == 1 else ROAMING, slot, NOW + timedelta(seconds=slot)
    )
    for row in rows(superuser, query, ws):
        link = follow(link, Entry(*row))
    return link.seq


def kill_often(
    log: Log, processes: Processes, superuser: Connection, workspaces: list[UUID], times: int
) -> list[int]:
    """Kill and start the sequencer while events come; return how many each writer committed."""
    sequencer = processes.start("sequencer")
    with writers(log, *workspaces) as counts:
        for _ in range(times):
            before = sum(counts)
            poll(lambda seen=before: sum(counts) > seen + 40, 60)  # type: ignore[misc]
            sequencer.kill9()
            sequencer.start()
    poll(lambda: pending(superuser) == 0, 60)
    return counts


def test_five_kills_under_two_writers_lose_and_double_nothing(
    log: Log, processes: Processes, runtime: Connection, superuser: Connection
) -> None:
    open_chains(runtime)
    counts = kill_often(log, processes, superuser, [MARKETING, ROAMING], 5)
    assert [check_chain(superuser, MARKETING, 1), check_chain(superuser, ROAMING, 2)] == counts


@pytest.mark.alone
@pytest.mark.timeout(900)
def test_twenty_kills_under_four_writers_lose_and_double_nothing(
    log: Log, processes: Processes, runtime: Connection, superuser: Connection
) -> None:
    open_chains(runtime)
    four = [MARKETING, ROAMING, MARKETING, ROAMING]
    counts = kill_often(log, processes, superuser, four, 20)
    lengths = [check_chain(superuser, MARKETING, 1), check_chain(superuser, ROAMING, 2)]
    assert lengths == [counts[0] + counts[2], counts[1] + counts[3]]
    chains.see_everything(superuser)
    report = verify(superuser, workspace=None, outside=Outside(), now=datetime.now(UTC))
    broken = [finding for finding in report.findings if not finding.is_warning]
    assert (broken, report.waiting_count) == ([], 0)
    assert report.epoch_count == rows(superuser, "SELECT count(*) FROM audit_epoch")[0][0]


def test_a_second_sequencer_leaves_with_a_sentence(
    log: Log, processes: Processes, runtime: Connection
) -> None:
    open_chains(runtime)
    processes.start("sequencer")
    second = processes.prepare("sequencer", known_as="second")
    second.begin()
    poll(lambda: not second.is_running, 20)
    assert second.exit_code == 1
    assert "Another audit sequencer is running" in second.log_text


def test_an_event_is_numbered_at_once(
    processes: Processes, runtime: Connection, superuser: Connection
) -> None:
    open_chains(runtime)
    processes.start("sequencer")
    append(runtime)
    poll(lambda: rows(superuser, "SELECT 1 FROM audit_entry WHERE ws = %s", MARKETING), 10)


def test_a_sequencer_that_was_cut_off_goes_on_by_itself(
    processes: Processes, runtime: Connection, superuser: Connection
) -> None:
    open_chains(runtime)
    sequencer = processes.start("sequencer")
    superuser.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'message-center-sequencer' AND datname = current_database()"
    )
    append(runtime)
    poll(lambda: rows(superuser, "SELECT 1 FROM audit_entry WHERE ws = %s", MARKETING), 15)
    assert sequencer.is_running


def test_it_stops_cleanly_when_asked(processes: Processes, runtime: Connection) -> None:
    open_chains(runtime)
    assert processes.start("sequencer").term() == 0


def test_it_waits_for_the_installation(
    processes: Processes, runtime: Connection, superuser: Connection
) -> None:
    processes.start("sequencer")
    open_chains(runtime)
    poll(lambda: rows(superuser, "SELECT 1 FROM audit_epoch"))
    told = "SELECT op FROM audit_event WHERE ws = %s"
    assert poll(lambda: rows(superuser, told, INSTALL)) == [("sequencer.start",)]


def test_one_that_is_frozen_is_followed_and_goes_when_it_wakes_up(
    log: Log, processes: Processes, runtime: Connection, superuser: Connection
) -> None:
    open_chains(runtime)
    frozen = processes.start("sequencer")
    frozen.freeze()
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    poll(lambda: rows(superuser, held) == [(0,)], 60)
    other = processes.start("sequencer", known_as="other")
    append(runtime)
    poll(lambda: pending(superuser) == 0, 30)
    frozen.thaw()
    poll(lambda: not frozen.is_running, 30)
    assert "Another audit sequencer is running" in frozen.log_text
    append(runtime)
    poll(lambda: pending(superuser) == 0, 30)
    assert other.is_running
    assert check_chain(superuser, MARKETING, 1) == 2
