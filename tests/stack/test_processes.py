"""The product's processes: they start, stop when asked, and come back after a kill."""

import os

import psycopg
import pytest
from structlog.contextvars import bound_contextvars

from campaigns.tasks.sweeps import sweep_campaigns
from tests.conftest import Database
from tests.poll import poll
from tests.processes import Processes

pytestmark = pytest.mark.processes


def test_what_stops_when_asked_has_said_in_the_log_when_it_ran(
    processes: Processes, database: Database
) -> None:
    running = processes.start_together("worker", "web")
    assert [one.term() for one in running] == [0, 0]
    with psycopg.connect(database.url("superuser")) as superuser:
        query = (
            "SELECT actor_id, op, body::json -> 'diff' FROM audit_event"
            " WHERE op LIKE 'process.%' ORDER BY actor_id, id"
        )
        said = superuser.execute(query).fetchall()
    assert [one[:2] for one in said] == [
        ("web", "process.start"),
        ("web", "process.stop"),
        ("worker", "process.start"),
        ("worker", "process.stop"),
    ]
    folder = str(processes.data / "fallback")
    assert {one[2]["folder"][1] for one in said} == {folder}
    assert {one[2]["host"][1] for one in said} == {os.uname().nodename}


def test_the_sender_starts_again_after_a_kill(processes: Processes) -> None:
    sender = processes.start("sender")
    before = sender.pid
    sender.kill9()
    sender.start()
    assert sender.pid != before


def test_a_frozen_worker_is_not_gone(processes: Processes) -> None:
    worker = processes.start("worker")
    worker.freeze()
    assert worker.is_running
    worker.thaw()
    assert worker.term() == 0


def test_a_task_logs_the_request_that_asked_for_it(processes: Processes) -> None:
    worker = processes.start("worker")
    with bound_contextvars(request_id="asked-by-this"):
        sweep_campaigns.delay()
    sweep_campaigns.delay()
    poll(lambda: worker.log_text.count("campaigns.sweep[") >= 4, 30, "both tasks were run")
    done = [line for line in worker.log_text.splitlines() if "campaigns.sweep[" in line]
    assert sum("succeeded" in line and "asked-by-this" in line for line in done) == 1


def test_beat_starts_and_stops(processes: Processes) -> None:
    beat = processes.start("beat")
    assert beat.term() == 0


def test_logs_are_kept_over_starts(processes: Processes) -> None:
    beat = processes.start("beat")
    beat.kill9()
    beat.start()
    poll(lambda: beat.log_text.count("is starting") == 2, message="two starts in the log")
