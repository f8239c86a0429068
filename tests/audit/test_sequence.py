"""The sequencer, step by step, over a real database in its own role."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from audit.actions.sequence import AlreadyRunning, HeadMoved, Sequencer, number_first
from audit.rules.canonical import decode_event, stamp
from audit.rules.chain import Entry, first_link, follow
from audit.rules.clock import Reading
from audit.rules.epochs import Epoch, Head, heads_root, read_epoch
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
    without_guards,
)

SECRET = b"s" * 32
HOUR = 3600.0


def reading(seconds: float = 0, *, stepped: float = 0) -> Reading:
    """Both clocks so long after NOW; `stepped` is how far the wall clock was moved."""
    return Reading(NOW + timedelta(seconds=seconds + stepped), 1000 + seconds)


def start(log: Log, epoch_seconds: float = HOUR) -> Sequencer:
    return Sequencer(log.connect("sequencer"), secret=SECRET, epoch_seconds=epoch_seconds)


@pytest.fixture
def sequencer(log: Log, runtime: Connection) -> Sequencer:
    """A sequencer that has recorded its own start and fixed the first epoch."""
    open_chains(runtime)
    sequencer = start(log)
    sequencer.step(reading())
    return sequencer


def chain(superuser: Connection, ws: Any) -> list[Entry]:
    query = (
        "SELECT e.seq, e.at, e.prev, e.hash, v.leaf, v.body FROM audit_entry e"
        " JOIN audit_event v ON v.id = e.event_id WHERE e.ws = %s ORDER BY e.seq"
    )
    return [Entry(*row) for row in rows(superuser, query, ws)]


def operations(superuser: Connection, ws: Any) -> list[str]:
    return [str(decode_event(entry.body.encode())["op"]) for entry in chain(superuser, ws)]


def epochs(superuser: Connection) -> list[Epoch]:
    found = rows(superuser, "SELECT body FROM audit_epoch ORDER BY epoch")
    return [read_epoch(body.encode()) for (body,) in found]


def test_events_are_numbered_and_linked_by_workspace(
    sequencer: Sequencer, runtime: Connection, superuser: Connection
) -> None:
    for ws in (MARKETING, ROAMING, MARKETING):
        append(runtime, ws=ws)
    assert sequencer.step(reading(1)).entry_count == 3
    for slot, ws in ((1, MARKETING), (2, ROAMING)):
        link = first_link(INSTALL, ws, slot, NOW + timedelta(seconds=slot))
        for entry in chain(superuser, ws):
            link = follow(link, entry)
        [(seq, hash_)] = rows(superuser, "SELECT seq, hash FROM audit_head WHERE ws = %s", ws)
        assert (link.seq, link.hash) == (seq, hash_)


def test_a_numbered_event_leaves_the_queue(
    sequencer: Sequencer, runtime: Connection, superuser: Connection
) -> None:
    append(runtime)
    sequencer.step(reading(1))
    assert rows(superuser, "SELECT * FROM audit_pending") == []


def test_an_event_that_commits_late_is_numbered_later_and_not_skipped(
    log: Log, sequencer: Sequencer, runtime: Connection, superuser: Connection
) -> None:
    slow = log.connect("app")
    slow.autocommit = False
    late = append(slow)
    early = append(runtime)
    sequencer.step(reading(1))
    slow.commit()
    sequencer.step(reading(2))
    query = "SELECT v.eid FROM audit_entry e JOIN audit_event v ON v.id = event_id WHERE e.ws = %s"
    assert rows(superuser, f"{query} ORDER BY seq", MARKETING) == [(early.eid,), (late.eid,)]


def test_an_event_of_a_chain_that_is_not_open_waits(
    log: Log, runtime: Connection, superuser: Connection
) -> None:
    append(runtime)
    sequencer = start(log)
    assert sequencer.step(reading()).entry_count == 0
    open_chains(runtime)
    sequencer.step(reading(1))
    assert operations(superuser, MARKETING) == ["campaign.approve"]


def test_a_second_sequencer_refuses_to_start(log: Log, sequencer: Sequencer) -> None:
    with pytest.raises(AlreadyRunning):
        start(log)


def test_the_start_of_the_sequencer_is_the_first_entry_of_the_system_chain(
    sequencer: Sequencer, superuser: Connection
) -> None:
    assert operations(superuser, INSTALL) == ["sequencer.start"]


def test_time_in_the_log_never_goes_back(
    sequencer: Sequencer, runtime: Connection, superuser: Connection
) -> None:
    for number, ws in enumerate((MARKETING, ROAMING, MARKETING), start=1):
        append(runtime, ws=ws)
        sequencer.step(reading(number, stepped=-60.0 * number))
    times = rows(superuser, "SELECT at FROM audit_entry e ORDER BY event_id")
    assert all(before <= after for before, after in pairwise(times))


def test_time_does_not_go_back_over_a_restart(
    log: Log, sequencer: Sequencer, runtime: Connection, superuser: Connection
) -> None:
    sequencer._connection.close()
    append(runtime)
    start(log).step(reading(0, stepped=-HOUR))
    assert chain(superuser, MARKETING)[0].at == NOW


@pytest.mark.parametrize("stepped", [-3600.0, 3 * 3600.0])
def test_a_step_of_the_clock_is_recorded_once(
    sequencer: Sequencer, superuser: Connection, stepped: float
) -> None:
    for seconds in (1, 2, 3):
        sequencer.step(reading(seconds, stepped=stepped))
    assert operations(superuser, INSTALL) == ["sequencer.start", "clock.step"]
    event = decode_event(chain(superuser, INSTALL)[1].body.encode())
    assert event["diff"]["clock"] == [
        stamp(reading(1).wall),
        stamp(reading(1, stepped=stepped).wall),
    ]


def test_a_clock_behind_the_log_is_recorded_at_the_start(
    log: Log, sequencer: Sequencer, superuser: Connection
) -> None:
    sequencer._connection.close()
    start(log).step(reading(1, stepped=-HOUR))
    assert operations(superuser, INSTALL)[1:] == ["sequencer.start", "clock.step"]


def test_the_slewing_of_a_time_daemon_is_no_step(
    sequencer: Sequencer, superuser: Connection
) -> None:
    sequencer.step(reading(1, stepped=-0.5))
    assert operations(superuser, INSTALL) == ["sequencer.start"]


def test_an_epoch_fixes_the_heads_of_all_chains(
    sequencer: Sequencer, runtime: Connection, superuser: Connection
) -> None:
    append(runtime)
    sequencer.step(reading(HOUR))
    heads = [
        Head(*row)
        for row in rows(superuser, "SELECT slot, ws, seq, hash FROM audit_head ORDER BY 1")
    ]
    last = epochs(superuser)[-1]
    assert (last.chains, last.heads) == (3, heads_root(SECRET, last.number, heads).hex())


def test_epochs_fall_on_the_hour_with_or_without_events(
    sequencer: Sequencer, superuser: Connection
) -> None:
    for seconds in (1, HOUR - 1, HOUR, HOUR + 1, 2 * HOUR):
        sequencer.step(reading(seconds))
    hours = [stamp(NOW + timedelta(hours=hour)) for hour in range(3)]
    assert [epoch.at for epoch in epochs(superuser)] == hours


def test_epochs_come_on_while_a_clock_that_was_put_back_is_behind_the_log(
    sequencer: Sequencer, superuser: Connection
) -> None:
    sequencer.step(reading(1, stepped=10 * 365 * 24 * HOUR))
    before = len(epochs(superuser))
    counts = []
    for seconds in (2, HOUR, HOUR + 1, HOUR + 2, 2 * HOUR, 2 * HOUR + 1):
        sequencer.step(reading(seconds))
        counts.append(len(epochs(superuser)) - before)
    assert counts == [0, 0, 1, 1, 1, 2]
    times = [epoch.at for epoch in epochs(superuser)]
    assert times == sorted(times)


def test_every_epoch_follows_the_one_before(sequencer: Sequencer, superuser: Connection) -> None:
    sequencer.step(reading(HOUR))
    first, second = epochs(superuser)
    assert (second.number, second.prev) == (1, first.leaf().hex())


def test_a_privileged_operation_is_fixed_at_once(
    sequencer: Sequencer, runtime: Connection, superuser: Connection
) -> None:
    append(runtime, op="role.grant")
    step = sequencer.step(reading(1))
    assert step.epoch is not None
    assert step.epoch.at == stamp(NOW + timedelta(seconds=1))


def test_other_operations_wait_for_the_next_epoch(
    sequencer: Sequencer, runtime: Connection
) -> None:
    append(runtime)
    assert sequencer.step(reading(1)).epoch is None


def test_an_epoch_keeps_the_lengths_that_changed(
    sequencer: Sequencer, runtime: Connection, superuser: Connection
) -> None:
    append(runtime, ws=ROAMING)
    sequencer.step(reading(HOUR))
    found = rows(superuser, "SELECT epoch, slot, seq FROM audit_epoch_change ORDER BY 1, 2")
    assert found == [(0, 0, 1), (0, 1, 0), (0, 2, 0), (1, 2, 1)]


def test_no_epoch_before_the_system_chain(log: Log) -> None:
    assert start(log).step(reading()).epoch is None


def test_more_than_a_batch_is_numbered_in_several_steps(
    sequencer: Sequencer, runtime: Connection, superuser: Connection
) -> None:
    with runtime.transaction():
        for _ in range(510):
            append(runtime)
    steps = [sequencer.step(reading(number)) for number in (1, 2)]
    assert [(step.entry_count, step.is_full) for step in steps] == [(500, True), (10, False)]
    assert [entry.seq for entry in chain(superuser, MARKETING)] == list(range(1, 511))


def test_a_head_that_was_set_back_stops_the_sequencer(
    sequencer: Sequencer, runtime: Connection, superuser: Connection
) -> None:
    append(runtime)
    sequencer.step(reading(1))
    with without_guards(superuser):
        superuser.execute("UPDATE audit_head SET seq = 0 WHERE ws = %s", [MARKETING])
    append(runtime)
    with pytest.raises(HeadMoved):
        sequencer.step(reading(2))


def test_a_step_that_fails_writes_nothing(
    sequencer: Sequencer, runtime: Connection, superuser: Connection
) -> None:
    with without_guards(superuser):
        superuser.execute("UPDATE audit_head SET seq = 0 WHERE slot = 0")
    append(runtime, ws=ROAMING)
    append(runtime, ws=INSTALL)
    with pytest.raises(HeadMoved):
        sequencer.step(reading(2))
    assert rows(superuser, "SELECT count(*) FROM audit_pending") == [(2,)]
    assert chain(superuser, ROAMING) == []


def test_a_sequencer_goes_on_where_the_last_one_stopped(
    log: Log, sequencer: Sequencer, runtime: Connection, superuser: Connection
) -> None:
    append(runtime)
    sequencer.step(reading(1))
    sequencer._connection.close()
    append(runtime)
    start(log).step(reading(2))
    link = first_link(INSTALL, MARKETING, 1, NOW + timedelta(seconds=1))
    for entry in chain(superuser, MARKETING):
        link = follow(link, entry)
    assert link.seq == 2


def test_a_moment_is_stored_to_the_microsecond(
    sequencer: Sequencer, runtime: Connection, superuser: Connection
) -> None:
    moment: datetime = NOW + timedelta(seconds=1, microseconds=123456)
    append(runtime)
    sequencer.step(Reading(moment, 1001.123456))
    assert chain(superuser, MARKETING)[0].at == moment


def test_a_new_installation_is_numbered_before_there_is_a_sequencer(
    log: Log, runtime: Connection, superuser: Connection
) -> None:
    open_chains(runtime)
    append(runtime, ws=INSTALL, op="install.create")
    owner = log.connect("owner")
    assert number_first(owner, NOW + timedelta(seconds=1)) == 1
    owner.close()
    assert epochs(superuser) == []
    start(log).step(reading(HOUR))
    first = chain(superuser, INSTALL)[0]
    assert (first.seq, first.at) == (1, NOW + timedelta(seconds=1))
    assert operations(superuser, INSTALL) == ["install.create", "sequencer.start"]


def test_where_a_sequencer_runs_nobody_else_numbers(
    log: Log, sequencer: Sequencer, runtime: Connection
) -> None:
    append(runtime)
    assert number_first(log.connect("owner"), NOW) == 0
    assert sequencer.step(reading(1)).entry_count == 1
