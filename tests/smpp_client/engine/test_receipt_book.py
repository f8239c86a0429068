"""The book of receipts: one that cannot be stored holds up no other."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
import pytest

from smpp_client.carrier import Receipt
from smpp_client.engine import books
from smpp_client.engine.books import RECEIPTS_A_TIME, ReceiptBook

PATIENCE = 30.0


class Desk:
    """Its database refuses the id `poison` with this error, and whatever comes with it."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.stored: list[str] = []

    def receive(self, _connection_id: int, receipts: Sequence[Receipt]) -> int:
        """Store all or nothing; those named `later` are left to be applied."""
        if any(one.smsc_id == "poison" for one in receipts):
            raise self.error
        self.stored += [one.smsc_id for one in receipts]
        return self.stored.count("later")


@dataclass
class Played:
    """What was stored, what each ticket was answered, and what else was done in which order."""

    stored: list[str] = field(default_factory=list)
    answers: dict[int, bool] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)


TOO_LONG = psycopg.errors.StringDataRightTruncation("too long")


async def played(*ids: str, error: Exception = TOO_LONG) -> Played:
    """Add receipts and flush."""
    desk, done = Desk(error), Played()

    async def caught_up() -> None:
        done.steps.append(f"answers first, {len(desk.stored)} stored")

    book = ReceiptBook(
        desk,  # type: ignore[arg-type]
        1,
        None,  # type: ignore[arg-type]
        done.answers.__setitem__,
        after=caught_up,
        on_left=lambda: done.steps.append("some are left"),
    )
    for ticket, smsc_id in enumerate(ids):
        book.add(ticket, Receipt(smsc_id, "delivered", "", datetime.now(UTC), b""))
    await book.flush()
    done.stored = desk.stored
    return done


@pytest.mark.parametrize("error", [TOO_LONG, ValueError("no text")], ids=["data", "value"])
def test_a_receipt_that_cannot_be_stored_goes_back_and_the_others_are_answered(
    error: Exception,
) -> None:
    done = asyncio.run(played("a", "poison", "b", error=error))
    assert done.stored == ["a", "b"]
    assert done.answers == {0: True, 1: False, 2: True}
    assert done.steps == ["answers first, 0 stored"]


def test_receipts_that_cannot_be_applied_at_once_are_told_of_after_the_answers_to_segments() -> (
    None
):
    done = asyncio.run(played("a", "later"))
    assert done.steps == ["answers first, 0 stored", "some are left"]


class SlowDesk:
    """Holds each group until it is let go; while it is away it refuses what it was handed."""

    def __init__(self) -> None:
        self.handed: list[list[str]] = []
        self.may_end: list[threading.Event] = [threading.Event() for _group in range(3)]
        self.is_away = False

    def receive(self, _connection_id: int, receipts: Sequence[Receipt]) -> int:
        """Take a group, and keep it until it may end."""
        self.handed.append([one.smsc_id for one in receipts])
        assert self.may_end[int(receipts[0].smsc_id) // RECEIPTS_A_TIME].wait(PATIENCE)
        if self.is_away:
            raise psycopg.OperationalError("away")
        return 0


async def until(happened: Callable[[], bool]) -> None:
    """Poll with a deadline."""
    async with asyncio.timeout(PATIENCE):
        while not happened():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def flood(
    desk: SlowDesk, answers: dict[int, bool], count: int = 3 * RECEIPTS_A_TIME
) -> AsyncIterator["asyncio.Task[None]"]:
    """Flush a book with so many receipts."""

    async def at_once() -> None:
        pass

    with ThreadPoolExecutor(2) as threads:
        book = ReceiptBook(
            desk,  # type: ignore[arg-type]
            1,
            threads,
            answers.__setitem__,
            after=at_once,
            on_left=lambda: None,
        )
        for ticket in range(count):
            book.add(ticket, Receipt(str(ticket), "delivered", "", datetime.now(UTC), b""))
        flushing = asyncio.create_task(book.flush())
        try:
            yield flushing
        finally:
            for event in desk.may_end:
                event.set()
            flushing.cancel()


def test_the_next_group_is_handed_over_while_one_is_stored_and_none_is_answered_early() -> None:
    async def play() -> None:
        desk, answers = SlowDesk(), dict[int, bool]()
        async with flood(desk, answers) as flushing:
            await until(lambda: len(desk.handed) == 2)
            assert answers == {}
            desk.may_end[0].set()
            await until(lambda: len(desk.handed) == 3)
            assert set(answers) == set(range(RECEIPTS_A_TIME))
            desk.may_end[1].set()
            desk.may_end[2].set()
            await flushing
        assert answers == dict.fromkeys(range(3 * RECEIPTS_A_TIME), True)
        assert sum(map(len, desk.handed)) == 3 * RECEIPTS_A_TIME

    asyncio.run(play())


def test_a_few_receipts_wait_for_the_group_that_is_stored() -> None:
    async def play() -> None:
        desk, answers = SlowDesk(), dict[int, bool]()
        async with flood(desk, answers, count=RECEIPTS_A_TIME + 5) as flushing:
            await until(lambda: len(desk.handed) == 1)
            for _turn in range(10):
                await asyncio.sleep(0)
            assert len(desk.handed) == 1
            for event in desk.may_end:
                event.set()
            await flushing
        assert [len(group) for group in desk.handed] == [RECEIPTS_A_TIME, 5]
        assert answers == dict.fromkeys(range(RECEIPTS_A_TIME + 5), True)

    asyncio.run(play())


def test_what_a_database_did_not_take_waits_on_unanswered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "RETRY_SECONDS", 0.0)

    async def play() -> None:
        desk, answers = SlowDesk(), dict[int, bool]()
        async with flood(desk, answers) as flushing:
            await until(lambda: len(desk.handed) == 2)
            desk.is_away = True
            for event in desk.may_end:
                event.set()
            await flushing
            assert answers == {}
            assert len(desk.handed) == 2

    asyncio.run(play())


def test_a_book_that_is_given_up_answers_nothing_more() -> None:
    async def play() -> None:
        desk, answers = SlowDesk(), dict[int, bool]()
        async with flood(desk, answers) as flushing:
            await until(lambda: len(desk.handed) == 2)
            flushing.cancel()
            with suppress(asyncio.CancelledError):
                await flushing
        # Both groups are stored now; their threads have told the loop.
        for _turn in range(10):
            await asyncio.sleep(0)
        assert answers == {}

    asyncio.run(play())
