"""Feeds one session: asks how much it takes, claims that much, writes it."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress

import psycopg
import structlog

from smpp_client.carrier import Bound as RoomBound
from smpp_client.carrier import Desk, Fenced, LeaseKey, Room, Segment
from smpp_client.engine.accounts import Account
from smpp_client.engine.books import OutcomeBook, utc_now
from smpp_client.engine.leases import NOTHING, Share
from smpp_client.engine.lines import Line
from smpp_client.rules.pace import Bucket, Throttle

IDLE_SECONDS = 0.05
FULL_SECONDS = 0.002
CLAIM_AGAIN_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Feeder:
    """Claims and writes for one slot, under one lease.

    The bucket and the throttle outlive sessions: a new bind begins no new burst. Their rate is the
    slot's share of the connection's, 0 while there is no session.
    """

    def __init__(
        self, account: Account, desk: Desk, executor: Executor, stopping: asyncio.Event
    ) -> None:
        self.throttle = Throttle.full(0, time.monotonic())
        self.share = NOTHING
        self._account = account
        self._desk = desk
        self._executor = executor
        self._stopping = stopping
        self._bucket = Bucket(0, time.monotonic())
        self._may_be_spent = False

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
        while not wire.is_closed.is_set() and not self._stopping.is_set():
            room = self._room(wire, book)
            if room.segments <= 0:
                await asyncio.sleep(self._wait_for_room(room))
                continue
            work = await self._claim(room, wire, lease())
            if not work:
                await self._pause(IDLE_SECONDS)
                continue
            count = sum(segment.covers for segment in work)
            book.claimed(count)
            self._bucket.spend(count, time.monotonic())
            if wire.is_closed.is_set():
                release(work)
            else:
                wire.submit(work)

    def _room(self, wire: Line, book: OutcomeBook) -> Room:
        """Return what the session takes now, and what sets that."""
        now = time.monotonic()
        allowed = min(self.throttle.allowed(now), self.share.segments)
        if self._bucket.rate != allowed:
            is_part = self.share.segments < self.share.rate
            self._bucket.set_rate(allowed, now, is_part=is_part)
        by_rate = RoomBound.RATE if allowed >= self.share.segments else RoomBound.THROTTLED
        left = self._account.budget - book.open_count
        rooms = [
            Room(self._bucket.room(now), by_rate, allowed),
            Room(wire.session.free, RoomBound.WINDOW, wire.session.in_flight),
            Room(left, RoomBound.BUDGET, book.open_count),
        ]
        return min(rooms, key=lambda room: room.segments)

    def _wait_for_room(self, room: Room) -> float:
        """Return the seconds until it is worth another look.

        The bucket knows when it has room; a full window or budget waits for the peer or the disk.
        """
        if room.bound in {RoomBound.WINDOW, RoomBound.BUDGET}:
            return FULL_SECONDS
        return min(IDLE_SECONDS, self._bucket.ready_in(time.monotonic()))

    async def _claim(self, room: Room, wire: Line, lease: LeaseKey | None) -> list[Segment]:
        if lease is None:
            return []
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._executor, self._claimed, lease, room
            )
        except Fenced:
            wire.drop("Another sender has this connection now.")
        except psycopg.Error as error:
            log.warning("not_claimed", connection=self._account.name, error=str(error))
            await self._pause(CLAIM_AGAIN_SECONDS)
        return []

    def _claimed(self, lease: LeaseKey, room: Room) -> list[Segment]:
        return list(self._desk.claim(lease, room=room, now=utc_now()).segments)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than until the slot stops."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
