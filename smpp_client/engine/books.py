"""What has happened and is not durable yet: outcomes and receipts of one session, flushed in
groups.

Nothing is given up here: while the database is away both wait in memory, the receipts unanswered,
and go in when it is back.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime

import psycopg
import structlog

from smpp_client.carrier import Desk, LeaseKey, Outcome, Receipt

FLUSH_SECONDS = 0.01
RECEIPT_SECONDS = 0.05
RETRY_SECONDS = 0.5
TIDY_SECONDS = 1.0
OUTCOMES_A_TIME = 500
RECEIPTS_A_TIME = 2_000
# An SMSC waits about this long for deliver_sm_resp; before that it is told to come back.
RECEIPT_PATIENCE = 20.0

log = structlog.get_logger(__name__)


class OutcomeBook:
    """Outcomes that wait for the database.

    `open_count` is the part of the intent budget that is in use.
    """

    def __init__(self, desk: Desk, lease: LeaseKey, executor: Executor) -> None:
        self._desk = desk
        self._lease = lease
        self._executor = executor
        self._waiting: list[Outcome] = []
        self._wake = asyncio.Event()
        self.open_count = 0
        self.is_stuck = False

    def claimed(self, count: int) -> None:
        """Count segments whose intent is committed."""
        self.open_count += count

    def add(self, outcome: Outcome) -> None:
        """Take an outcome; it is durable some milliseconds later."""
        self._waiting.append(outcome)
        self._wake.set()

    async def run(self) -> None:
        """Flush until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Make everything that waits durable; returns only when it is, or when the database is
        away.
        """
        self._wake.clear()
        while self._waiting:
            group = self._waiting[:OUTCOMES_A_TIME]
            if not await self._store(group):
                self._wake.set()
                await asyncio.sleep(RETRY_SECONDS)
                return
            del self._waiting[: len(group)]
            self.open_count = max(0, self.open_count - len(group))

    async def settle_all(self, patience: float) -> None:
        """Flush until nothing is left or patience ends."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + patience
        while self._waiting and loop.time() < ends:
            await self.flush()

    async def _store(self, group: Sequence[Outcome]) -> bool:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._executor, self._desk.record, self._lease, group)
        except psycopg.Error as error:
            if not self.is_stuck:
                log.warning("outcomes_wait", count=len(self._waiting), error=str(error))
            self.is_stuck = True
            return False
        self.is_stuck = False
        return True


class ReceiptBook:
    """Receipts that wait for the database. Each is answered after its commit, and not before."""

    def __init__(
        self,
        desk: Desk,
        connection_id: int,
        executor: Executor,
        answer: Callable[[int, bool], None],
    ) -> None:
        self._desk = desk
        self._connection_id = connection_id
        self._executor = executor
        self._answer = answer
        self._waiting: list[tuple[int, Receipt, float]] = []
        self._wake = asyncio.Event()

    def add(self, ticket: int, receipt: Receipt) -> None:
        """Take a receipt; `ticket` is how the session knows what to answer."""
        self._waiting.append((ticket, receipt, asyncio.get_running_loop().time()))
        self._wake.set()

    async def run(self) -> None:
        """Flush until cancelled."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(RECEIPT_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Store what waits, then answer it."""
        self._wake.clear()
        while self._waiting:
            group = self._waiting[:RECEIPTS_A_TIME]
            if not await self._store([receipt for _ticket, receipt, _at in group]):
                self._turn_away()
                self._wake.set()
                await asyncio.sleep(RETRY_SECONDS)
                return
            del self._waiting[: len(group)]
            for ticket, _receipt, _at in group:
                self._answer(ticket, True)

    def _turn_away(self) -> None:
        """Tell the peer to bring back what has waited too long: it is not ours before it is
        durable.
        """
        now = asyncio.get_running_loop().time()
        late = [ticket for ticket, _receipt, at in self._waiting if now - at > RECEIPT_PATIENCE]
        self._waiting = [row for row in self._waiting if now - row[2] <= RECEIPT_PATIENCE]
        for ticket in late:
            self._answer(ticket, False)

    async def _store(self, receipts: Sequence[Receipt]) -> bool:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(
                self._executor, self._desk.receive, self._connection_id, receipts
            )
        except psycopg.Error as error:
            log.warning("receipts_wait", count=len(self._waiting), error=str(error))
            return False
        return True


async def keep_tidy(desk: Desk, executor: Executor, wake: asyncio.Event) -> None:
    """Apply receipts soon after they came, and once a second in any case."""
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


def utc_now() -> datetime:
    """Return the time of an outcome or receipt."""
    return datetime.now(UTC)
