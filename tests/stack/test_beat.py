"""Of two schedulers one leads, also after the database has dropped its connection."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from message_center.beat import STANDBY_SECONDS, Lead, SingleScheduler
from message_center.celery import app
from tests.conftest import Database
from tests.poll import poll


@pytest.fixture
def leads(database: Database) -> Iterator[tuple[Lead, Lead]]:
    two = Lead(), Lead()
    yield two
    for one in two:
        one.close()


def cut(lead: Lead) -> None:
    with connection.cursor() as cursor:
        pid = lead._link.open.info.backend_pid
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


def test_one_leads_and_the_other_follows_when_it_is_gone(leads: tuple[Lead, Lead]) -> None:
    first, second = leads
    assert [first.is_ours(), second.is_ours(), first.is_ours()] == [True, False, True]
    first.close()
    # The server ends a session some moments after its client has left.
    poll(second.is_ours, 10, "the second does not lead")


def test_one_that_lost_its_lock_with_its_connection_leads_no_more(
    leads: tuple[Lead, Lead],
) -> None:
    first, second = leads
    assert first.is_ours()
    cut(first)
    assert second.is_ours()
    first.is_ours()  # it finds its connection gone, and cannot know who leads now
    assert not first.is_ours()


def test_one_that_stands_by_sends_nothing(leads: tuple[Lead, Lead], tmp_path: Path) -> None:
    leads[0].is_ours()
    scheduler = SingleScheduler(app=app, schedule_filename=str(tmp_path / "schedule"), lazy=True)
    assert scheduler.tick() == STANDBY_SECONDS
    scheduler.lead.close()


def test_celery_is_told_of_it() -> None:
    assert app.conf.beat_scheduler == f"{SingleScheduler.__module__}:{SingleScheduler.__name__}"
