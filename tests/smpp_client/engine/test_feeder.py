"""The feeder against a desk and a line in memory: what it claims ahead, and where that goes."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from smpp_client.carrier import Address, Kind, LeaseKey, Outcome, Room, Segment, SegmentKey, Work
from smpp_client.engine.books import OutcomeBook, utc_now
from smpp_client.engine.clock import lease_now
from smpp_client.engine.feeder import ANSWERS_A_TURN, STALE_SECONDS, STOOD_SECONDS, Feeder
from smpp_client.engine.leases import Share
from tests.smpp_client.engine.peers import account

LEASE = LeaseKey(1, 1, 1)


class Shelf:
    """A desk with as many segments as are asked for; it remembers what was claimed at once."""

    def __init__(self, total: int = 1_000_000) -> None:
        self.left = total
        self.open = 0
        self.most_open = 0
        self.claims: list[int] = []
        self.recorded: list[Outcome] = []

    def claim(self, lease: LeaseKey, *, room: Room, now: datetime) -> Work:
        """Give what fits the room."""
        count = min(room.segments, self.left)
        self.left -= count
        self.open += count
        self.most_open = max(self.most_open, self.open)
        self.claims.append(count)
        return Work([_segment(self.left + index) for index in range(count)], "")

    def record(self, lease: LeaseKey, outcomes: Sequence[Outcome]) -> None:
        """Take outcomes."""
        self.recorded.extend(outcomes)
        self.open -= len(outcomes)


@dataclass
class Far:
    """A line of which the far end answers when the test says so."""

    window: int
    is_closed: asyncio.Event = field(default_factory=asyncio.Event)
    written: deque[Segment] = field(default_factory=deque)
    written_count: int = 0
    times: list[float] = field(default_factory=list)

    @property
    def session(self) -> "Far":
        """How full it is."""
        return self

    @property
    def in_flight(self) -> int:
        """How many wait."""
        return len(self.written)

    @property
    def free(self) -> int:
        """How many more it takes."""
        return self.window - len(self.written)

    def submit(self, segments: Sequence[Segment]) -> None:
        """Take segments, never more than the window."""
        assert len(segments) <= self.free
        self.written.extend(segments)
        self.written_count += len(segments)
        self.times += [time.monotonic()] * len(segments)


class Slow(Shelf):
    """A desk whose claims are committed at once, and answered when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = threading.Event()

    def claim(self, lease: LeaseKey, *, room: Room, now: datetime) -> Work:
        """Give what fits the room, late."""
        work = super().claim(lease, room=room, now=now)
        assert self.may_answer.wait(20)
        return work


class Fed:
    """A feeder at work between a shelf and a far end."""

    def __init__(self, window: int, budget: int, rate: int, shelf: Shelf) -> None:
        self.shelf, self.far = shelf, Far(window)
        self.executor = ThreadPoolExecutor(2)
        self.stopping = asyncio.Event()
        self.released: list[Segment] = []
        nowhere = Path("none.pem")
        limits = {"rate": rate, "window": window, "budget": budget}
        settings = account(nowhere, nowhere, nowhere, 1, **limits)
        self.feeder = Feeder(settings, shelf, self.executor, self.stopping)  # type: ignore[arg-type]
        self.feeder.take_share(Share(rate, rate))
        self.book = OutcomeBook(shelf, LEASE, self.executor)  # type: ignore[arg-type]
        feed = self.feeder.feed(self.far, self.book, lambda: LEASE, self.released.extend)  # type: ignore[arg-type]
        self.tasks = [asyncio.create_task(self.book.run()), asyncio.create_task(feed)]

    def answer(self, count: int) -> None:
        """Let the far end accept the oldest segments."""
        for _ in range(min(count, len(self.far.written))):
            segment = self.far.written.popleft()
            self.book.add(Outcome(segment.key, 1, Kind.SUBMITTED, utc_now(), 0, "id"))
            self.feeder.nudge()

    async def end(self) -> None:
        """Close the line and wait for the feeder."""
        self.far.is_closed.set()
        await self.tasks[1]
        self.tasks[0].cancel()
        self.executor.shutdown()


def _segment(position: int) -> Segment:
    to = Address(1, 1, "447700900001")
    return Segment(SegmentKey(1, 1, position, 1), 1, Address(5, 0, "Bank"), to, b"Hi", 0, False)


def run(act: Coroutine[Any, Any, None]) -> None:
    """Run one story to its end."""
    asyncio.run(asyncio.wait_for(act, 30))


async def until(predicate: Any, seconds: float = 10.0) -> None:
    """Turn the loop until it is so."""
    ends = time.monotonic() + seconds
    while not predicate():
        assert time.monotonic() < ends, "not in time"
        await asyncio.sleep(0.002)


def stand_still(seconds: float) -> None:
    """Let the loop not turn for so long, as that of a process that is stopped."""
    time.sleep(seconds)


def test_what_was_claimed_ahead_is_released_when_the_session_ends() -> None:
    async def story() -> None:
        fed = Fed(window=100, budget=1_000, rate=100_000, shelf=Shelf())
        for _ in range(60):
            fed.answer(100)
            await asyncio.sleep(0.005)
        await until(lambda: fed.shelf.open > fed.far.in_flight)
        await fed.end()
        claimed = sum(fed.shelf.claims)
        assert claimed == fed.far.written_count + len(fed.released)
        assert len({segment.key for segment in fed.released}) == len(fed.released)

    run(story())


@pytest.mark.parametrize("budget", [30, 100, 250])
def test_the_intent_budget_is_never_passed(budget: int) -> None:
    async def story() -> None:
        fed = Fed(window=100, budget=budget, rate=100_000, shelf=Shelf())
        for turn in range(100):
            fed.answer(turn % 50)
            await asyncio.sleep(0.003)
        await fed.end()
        assert fed.shelf.most_open <= budget
        assert fed.far.written_count > budget

    run(story())


def test_a_full_window_asks_nothing_of_the_desk() -> None:
    async def story() -> None:
        fed = Fed(window=50, budget=50, rate=100_000, shelf=Shelf())
        await until(lambda: fed.far.free == 0)
        before = len(fed.shelf.claims)
        await asyncio.sleep(0.2)
        assert len(fed.shelf.claims) == before
        await fed.end()

    run(story())


def test_a_burst_of_answers_is_made_up_for_before_it_is_over() -> None:
    async def story() -> None:
        fed = Fed(window=100, budget=1_000, rate=100_000, shelf=Shelf())
        for _ in range(60):
            fed.answer(50)
            await asyncio.sleep(0.005)
        await until(lambda: fed.far.free == 0 and len(fed.feeder._ahead) > ANSWERS_A_TURN)
        before = fed.far.written_count
        fed.answer(100)
        assert fed.far.written_count >= before + ANSWERS_A_TURN
        await fed.end()

    run(story())


def test_claims_are_large_while_the_window_turns_over() -> None:
    async def story() -> None:
        fed = Fed(window=400, budget=800, rate=100_000, shelf=Shelf())
        for _ in range(300):
            fed.answer(20)
            await asyncio.sleep(0)
            await asyncio.sleep(0.001)
        await fed.end()
        assert sum(fed.shelf.claims) / len(fed.shelf.claims) >= 50

    run(story())


def test_what_waits_too_long_behind_a_full_window_is_given_back() -> None:
    async def story() -> None:
        fed = Fed(window=100, budget=1_000, rate=100_000, shelf=Shelf(total=2_000))
        for _ in range(60):
            fed.answer(20)
            await asyncio.sleep(0.005)
        await until(lambda: fed.shelf.left == 0 or bool(fed.released), 5)
        await until(lambda: len(fed.feeder._ahead) == 0, STALE_SECONDS * 5)
        await fed.end()
        assert sum(fed.shelf.claims) == fed.far.written_count + len(fed.released)

    run(story())


def test_a_slow_rate_leaves_evenly_and_no_second_passes_it() -> None:
    async def story() -> None:
        fed = Fed(window=100, budget=100, rate=100, shelf=Shelf())
        ends = time.monotonic() + 2.5
        while time.monotonic() < ends:
            fed.answer(100)
            await asyncio.sleep(0.002)
        await fed.end()
        times = fed.far.times
        for at in times:
            assert sum(at <= other < at + 0.95 for other in times) <= 101
        assert len(times) > 100

    run(story())


def test_what_waited_while_the_sender_stood_still_is_not_written_when_answers_come() -> None:
    async def story() -> None:
        fed = Fed(window=100, budget=1_000, rate=100_000, shelf=Shelf())
        for _ in range(60):
            fed.answer(50)
            await asyncio.sleep(0.005)
        await until(lambda: fed.far.free == 0 and len(fed.feeder._ahead) > ANSWERS_A_TURN)
        old = {segment.key for segment in fed.feeder._ahead}
        before = fed.far.written_count
        stand_still(STALE_SECONDS + 0.1)
        fed.answer(100)
        assert fed.far.written_count == before
        await until(lambda: len(fed.released) > 0)
        assert old <= {segment.key for segment in fed.released}
        await fed.end()

    run(story())


def test_what_was_claimed_before_the_sender_stood_still_is_given_back() -> None:
    async def story() -> None:
        shelf = Slow()
        fed = Fed(window=50, budget=100, rate=100_000, shelf=shelf)
        await until(lambda: len(shelf.claims) == 1)
        shelf.may_answer.set()
        stand_still(STOOD_SECONDS + 0.2)
        await until(lambda: fed.far.written_count > 0)
        assert len(fed.released) == shelf.claims[0]
        old = {segment.key for segment in fed.released}
        assert not old & {segment.key for segment in fed.far.written}
        await fed.end()

    run(story())


def test_what_a_slow_database_gives_is_written() -> None:
    async def story() -> None:
        shelf = Slow()
        fed = Fed(window=50, budget=50, rate=100_000, shelf=shelf)
        await until(lambda: len(shelf.claims) == 1)
        await asyncio.sleep(STOOD_SECONDS + 0.5)
        shelf.may_answer.set()
        await until(lambda: fed.far.written_count > 0)
        assert not fed.released
        await fed.end()

    run(story())


def test_a_late_claim_does_not_make_young_what_waited_for_it() -> None:
    async def story() -> None:
        shelf = Slow()
        fed = Fed(window=50, budget=100, rate=100_000, shelf=shelf)
        await until(lambda: len(shelf.claims) == 1)
        old = _segment(2_000_000)
        fed.feeder._take([old], lease_now(), fed.book)
        await asyncio.sleep(STALE_SECONDS + 0.1)
        shelf.may_answer.set()
        await until(lambda: fed.far.written_count > 0)
        assert fed.released == [old]
        assert old not in fed.far.written
        await fed.end()

    run(story())
