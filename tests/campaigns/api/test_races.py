"""Pushes side by side with people: a pause gets through, a cancellation leaves nothing behind."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from uuid import uuid4

import psycopg
import pytest
from django.db import connections
from django.utils import timezone

from campaigns.actions import running
from campaigns.models import QueuedSegment
from tests.campaigns.api.care import Care, make_care
from tests.campaigns.sending.ground import counts, derived
from tests.conftest import Database
from tests.poll import poll
from workspaces.queries import keys as key_queries
from workspaces.queries.me import Me
from workspaces.scope import scope

PUSHERS = 12
PUSH = "SELECT refusal FROM push_message(%s, %s, %s, %s, %s, '{}', 1::smallint, %s, '', %s, 'test')"
# Pause and cancel take effect within a second (docs/failures.md, I5); this is the whole call.
SOON = 1.0
ROUNDS = 6
VERBS: Mapping[str, Callable[[int, Me, datetime], object]] = {
    "pause": lambda number, me, now: running.pause(number=number, by=me, now=now),
    "resume": lambda number, me, now: running.resume(number=number, by=me, now=now),
    "cancel": lambda number, me, now: running.cancel(number=number, by=me, why="stop", now=now),
}


@pytest.fixture
def desk(database: Database) -> Iterator[Care]:
    """A workspace in a database of its own, where every thread has its own connection."""
    key_queries.keys.cache_clear()
    yield make_care(daily_cap=100_000)
    key_queries.keys.cache_clear()


def test_a_pause_gets_through_while_many_push_as_fast_as_they_can(
    desk: Care, database: Database
) -> None:
    with _flooding(desk, database.url()) as refusals:
        for _ in range(ROUNDS):
            refusals.clear()
            poll(lambda: refusals.count(None) >= 50)
            assert _timed(desk, "pause") < SOON
            poll(lambda: "state" in refusals)
            assert _timed(desk, "resume") < SOON


def test_a_cancellation_takes_along_what_was_pushed_until_then(desk: Care) -> None:
    with _pushing(desk) as statuses:
        poll(lambda: statuses.count(201) >= 50)
        took = _timed(desk, "cancel")
        poll(lambda: 409 in statuses)
    assert took < SOON
    with scope(desk.place):
        assert counts(desk.campaign) == {"cancelled": statuses.count(201)} == derived(desk.campaign)
        assert not QueuedSegment.objects.exists()


def _timed(desk: Care, verb: str) -> float:
    started = time.monotonic()
    with scope(desk.place):
        VERBS[verb](desk.campaign.number, desk.admin, timezone.now())
    return time.monotonic() - started


@contextmanager
def _flooding(desk: Care, url: str) -> Iterator[list[str | None]]:
    """Let some connections push without a break, at the database itself: from threads of one
    process nothing comes fast enough to get in anybody's way. Yield the refusals so far.
    """
    refusals: list[str | None] = []

    def push(is_over: threading.Event) -> None:
        with psycopg.connect(url, autocommit=True) as wire:
            wire.execute("SELECT set_config('app.workspace', %s, false)", [str(desk.place.pk)])
            while not is_over.is_set():
                now, key = timezone.now(), desk.key.key.pk
                values = [desk.campaign.pk, now, now, b"f" * 16, b"n", uuid4(), key]
                refusals.extend(row[0] for row in wire.execute(PUSH, values))

    with _threads(push):
        yield refusals


@contextmanager
def _pushing(desk: Care) -> Iterator[list[int]]:
    """Let some threads push without a break; yield the statuses of their answers so far."""
    statuses: list[int] = []

    def push(is_over: threading.Event) -> None:
        mine = Care(desk.admin, desk.campaign, desk.key)
        while not is_over.is_set():
            statuses.append(mine.push().status_code)
        connections.close_all()

    with _threads(push):
        yield statuses


@contextmanager
def _threads(work: Callable[[threading.Event], None]) -> Iterator[None]:
    is_over = threading.Event()
    with ThreadPoolExecutor(PUSHERS) as threads:
        running_ = [threads.submit(work, is_over) for _ in range(PUSHERS)]
        try:
            yield
        finally:
            is_over.set()
            for one in running_:
                one.result(20)
