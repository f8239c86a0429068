"""What has happened and is not durable yet: outcomes and receipts of one session, flushed in
groups.

Nothing is given up here: while the database is away both wait in memory, the receipts unanswered,
and go in when it is back.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
import structlog

from smpp_client.carrier import Desk, InboundMessage, LeaseKey, Outcome, Receipt

FLUSH_SECONDS = 0.01
FLUSH_OUTCOMES = 200
RECEIPT_SECONDS = 0.05
# A receipt whose answer is not durable yet fits nothing, and is looked at twice.
CATCH_UP_SECONDS = 0.5
RETRY_SECONDS = 0.5
# An outcome that the database cannot take is tried again this much later.
ASIDE_SECONDS = 30.0
TIDY_SECONDS = 1.0
OUTCOMES_A_TIME = 500
# While the database works on one group, the next is made ready and the one before is answered.
# One at a time takes a quarter longer, and so do groups of twice the size: a peer brings more only
# as it is answered.
RECEIPTS_A_TIME = 1_000
GROUPS_UNDER_WAY = 2
MESSAGES_A_TIME = 50
# An SMSC waits about this long for deliver_sm_resp; before that it is told to come back.
RECEIPT_PATIENCE = 20.0

log = structlog.get_logger(__name__)


class OutcomeBook:
    """Outcomes that wait for the database.

    `open_count` is the part of the intent budget that is in use; `group` outcomes do not wait for
    more. One that the database cannot take is set aside, holds up no other, stays in the budget,
    and is tried again now and then. `waits_since` is since when something waits in vain, in
    monotonic seconds.
    """

    def __init__(self, desk: Desk, lease: LeaseKey, executor: Executor) -> None:
        self._desk = desk
        self._lease = lease
        self._executor = executor
        self._waiting: list[Outcome] = []
        self._aside: list[Outcome] = []
        self._aside_at = 0.0
        self._added = 0
        self._stored = 0
        self._turn = asyncio.Lock()
        self._wake = asyncio.Event()
        self._is_full = asyncio.Event()
        self._has_stored = asyncio.Event()
        self.open_count = 0
        self.group = FLUSH_OUTCOMES
        self.waits_since: float | None = None
        self.on_durable: Callable[[], None] = _nobody_waits

    def claimed(self, count: int) -> None:
        """Count segments whose intent is committed."""
        self.open_count += count

    def add(self, outcome: Outcome) -> None:
        """Take an outcome; it is durable some milliseconds later."""
        self._waiting.append(outcome)
        self._added += 1
        self._wake.set()
        if len(self._waiting) >= self.group:
            self._is_full.set()

    async def run(self) -> None:
        """Flush until cancelled: soon after the first outcome, sooner when there are many."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(ASIDE_SECONDS if self._aside else None):
                    await self._wake.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_SECONDS):
                    await self._is_full.wait()
            await self.flush()

    async def flush(self) -> None:
        """Make everything that waits durable; returns only when it is, or when the database is
        away. One at a time: who comes meanwhile waits for the other's end.
        """
        async with self._turn:
            self._wake.clear()
            self._is_full.clear()
            self._take_up_again()
            size = OUTCOMES_A_TIME
            while self._waiting:
                group = self._waiting[:size]
                stored = await self._store(group)
                if stored is None:
                    self._wake.set()
                    await asyncio.sleep(RETRY_SECONDS)
                    return
                if not stored and len(group) > 1:
                    # One of them spoils it: in halves, down to that one.
                    size = len(group) // 2
                    continue
                if not stored:
                    self._set_aside(group[0])
                self._done_with(group, stored)
                size = min(OUTCOMES_A_TIME, 2 * size)

    def _done_with(self, group: Sequence[Outcome], stored: int) -> None:
        del self._waiting[: len(group)]
        self._stored += len(group)
        self._has_stored.set()
        self.open_count = max(0, self.open_count - stored)
        self.on_durable()

    async def catch_up(self) -> None:
        """Return when all that was added before is durable; after a moment in any case."""
        wanted = self._added
        with suppress(TimeoutError):
            async with asyncio.timeout(CATCH_UP_SECONDS):
                while self._stored < wanted:
                    self._has_stored.clear()
                    await self._has_stored.wait()

    async def settle_all(self, patience: float) -> None:
        """Flush until nothing is left or patience ends."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + patience
        self._aside_at = float("-inf")
        await self.flush()
        while self._waiting and loop.time() < ends:
            await self.flush()

    def _take_up_again(self) -> None:
        """Try what was set aside once more, behind what waits."""
        if self._aside and time.monotonic() - self._aside_at >= ASIDE_SECONDS:
            self._waiting += self._aside
            self._added += len(self._aside)
            self._aside = []

    async def _store(self, group: Sequence[Outcome]) -> int | None:
        """Store a group and return how many of it are durable: all or none; None where the database
        is away.
        """
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._executor, self._desk.record, self._lease, group)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if self.waits_since is None:
                self.waits_since = time.monotonic()
                log.warning("outcomes_wait", count=len(self._waiting), error=str(error))
            return None
        except Exception as error:
            # By its name only: the error's text may quote what the peer sent.
            log.error("outcomes_not_stored", count=len(group), error=type(error).__name__)
            return 0
        if not self._aside:
            self.waits_since = None
        return len(group)

    def _set_aside(self, outcome: Outcome) -> None:
        self._aside.append(outcome)
        self._aside_at = time.monotonic()
        if self.waits_since is None:
            self.waits_since = self._aside_at


class ReceiptBook:
    """Receipts that wait for the database. Each is answered after its commit, and not before.

    `after` is waited for before a group is stored, so that the answers to its segments are known;
    `on_left` is told when some of a group could not be applied at once.
    """

    def __init__(
        self,
        desk: Desk,
        connection_id: int,
        executor: Executor,
        answer: Callable[[int, bool], None],
        *,
        after: Callable[[], Awaitable[None]],
        on_left: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._connection_id = connection_id
        self._executor = executor
        self._answer = answer
        self._after = after
        self._on_left = on_left
        self._waiting: list[tuple[int, Receipt, float]] = []
        self._wake = asyncio.Event()

    def add(self, ticket: int, receipt: Receipt) -> None:
        """Take a receipt; `ticket` is how the session knows what to answer."""
        self._waiting.append((ticket, receipt, time.monotonic()))
        self._wake.set()

    async def run(self) -> None:
        """Flush until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(RECEIPT_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Store what waits, a few groups at a time, and answer each after its commit."""
        self._wake.clear()
        under_way: deque[asyncio.Task[bool]] = deque()
        try:
            while self._waiting or under_way:
                if self._has_another(len(under_way)):
                    group = self._waiting[:RECEIPTS_A_TIME]
                    del self._waiting[: len(group)]
                    under_way.append(asyncio.create_task(self._keep(group)))
                elif not await under_way.popleft():
                    break
            else:
                return
            for task in under_way:
                await task
            self._turn_away()
            self._wake.set()
            await asyncio.sleep(RETRY_SECONDS)
        finally:
            for task in under_way:
                task.cancel()

    def _has_another(self, under_way: int) -> bool:
        """Whether a group is to be stored now: while others are under way, a full one."""
        least = RECEIPTS_A_TIME if under_way else 1
        return len(self._waiting) >= least and under_way < GROUPS_UNDER_WAY

    async def _keep(self, group: list[tuple[int, Receipt, float]]) -> bool:
        """Store a group and answer it; without a database it waits on, and False is returned."""
        await self._after()
        try:
            await self._store_group(group)
        except psycopg.Error as error:
            log.warning("receipts_wait", count=len(self._waiting), error=str(error))
            self._waiting[:0] = group
            return False
        return True

    async def _store_group(self, group: Sequence[tuple[int, Receipt, float]]) -> None:
        """Store a group and answer it. One that the database cannot take goes back to the peer and
        holds up no other.
        """
        try:
            await self._store([receipt for _ticket, receipt, _at in group])
        except Exception as error:
            if isinstance(error, psycopg.Error) and not isinstance(error, psycopg.DataError):
                raise
            if len(group) > 1:
                for one in group:
                    await self._store_group([one])
                return
            # By its name only: the error's text may quote the receipt.
            log.error("receipt_not_stored", error=type(error).__name__)
            self._answer(group[0][0], False)
            return
        for ticket, _receipt, _at in group:
            self._answer(ticket, True)

    def _turn_away(self) -> None:
        """Tell the peer to bring back what has waited too long: it is not ours before it is
        durable.
        """
        now = time.monotonic()
        late = [ticket for ticket, _receipt, at in self._waiting if now - at > RECEIPT_PATIENCE]
        self._waiting = [row for row in self._waiting if now - row[2] <= RECEIPT_PATIENCE]
        for ticket in late:
            self._answer(ticket, False)

    async def _store(self, receipts: Sequence[Receipt]) -> None:
        loop = asyncio.get_running_loop()
        left = await loop.run_in_executor(
            self._executor, self._desk.receive, self._connection_id, receipts
        )
        if left:
            self._on_left()


@dataclass
class _Open:
    """A message that waits for its commit; `ticket` is None once its session has ended."""

    ticket: int | None
    message: InboundMessage
    at: float


class MessageBook:
    """Subscribers' messages that wait for the database. Each is answered after its commit.

    An answer is known to have been read when the session that carried it lived for
    `settle_seconds` more, in which an enquire_link went back and forth; until then the peer may
    bring the message back.
    """

    def __init__(
        self,
        desk: Desk,
        connection_id: int,
        executor: Executor | None,
        answer: Callable[[int, bool], None],
        settle_seconds: float,
    ) -> None:
        self._desk = desk
        self._connection_id = connection_id
        self._executor = executor
        self._answer = answer
        self._settle_seconds = settle_seconds
        self._waiting: list[_Open] = []
        self._answered: list[tuple[float, InboundMessage]] = []
        self._wake = asyncio.Event()

    def add(self, ticket: int, message: InboundMessage) -> None:
        """Take a message; `ticket` is how the session knows what to answer."""
        self._waiting.append(_Open(ticket, message, asyncio.get_running_loop().time()))
        self._wake.set()

    def session_ended(self) -> None:
        """What waits is stored and not answered; what was answered just now may come again."""
        for one in self._waiting:
            one.ticket = None
        self._answered.clear()

    async def run(self) -> None:
        """Flush until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settle_seconds if self._answered else None):
                    await self._wake.wait()
            await asyncio.sleep(RECEIPT_SECONDS)
            await self.flush()
            await self._settle()

    async def flush(self) -> None:
        """Store what waits, then answer it."""
        self._wake.clear()
        while self._waiting:
            group = self._waiting[:MESSAGES_A_TIME]
            try:
                await self._store(group)
            except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                log.warning("messages_wait", count=len(self._waiting), error=type(error).__name__)
                self._turn_away()
                self._wake.set()
                await asyncio.sleep(RETRY_SECONDS)
                return
            del self._waiting[: len(group)]

    async def _store(self, group: Sequence[_Open]) -> None:
        """Store a group; what cannot be stored with the others goes alone, and back to the peer
        if it fails again.
        """
        try:
            await self._in(self._desk.receive_messages, [one.message for one in group])
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except Exception as error:
            if len(group) == 1:
                # By its name only: the error's text may quote the message.
                log.error("message_not_stored", error=type(error).__name__)
                self._tell(group[0], is_stored=False)
                return
            for one in group:
                await self._store([one])
            return
        for one in group:
            self._tell(one, is_stored=True)

    def _tell(self, one: _Open, *, is_stored: bool) -> None:
        if one.ticket is None:
            return
        self._answer(one.ticket, is_stored)
        if is_stored:
            self._answered.append((asyncio.get_running_loop().time(), one.message))

    def _turn_away(self) -> None:
        """Tell the peer to bring back what has waited too long: it is not ours before it is
        durable.
        """
        now = asyncio.get_running_loop().time()
        late = [one for one in self._waiting if now - one.at > RECEIPT_PATIENCE]
        self._waiting = [one for one in self._waiting if now - one.at <= RECEIPT_PATIENCE]
        for one in late:
            self._tell(one, is_stored=False)

    async def _settle(self) -> None:
        """Let the desk know which answers have been read."""
        until = asyncio.get_running_loop().time() - self._settle_seconds
        read = [message for at, message in self._answered if at <= until]
        if not read:
            return
        try:
            await self._in(self._desk.settle_messages, read)
        except psycopg.Error as error:
            log.warning("messages_not_settled", error=type(error).__name__)
            return
        self._answered = [row for row in self._answered if row[0] > until]

    async def _in(
        self, act: Callable[[int, Sequence[InboundMessage]], None], messages: list[InboundMessage]
    ) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._executor, act, self._connection_id, messages)


async def keep_tidy(desk: Desk, executor: Executor, wake: asyncio.Event) -> None:
    """Apply the receipts that could not be applied as they came: soon, and once a second in any
    case.
    """
    loop = asyncio.get_running_loop()
    while True:
        try:
            async with asyncio.timeout(TIDY_SECONDS):
                await wake.wait()
        except TimeoutError:
            pass
        wake.clear()
        await asyncio.sleep(RECEIPT_SECONDS)
        try:
            while await loop.run_in_executor(executor, desk.tidy):
                await asyncio.sleep(0)
        except psycopg.Error as error:
            log.warning("receipts_not_applied", error=str(error))
            await asyncio.sleep(RETRY_SECONDS)


def _nobody_waits() -> None:
    """Stands for the feeder while no session is fed."""


def utc_now() -> datetime:
    """Return the time of an outcome or receipt."""
    return datetime.now(UTC)
