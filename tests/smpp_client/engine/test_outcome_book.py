"""The book of outcomes: none is lost, and one that cannot be stored holds up no other."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

import psycopg
import pytest

from smpp_client.carrier import Kind, LeaseKey, Outcome, SegmentKey
from smpp_client.engine import books
from smpp_client.engine.books import OUTCOMES_A_TIME, OutcomeBook, utc_now

LEASE = LeaseKey(1, 1, 1)
REFUSALS = [psycopg.errors.StringDataRightTruncation("too long"), ValueError("no text")]


class Desk:
    """Its database raises `error` for a group with any of the positions `spoilt`; so many times
    `absences` it is away.
    """

    def __init__(self, error: Exception | None = None, spoilt: Sequence[int] = ()) -> None:
        self.error = error
        self.spoilt = set(spoilt)
        self.absences: dict[int, int] = {}
        self.stored: Counter[int] = Counter()

    def record(self, _lease: LeaseKey, outcomes: Sequence[Outcome]) -> None:
        """Store all or nothing."""
        positions = [outcome.key.position for outcome in outcomes]
        for position in positions:
            if self.absences.get(position):
                self.absences[position] -= 1
                raise psycopg.OperationalError("the database is away")
        if self.error is not None and self.spoilt & set(positions):
            raise self.error
        # Long enough for another flush to begin.
        time.sleep(0.01)
        self.stored.update(positions)


def book_of(desk: Desk, count: int) -> OutcomeBook:
    """Return a book with so many outcomes that wait."""
    book = OutcomeBook(desk, LEASE, None)  # type: ignore[arg-type]
    book.claimed(count)
    for position in range(count):
        key = SegmentKey(1, 1, position, 1)
        book.add(Outcome(key, 1, Kind.SUBMITTED, utc_now(), 0, f"id-{position}"))
    return book


def test_two_flushes_at_once_lose_nothing_when_the_database_goes_between_them() -> None:
    desk = Desk()
    count = OUTCOMES_A_TIME + 200

    async def story() -> OutcomeBook:
        book = book_of(desk, count)
        desk.absences[OUTCOMES_A_TIME] = 1
        await asyncio.gather(book.flush(), book.settle_all(5))
        await book.flush()
        return book

    book = asyncio.run(story())
    assert set(desk.stored) == set(range(count))
    assert book.open_count == 0
    assert book.waits_since is None


@pytest.mark.parametrize("error", REFUSALS, ids=["data", "value"])
def test_an_outcome_that_cannot_be_stored_waits_aside_and_goes_in_later(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(error, spoilt=[7, 300])

    async def story() -> None:
        book = book_of(desk, 700)
        await book.flush()
        assert set(desk.stored) == set(range(700)) - {7, 300}
        # What has no outcome yet is still part of the intent budget, and somebody is told.
        assert book.open_count == 2
        assert book.waits_since is not None
        desk.error = None
        monkeypatch.setattr(books, "ASIDE_SECONDS", 0)
        await book.flush()
        assert set(desk.stored) == set(range(700))
        assert book.open_count == 0
        assert max(desk.stored.values()) == 1

    asyncio.run(story())


def test_what_was_set_aside_is_tried_before_the_lease_is_left() -> None:
    desk = Desk(REFUSALS[0], spoilt=[1])

    async def story() -> None:
        book = book_of(desk, 3)
        await book.flush()
        desk.error = None
        await book.settle_all(1)
        assert book.open_count == 0

    asyncio.run(story())
    assert set(desk.stored) == {0, 1, 2}
