"""The lease of one bind slot: taken, kept, its share of the rate asked for, made room with, given
back.
"""

import asyncio
import math
import time
from contextlib import suppress
from functools import partial

import psycopg
import structlog
from django.utils.translation import gettext as _

from smpp_client.engine.accounts import Account, Place
from smpp_client.engine.clock import lease_now
from smpp_client.engine.feeder import Feeder
from smpp_client.engine.leases import Held
from smpp_client.engine.lines import Line
from smpp_client.engine.reporter import Reporter
from smpp_client.engine.tools import Tools, in_thread, pause

LEASE_POLL_SECONDS = 0.5
SHARE_SECONDS = 0.5
HOLD_BACK_SECONDS = 0.1
ROOM_SECONDS = 1.0
# After a slot was given to a sender that joined: how long this one leaves it alone, when the next
# one moves, and when it is tried again if nobody took it.
LEAVE_SECONDS, MOVE_SECONDS, STAY_SECONDS = 3.0, 5.0, 300.0

log = structlog.get_logger(__name__)


class Tenure:
    """Holds a slot's lease, or waits for it. The slot says which `line` it serves now and whether
    it `is_bound`; a lease that is lost, or given to another sender, ends the line.
    """

    def __init__(
        self,
        account: Account,
        place: Place,
        tools: Tools,
        feeder: Feeder,
        reporter: Reporter,
        stopping: asyncio.Event,
    ) -> None:
        self.held: Held | None = None
        self.line: Line | None = None
        self.is_bound = False
        self.is_leaving = False
        self.has_share = asyncio.Event()
        self.share_due = asyncio.Event()
        self._account = account
        self._place = place
        self._tools = tools
        self._crew = tools.crews[account.id]
        self._feeder = feeder
        self._reporter = reporter
        self._stopping = stopping
        self._left_at = float("-inf")
        self._looked_at = float("-inf")

    def follow(self, account: Account) -> None:
        """Take other settings of the connection that need no new bind."""
        self._account = account
        self.share_due.set()

    async def take(self) -> bool:
        """Take the slot's lease: one slot at a time, and the more of the connection's slots this
        process holds, the longer it lets others go first.
        """
        pk, tools = self._account.id, self._tools
        try:
            async with tools.turns[pk]:
                await pause(self._stopping, HOLD_BACK_SECONDS * tools.held_counts[pk])
                self.held = await in_thread(tools.books, tools.leases.take, pk, self._place.number)
        except psycopg.Error as error:
            log.warning("lease_not_taken", connection=self._account.name, error=str(error))
            self.held = None
        if self.held is None:
            if self._reporter.seen.state != "down" or not self._reporter.seen.sentence:
                self._reporter.observe("down", _("Another sender has this connection."))
            await pause(self._stopping, LEASE_POLL_SECONDS)
            return False
        if time.monotonic() - self._left_at < MOVE_SECONDS:
            self._tools.moves_at[self._account.id] = time.monotonic() + STAY_SECONDS
        self._tools.held_counts[self._account.id] += 1
        self._feeder.begin_lease(self.held.key.epoch)
        return True

    async def leave_alone(self) -> None:
        """Let a sender that joined take the slot; if it does not, this one has it for long."""
        if self.is_leaving:
            await pause(self._stopping, LEAVE_SECONDS)
            self.is_leaving, self._left_at = False, time.monotonic()
            self._tools.moves_at[self._account.id] = self._left_at + MOVE_SECONDS

    async def settle_earlier(self) -> None:
        """Make unknown what earlier owners of the lease left without an outcome."""
        while self.held is not None and not self._stopping.is_set():
            try:
                count = await in_thread(
                    self._tools.outcomes, self._tools.desk.settle, self.held.key
                )
            except psycopg.Error as error:
                log.warning("not_settled", connection=self._account.name, error=str(error))
                await pause(self._stopping, LEASE_POLL_SECONDS)
                continue
            if count:
                self._reporter.tell(
                    "unknown",
                    _("The sender before ended with %(n)s segments unanswered: now unknown.")
                    % {"n": count},
                )
            return

    async def keep(self) -> None:
        """Renew in time; a lease that has another owner ends the session at once."""
        while self.held is not None:
            await asyncio.sleep(self._tools.renew_seconds)
            try:
                renewed = await in_thread(
                    self._tools.books, self._tools.leases.renew, self.held, self._crew.heard_ago
                )
            except psycopg.Error as error:
                log.warning("lease_not_renewed", connection=self._account.name, error=str(error))
                self._drop_when_over()
                continue
            self.held = renewed
            if renewed is None and self.line is not None:
                self.line.drop("Another sender has this connection now.")
            if renewed is not None:
                with suppress(psycopg.Error):
                    await self._make_room()

    async def _make_room(self) -> None:
        """Give a slot to a sender that joined later, one after the other, until each has its part
        of them.
        """
        pk, tools, now = self._account.id, self._tools, time.monotonic()
        if not self.is_bound or self.line is None or now < self._may_look_at():
            return
        self._looked_at = now
        wanting = await in_thread(tools.books, tools.leases.wanting, pk)
        if tools.held_counts[pk] <= math.ceil(len(self._account.places) / max(1, wanting)):
            return
        if self.line is not None and now >= tools.moves_at.get(pk, 0.0):
            tools.moves_at[pk] = now + STAY_SECONDS
            self.is_leaving = True
            self._reporter.tell("moved", _("Another sender has joined and takes this session."))
            self.line.unbind()

    def _may_look_at(self) -> float:
        return max(self._tools.moves_at.get(self._account.id, 0.0), self._looked_at + ROOM_SECONDS)

    async def keep_share(self) -> None:
        """Ask for the slot's part of the connection's rate, and give it back with the session."""
        while self._place.sends:
            with suppress(TimeoutError):
                async with asyncio.timeout(SHARE_SECONDS):
                    await self.share_due.wait()
            self.share_due.clear()
            with suppress(psycopg.Error):
                await self._ask_share()

    async def _ask_share(self) -> None:
        held, leases = self.held, self._tools.leases
        if held is None:
            return
        if not self.is_bound:
            await in_thread(self._tools.books, leases.leave_share, held)
            return
        using = self._feeder.share.segments
        share = await in_thread(
            self._tools.books, partial(leases.share, held, slot=self._place.number, using=using)
        )
        self._crew.is_told(share.heard_ago)
        if self.is_bound and self.held is not None:
            self._feeder.take_share(share)
            self.has_share.set()

    def _drop_when_over(self) -> None:
        is_over = self.held is not None and lease_now() >= self.held.deadline
        if is_over and self.line is not None:
            self.line.drop("The lease ran out while the database was away.")

    async def give_back(self) -> None:
        """Let others have it at once."""
        self._tools.held_counts[self._account.id] -= 1
        held, self.held = self.held, None
        if held is not None:
            with suppress(psycopg.Error):
                await in_thread(self._tools.books, self._tools.leases.release, held)
