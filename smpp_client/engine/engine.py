"""The engine: one event loop that runs a slot for each enabled connection and follows changes of
their settings.
"""

import asyncio
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress

import psycopg
import structlog
from django.utils.translation import gettext as _

from smpp_client.carrier import Desk
from smpp_client.engine.accounts import Account, read_accounts
from smpp_client.engine.board import Board
from smpp_client.engine.books import GROUPS_UNDER_WAY, keep_tidy, utc_now
from smpp_client.engine.certificates import Alarms, CertificateWatch
from smpp_client.engine.leases import Leases
from smpp_client.engine.link import Link
from smpp_client.engine.slot import Slot
from smpp_client.engine.tools import Tools, in_thread
from smpp_client.engine.unusable import UnusableBoard

LOOK_SECONDS = 1.0
STOP_SECONDS = 25.0

# A slot that does not come up with other settings holds the next one up for this long.
ROLL_PATIENCE = 30.0
# A slot whose work broke is not started anew before this has passed.
REST_SECONDS = 10.0

Running = tuple[Slot, asyncio.Task[None]]

log = structlog.get_logger(__name__)


def tell_end(done: "asyncio.Task[None]") -> None:
    """Log what ended a task that nobody waits for: without it the engine would look well."""
    if not done.cancelled() and (error := done.exception()) is not None:
        log.error("engine_task_failed", task=done.get_name(), exc_info=error)


class Engine:
    """Runs until `stop`.

    `alive_at` is monotonic seconds of the loop's last turn, for a watchdog outside of it.
    """

    def __init__(
        self,
        desk: Desk,
        *,
        owner: str,
        lease_seconds: float,
        renew_seconds: float,
        alarms: Alarms | None = None,
    ) -> None:
        self.alive_at = time.monotonic()
        self._desk = desk
        self._owner = owner
        self._lease_seconds = lease_seconds
        self._renew_seconds = renew_seconds
        self._alarms = alarms
        self._accounts: list[Account] = []
        self._slots: dict[tuple[int, int], Running] = {}
        # When a slot that failed is tried again, in monotonic seconds.
        self._rest_until: dict[tuple[int, int], float] = {}
        self._link = Link()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    def run(self) -> None:
        """Run the loop in this thread until `stop`; raises what breaks it."""
        asyncio.run(self._run())

    def stop(self) -> None:
        """Ask the engine to drain and end; may be called from any thread, more than once."""
        if self._loop is not None and self._stopping is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stopping.set)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        with (
            ThreadPoolExecutor(1, "claims") as claims,
            ThreadPoolExecutor(1, "outcomes") as outcomes,
            ThreadPoolExecutor(GROUPS_UNDER_WAY, "receipts") as receipts,
            ThreadPoolExecutor(1, "books") as books,
            ThreadPoolExecutor(1, "applying") as applying,
        ):
            tools = self._tools(claims, outcomes, receipts, books)
            tidying = keep_tidy(self._desk, applying, tools.receipts_left)
            tidy = asyncio.create_task(tidying, name="tidy")
            heart = asyncio.create_task(self._beat(), name="heart")
            watch = asyncio.create_task(self._watch_certificates(tools), name="certificates")
            for task in (tidy, heart, watch):
                task.add_done_callback(tell_end)
            try:
                await self._follow(tools, self._stopping)
            finally:
                await self._stop_all()
                heart.cancel()
                watch.cancel()
                tidy.cancel()
                tools.leases.close()
                tools.board.close()
                self._link.close()

    def _tools(
        self, claims: Executor, outcomes: Executor, receipts: Executor, books: Executor
    ) -> Tools:
        return Tools(
            desk=self._desk,
            leases=Leases(self._owner, self._lease_seconds, self._renew_seconds),
            board=Board(),
            claims=claims,
            outcomes=outcomes,
            receipts=receipts,
            books=books,
            renew_seconds=self._renew_seconds,
            receipts_left=asyncio.Event(),
        )

    async def _beat(self) -> None:
        while True:
            self.alive_at = time.monotonic()
            await asyncio.sleep(0.5)

    async def _watch_certificates(self, tools: Tools) -> None:
        if self._alarms is not None:
            watch = CertificateWatch(tools.keepers, self._alarms, tools.books)
            await watch.run(lambda: self._accounts)

    async def _follow(self, tools: Tools, stopping: asyncio.Event) -> None:
        """Look for changed connections once a second until told to stop."""
        unusable = UnusableBoard(tools.board)
        while not stopping.is_set():
            try:
                accounts, broken = await in_thread(tools.books, read_accounts, self._link)
                # What is up goes on with the settings that it was bound with.
                unread = {one.id for one in broken}
                accounts += [one for one in self._accounts if one.id in unread]
                self._accounts = accounts
                await self._match(accounts, tools)
                await in_thread(tools.books, unusable.show, broken, utc_now())
            except psycopg.Error as error:
                log.warning("connections_not_read", error=str(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await stopping.wait()

    async def _match(self, accounts: list[Account], tools: Tools) -> None:
        """Start, stop and restart slots until they match the settings."""
        for key, (slot, task) in list(self._slots.items()):
            if task.done():
                del self._slots[key]
                self._look_at_end(key, slot, task)
        wanted = {account.id: account for account in accounts}
        for slot, _task in self._slots.values():
            account = wanted.get(slot.account.id)
            if account is None or slot.place not in account.places:
                slot.stop()
            elif slot.account.binds_like(account) and slot.account.version != account.version:
                slot.follow(account)
        for account in accounts:
            self._roll(account)
            self._start_missing(account, tools)

    def _look_at_end(self, key: tuple[int, int], slot: Slot, task: asyncio.Task[None]) -> None:
        """Let a slot that failed rest: it must not keep the others from sending."""
        error = task.exception()
        if error is None:
            return
        log.error("slot_failed", connection=slot.account.name, exc_info=error)
        slot.stop()
        slot.reporter.fail("alarm", _("The sender failed here. It tries again in some seconds."))
        self._rest_until[key] = time.monotonic() + REST_SECONDS

    def _roll(self, account: Account) -> None:
        """Let slots bind anew with other settings: those without a session at once, the others one
        after the other, so that traffic goes on over the rest.
        """
        slots = [slot for slot, _task in self._slots.values() if slot.account.id == account.id]
        old = [slot for slot in slots if not slot.account.binds_like(account)]
        for slot in old:
            if not slot.is_bound:
                slot.stop()
        fresh = [slot for slot in slots if slot not in old]
        since = time.monotonic() - ROLL_PATIENCE
        is_busy = any(slot.is_stopping for slot in old) or any(
            not slot.is_bound and slot.began_at > since for slot in fresh
        )
        waiting = [slot for slot in old if not slot.is_stopping]
        if waiting and not is_busy:
            waiting[0].stop()

    def _start_missing(self, account: Account, tools: Tools) -> None:
        for place in account.places:
            key = (account.id, place.number)
            if key not in self._slots and self._rest_until.get(key, 0.0) <= time.monotonic():
                slot = Slot(account, place, tools)
                name = f"slot-{account.name}-{place.number}"
                self._slots[key] = (slot, asyncio.create_task(slot.run(), name=name))

    async def _stop_all(self) -> None:
        """Drain every slot; what does not end in time is cut."""
        tasks = [task for _slot, task in self._slots.values()]
        for slot, _task in self._slots.values():
            slot.stop()
        if tasks:
            _done, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
