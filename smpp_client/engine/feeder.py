"""Feeds one session: claims a little ahead of what it takes, writes as its window opens."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress

import psycopg
import structlog

from smpp_client.carrier import Bound as RoomBound
from smpp_client.carrier import Desk, Fenced, LeaseKey, Room, Segment
from smpp_client.engine.accounts import Account
from smpp_client.engine.books import FLUSH_OUTCOMES, OutcomeBook, utc_now
from smpp_client.engine.clock import lease_now
from smpp_client.engine.leases import NOTHING, Share
from smpp_client.engine.lines import Line
from smpp_client.engine.tools import pause
from smpp_client.rules.pace import FLOWING, Bucket, Throttle

IDLE_SECONDS = 0.05
# A claim and its commit cost about as much as fifty segments: smaller rooms wait this long to grow.
GROW_SECONDS = 0.01
BATCH = 400
# Claims and flushes in parts of the intent budget, so that some are on their way while others fill.
PARTS = 8
# What is claimed while the window is full waits in memory: as much as leaves in this time, no more,
# so that an urgent message passes soon. What has waited much longer is given back: a pause or a
# STOP may have come meanwhile.
AHEAD_SECONDS = 0.05
STALE_SECONDS = 0.4
PACE_SECONDS = 0.1
# So many answers are made up for before more of them are looked at: what leaves in one burst comes
# back in one, and while that is worked through the peer waits.
ANSWERS_A_TURN = 32
CLAIM_AGAIN_SECONDS = 0.5
# While a claim is under way the loop is seen to turn this often; where one turn took longer than
# the other, this process stood still. The database may take as long as it likes.
TURN_SECONDS, STOOD_SECONDS = 0.25, 1.0

log = structlog.get_logger(__name__)


class Pace:
    """How many segments a second were written lately: what a claim made ahead may count on."""

    def __init__(self, now: float) -> None:
        self._since = now
        self._count = 0
        self._rate = 0.0

    def add(self, count: int) -> None:
        """Count what was written."""
        self._count += count

    def rate(self, now: float) -> float:
        """Return the rate of the last full stretch of time."""
        passed = now - self._since
        if passed >= PACE_SECONDS:
            self._rate = self._count / passed
            self._since, self._count = now, 0
        return self._rate


class Feeder:
    """Claims and writes for one slot, under one lease.

    The bucket, the throttle and a standstill outlive sessions: a new bind begins no new burst. The
    rate is the slot's share of the connection's, 0 while there is no session.
    """

    def __init__(
        self, account: Account, desk: Desk, executor: Executor, stopping: asyncio.Event
    ) -> None:
        self.throttle = Throttle.full(0, time.monotonic())
        self.standstill = FLOWING
        self.share = NOTHING
        self._account = account
        self._desk = desk
        self._executor = executor
        self._stopping = stopping
        self._bucket = Bucket(0, time.monotonic())
        self._may_be_spent = False
        self._line: Line | None = None
        self._ahead: deque[Segment] = deque()
        self._ahead_count = 0
        # Of lease_now: what a machine that sleeps holds grows old too.
        self._claimed_at = 0.0
        self._small_since = 0.0
        self._pace = Pace(time.monotonic())
        self._news = asyncio.Event()
        self._is_turn_due = False
        self._nudges = 0

    def follow(self, account: Account) -> None:
        """Take other settings of the same connection from now on."""
        self._account = account

    def begin_lease(self, epoch: int) -> None:
        """Whoever held the lease before may have used up the second that runs."""
        self._may_be_spent = epoch > 1

    def take_share(self, share: Share) -> None:
        """Send at most this much from now on."""
        now = time.monotonic()
        if self._may_be_spent and share.segments:
            self._bucket.assume_spent(share.rate + 1, now)
            self._may_be_spent = False
        if share.segments and share.segments != self.throttle.ceiling:
            self.throttle = self.throttle.scaled(share.segments, now)
        self.share = share

    def slow_down(self, status: int, written_at: float) -> None:
        """The peer complained about a segment written at this monotonic time."""
        self.throttle = self.throttle.slowed(status, time.monotonic(), written_at=written_at)

    async def feed(
        self,
        wire: Line,
        book: OutcomeBook,
        lease: Callable[[], LeaseKey | None],
        release: Callable[[list[Segment]], None],
    ) -> None:
        """Claim what the room allows and write it until the session or the slot ends.

        What was claimed for a session that ended meanwhile goes to `release`: no byte of it left.
        """
        self._line, book.on_durable = wire, self.nudge
        try:
            while not wire.is_closed.is_set() and not self._stopping.is_set():
                self._news.clear()
                if self._is_stale:
                    self._give_back(release)
                await self._feed_once(wire, book, lease, release)
        finally:
            self._line = None
            self._give_back(release)

    def nudge(self) -> None:
        """Say that the window or the budget has room again. Many nudges make one look."""
        self._nudges += 1
        if self._nudges >= ANSWERS_A_TURN:
            self._turn()
        elif not self._is_turn_due:
            self._is_turn_due = True
            asyncio.get_running_loop().call_soon(self._turn_later)

    def _turn_later(self) -> None:
        self._is_turn_due = False
        self._turn()

    def _turn(self) -> None:
        self._nudges = 0
        self._news.set()
        if self._ahead and not self._is_stale and self._line is not None:
            now = time.monotonic()
            self._bucket.spend(self._write(self._line, self._bucket.room(now)), now)

    @property
    def _is_stale(self) -> bool:
        return bool(self._ahead) and lease_now() - self._claimed_at > STALE_SECONDS

    async def _feed_once(
        self,
        wire: Line,
        book: OutcomeBook,
        lease: Callable[[], LeaseKey | None],
        release: Callable[[list[Segment]], None],
    ) -> None:
        book.group = min(max(self._account.budget // PARTS, 1), FLUSH_OUTCOMES)
        room = self._room(wire, book)
        if seconds := self._wait_for_room(room, book):
            await self._wait(seconds)
            return
        self._small_since = 0.0
        work, claimed_at = await self._claim(room, wire, lease())
        if not work:
            await pause(self._stopping, IDLE_SECONDS)
            return
        if self._is_stale:  # what comes now must not make it young again
            self._give_back(release)
        self._take(work, claimed_at, book)
        if not wire.is_closed.is_set() and not self._is_stale:
            now = time.monotonic()
            self._bucket.spend(self._write(wire, self._ahead_count), now)

    def _take(self, work: list[Segment], claimed_at: float, book: OutcomeBook) -> None:
        count = sum(segment.covers for segment in work)
        book.claimed(count)
        self._claimed_at = claimed_at
        self._ahead.extend(work)
        self._ahead_count += count

    def _write(self, line: Line, most: int) -> int:
        """Write what the window takes of what is claimed; return how many segments."""
        free = min(line.session.free, self._may_try(line))
        going: list[Segment] = []
        count = 0
        while self._ahead and len(going) < free and count < most:
            going.append(self._ahead.popleft())
            count += going[-1].covers
        if going:
            self._ahead_count -= count
            self._pace.add(count)
            line.submit(going)
        return count

    def _may_try(self, line: Line) -> float:
        return self.standstill.room(line.session.in_flight, time.monotonic())

    def _give_back(self, release: Callable[[list[Segment]], None]) -> None:
        segments = list(self._ahead)
        self._ahead.clear()
        self._ahead_count = 0
        if segments:
            release(segments)

    def _room(self, wire: Line, book: OutcomeBook) -> Room:
        """Return what may be claimed now, and what sets that."""
        now = time.monotonic()
        allowed = min(self.throttle.allowed(now), self.share.segments)
        if self._bucket.rate != allowed:
            is_part = self.share.segments < self.share.rate
            self._bucket.set_rate(allowed, now, is_part=is_part)
        by_rate = RoomBound.RATE if allowed >= self.share.segments else RoomBound.THROTTLED
        ahead = self._ahead_count
        may_wait = min(int(self._pace.rate(now) * AHEAD_SECONDS), 2 * BATCH)
        left = self._account.budget - book.open_count
        rooms = [
            Room(self._bucket.room(now) - ahead, by_rate, allowed),
            Room(wire.session.free + may_wait - ahead, RoomBound.WINDOW, wire.session.in_flight),
            Room(left, RoomBound.BUDGET, book.open_count),
        ]
        if self.standstill.is_on:
            rooms.append(Room(int(self._may_try(wire)) - ahead, RoomBound.STANDSTILL, 0))
        tightest = min(rooms, key=lambda room: room.segments)
        return Room(min(tightest.segments, BATCH), tightest.bound, tightest.limit)

    def _wait_for_room(self, room: Room, book: OutcomeBook) -> float:
        """Return the seconds until it is worth another look; 0 to claim now.

        The bucket knows when it has room; a full window or budget waits for the peer or the disk,
        which nudge. A room that stays small is taken as it is.
        """
        now = time.monotonic()
        is_by_rate = room.bound in {RoomBound.RATE, RoomBound.THROTTLED}
        if room.segments <= 0:
            return min(IDLE_SECONDS, self._bucket.ready_in(now)) if is_by_rate else IDLE_SECONDS
        if room.segments >= self._least(room, book, is_by_rate=is_by_rate):
            return 0.0
        self._small_since = self._small_since or now
        return max(self._small_since + GROW_SECONDS - now, 0.0)

    def _least(self, room: Room, book: OutcomeBook, *, is_by_rate: bool) -> int:
        if is_by_rate:
            return min(int(room.limit * GROW_SECONDS), BATCH)
        return min(BATCH // 2, self._account.budget // PARTS) if book.open_count else 0

    async def _wait(self, seconds: float) -> None:
        """Wait for a nudge, but not longer than this."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()

    async def _claim(
        self, room: Room, wire: Line, lease: LeaseKey | None
    ) -> tuple[list[Segment], float]:
        """Return what was claimed, and since when (of lease_now) it may have been."""
        if lease is None:
            return [], 0.0
        loop = asyncio.get_running_loop()
        claim = loop.run_in_executor(self._executor, self._claimed, lease, room)
        try:
            claimed_at = await _young_since(claim)
            return claim.result(), claimed_at
        except Fenced:
            wire.drop("Another sender has this connection now.")
        except psycopg.Error as error:
            log.warning("not_claimed", connection=self._account.name, error=str(error))
            await pause(self._stopping, CLAIM_AGAIN_SECONDS)
        return [], 0.0

    def _claimed(self, lease: LeaseKey, room: Room) -> list[Segment]:
        return list(self._desk.claim(lease, room=room, now=utc_now()).segments)


async def _young_since(claim: "asyncio.Future[list[Segment]]") -> float:
    """Wait for a claim; return since when, of lease_now, its result may have lain there.

    That is now, or before this process stood still: a pause or a STOP may have come meanwhile. How
    long the claim itself took says nothing: after a slow database it is as young as any.
    """
    stood_since = None
    try:
        while not claim.done():
            since = lease_now()
            await asyncio.wait([claim], timeout=TURN_SECONDS)
            if stood_since is None and (seconds := lease_now() - since) > STOOD_SECONDS:
                log.warning("stood_still", seconds=round(seconds, 1))
                stood_since = since
    finally:
        claim.cancel()  # who waits no longer wants none that has not begun
    return lease_now() if stood_since is None else stood_since
