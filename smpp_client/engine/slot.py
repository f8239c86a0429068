"""The life of one bind slot: lease, settle, connect, bind, claim and write, until it ends; then
again. Its lease is tenure.py's matter, what its sessions tell is hearing.py's.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress

import psycopg
import structlog
from django.utils.translation import gettext as _

from smpp_client.carrier import LeaseKey, Segment
from smpp_client.carrier.adapters import BUILT_IN
from smpp_client.engine.accounts import Account, Place
from smpp_client.engine.adapters.dialer import AdapterDialer
from smpp_client.engine.books import RETRY_SECONDS, OutcomeBook
from smpp_client.engine.dialer import Dialer, HostChoice, NoSession, answers
from smpp_client.engine.feeder import Feeder
from smpp_client.engine.hearing import Hearing, Life
from smpp_client.engine.inbox import Inbox
from smpp_client.engine.leases import NOTHING
from smpp_client.engine.lines import Line, LineMaker
from smpp_client.engine.reporter import Reporter
from smpp_client.engine.tenure import Tenure
from smpp_client.engine.tls import Keepers
from smpp_client.engine.tools import Tools, in_thread, pause
from smpp_client.engine.wire import Wire
from smpp_client.protocol.events import BindRefused, Bound, Closed
from smpp_client.rules.errors import StatusClass

HOME_SECONDS, LONGEST_HOME_SECONDS = 300.0, 3_600.0
SHORTEST_WAIT = 0.5
LONGEST_WAIT = 30.0
# A refused password is tried slowly: hurrying would lock the account.
ALARM_WAIT = 60.0
UNSETTLED_PATIENCE, STATUS_SECONDS = 20.0, 1.0
# When it is said that outcomes cannot be stored, and after which quiet time a failure is the first.
STUCK_SECONDS, FORGET_SECONDS = 30.0, 600.0

log = structlog.get_logger(__name__)


def dialer_for(account: Account, place: Place, hosts: HostChoice, keepers: Keepers) -> LineMaker:
    """Return what opens lines of a connection: SMPP, or the process of its carrier."""
    if account.carrier != BUILT_IN:
        return AdapterDialer(account)
    return Dialer(account, place, hosts, keepers.of(account))


def back_off(failures: int) -> float:
    """Return the seconds to wait after so many failures in a row, before jitter: twice as long
    after each.
    """
    return float(min(LONGEST_WAIT, SHORTEST_WAIT * 2.0 ** min(10, max(0, failures - 1))))


class Slot:
    """Runs one slot of one connection until `stop`."""

    def __init__(self, account: Account, place: Place, tools: Tools) -> None:
        self.account = account
        self.place = place
        self.tools = tools
        self.reporter = Reporter(account, place, tools.board, tools.books)
        self.began_at = time.monotonic()
        self._hosts = HostChoice(account.hosts)
        self._dialer = dialer_for(account, place, self._hosts, tools.keepers)
        self._book: OutcomeBook | None = None
        self._stopping = asyncio.Event()
        # Set when this lease is to end: with the slot, or because one of its tasks failed.
        self._ending = asyncio.Event()
        self._is_broken, self._breaks, self._broke_at = False, 0, float("-inf")
        self._has_bound = asyncio.Event()
        self._failures = 0
        self._shortest = SHORTEST_WAIT
        self._why = ""
        self._is_going_home = False
        self._feeder = Feeder(account, tools.desk, tools.claims, self._stopping)
        crew = tools.crews[account.id]
        crew.add(self._feeder)
        self.hearing = Hearing(account, self.reporter, self._feeder, crew, self._lives)
        self._tenure = Tenure(account, place, tools, self._feeder, self.reporter, self._stopping)

    # Its life

    async def run(self) -> None:
        """Hold the lease, serve sessions one after the other, give the lease back.

        What fails in one slot is not the others' matter: it begins anew after a while.
        """
        while not self._stopping.is_set():
            self._is_broken = False
            try:
                if await self._tenure.take():
                    await self._serve_lease()
            except Exception as error:
                self._broke(error)
                await self._abandon()
            await self._tenure.leave_alone()
            if self._is_broken:
                await pause(self._stopping, back_off(self._breaks))

    def stop(self) -> None:
        """Drain, unbind and end; `run` returns when that is done."""
        self._stopping.set()
        self._ending.set()
        if self._tenure.line is not None:
            self._tenure.line.unbind()

    @property
    def is_bound(self) -> bool:
        """Whether it has a session now."""
        return self._tenure.is_bound

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to end."""
        return self._stopping.is_set()

    def follow(self, account: Account) -> None:
        """Take other settings of the connection that need no new bind."""
        self.account = account
        self._feeder.follow(account)
        self.hearing.follow(account)
        self._dialer = dialer_for(account, self.place, self._hosts, self.tools.keepers)
        if isinstance(self._tenure.line, Wire):
            self._tenure.line.session.follow(account.session_of(self.place))
        self._tenure.follow(account)

    async def _serve_lease(self) -> None:
        """Serve sessions under one epoch. What earlier epochs left open is settled first."""
        tenure = self._tenure
        assert tenure.held is not None
        key = tenure.held.key
        self._book = OutcomeBook(self.tools.desk, key, self.tools.outcomes)
        if not self._stopping.is_set():
            self._ending.clear()
        tasks = [
            asyncio.create_task(tenure.keep()),
            asyncio.create_task(tenure.keep_share()),
            asyncio.create_task(self._keep_home()),
            asyncio.create_task(self._show_status()),
            asyncio.create_task(self._book.run()),
            *self._open_inbox(self._book),
        ]
        for task in tasks:
            task.add_done_callback(self._task_ended)
        try:
            await tenure.settle_earlier()
            while tenure.held is not None and not self._is_ending:
                await self._serve_session()
                if not self._is_ending:
                    await pause(self._ending, self._wait_before_next())
        finally:
            ends = time.monotonic() + UNSETTLED_PATIENCE
            await self._book.settle_all(UNSETTLED_PATIENCE)
            for task in tasks:
                task.cancel()
            await self._leave_claims(key, ends)
            with suppress(psycopg.Error):
                await self._show()
            await tenure.give_back()

    def _open_inbox(self, book: OutcomeBook) -> "list[asyncio.Task[None]]":
        inbox = Inbox(self.account, self.tools, book, self._acknowledge)
        self.hearing.begin_lease(book, inbox)
        return inbox.begin()

    async def _leave_claims(self, key: LeaseKey, ends: float) -> None:
        """Leave nothing in doubt to who comes after; a database that is away is waited for until
        then, in monotonic seconds.
        """
        while True:
            try:
                await in_thread(self.tools.claims, self.tools.desk.leave, key)
            except psycopg.Error as error:
                if time.monotonic() >= ends:
                    log.warning("claims_left", connection=self.account.name, error=str(error))
                    return
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    @property
    def _is_ending(self) -> bool:
        """Whether this was its last session under this lease."""
        return self._ending.is_set() or self._tenure.is_leaving

    def _task_ended(self, done: "asyncio.Task[None]") -> None:
        """A session without one of these would look well and store, renew or answer nothing more:
        it ends, and its lease with it.
        """
        if done.cancelled() or (error := done.exception()) is None:
            return
        self._broke(error)
        self._ending.set()
        if self._tenure.line is not None:
            self._tenure.line.drop(_("The sender failed and binds again."))

    async def _abandon(self) -> None:
        """End what was left in the middle; without the lease no octet is written any more."""
        line, self._tenure.line = self._tenure.line, None
        if line is not None:
            line.drop(_("The sender failed and binds again."))
        if self._tenure.held is not None:
            await self._tenure.give_back()

    def _broke(self, error: BaseException) -> None:
        """Say it, and wait the longer the more often it happens."""
        log.error("slot_failed", connection=self.account.name, exc_info=error)
        what = {"what": type(error).__name__}
        self.reporter.fail("failed", _("The sender failed here and begins anew: %(what)s.") % what)
        now = time.monotonic()
        self._breaks = self._breaks + 1 if now - self._broke_at < FORGET_SECONDS else 1
        self._is_broken, self._broke_at = True, now

    async def _keep_home(self) -> None:
        """Leave another host for the first one when that answers again; after each try it has
        twice as long to prove itself.
        """
        wait = HOME_SECONDS
        while True:
            await asyncio.sleep(wait)
            if not self._hosts.is_away:
                wait = HOME_SECONDS
            elif self.is_bound and await answers(self.account.hosts[0]):
                wait = min(LONGEST_HOME_SECONDS, 2 * wait) if self._go_home() else wait

    def _go_home(self) -> bool:
        """Leave the session for the first host; False where it has just ended by itself."""
        if self._tenure.line is None:
            return False
        self._is_going_home = True
        self.reporter.tell("moved", _("The first host answers again: back to it."))
        self._tenure.line.unbind()
        return True

    # One session

    async def _serve_session(self) -> None:
        self._has_bound.clear()
        self._tenure.has_share.clear()
        self._why, self._shortest = "", SHORTEST_WAIT
        wire = await self._connect()
        if wire is None or self._book is None:
            return
        self._tenure.line = wire
        if self._is_ending:
            # It was told to end while this was dialled.
            wire.unbind()
        work = asyncio.create_task(self._work(wire, self._book))
        work.add_done_callback(lambda done: self._worked(done, wire))
        await wire.is_closed.wait()
        # A claim under way is never cut off: what it commits is released.
        self._has_bound.set()
        self._tenure.has_share.set()
        with suppress(Exception):
            await work
        self._tenure.line = None

    async def _work(self, wire: Line, book: OutcomeBook) -> None:
        await self._has_bound.wait()
        if not self.place.sends:
            return
        await self._tenure.has_share.wait()
        await self._feeder.feed(wire, book, self._lease, self._release)

    def _lease(self) -> LeaseKey | None:
        return None if self._tenure.held is None else self._tenure.held.key

    def _release(self, segments: Sequence[Segment]) -> None:
        self.hearing.release(segments, "the session ended before it was written")

    def _worked(self, done: "asyncio.Task[None]", wire: Line) -> None:
        """A session without its worker would sit there and send nothing: it ends with him."""
        if not done.cancelled() and (error := done.exception()) is not None:
            log.error("worker_failed", connection=self.account.name, exc_info=error)
            wire.drop("The sender failed and binds again.")

    async def _connect(self) -> Line | None:
        host = self._hosts.next(time.monotonic())
        self.reporter.observe(
            "connecting",
            _("Connecting to %(host)s port %(port)s.") % {"host": host.name, "port": host.port},
        )
        self.reporter.seen.host = str(host)
        self._look_at_certificates()
        try:
            return await self._dialer.dial(self.hearing.take, self._deadline)
        except NoSession as refused:
            self._failures += 1
            self._hosts.failed(time.monotonic())
            self.reporter.fail(refused.kind, refused.sentence)
        return None

    def _look_at_certificates(self) -> None:
        if news := self._dialer.look_at_certificates():
            self.reporter.tell("certificate", news)

    def _deadline(self) -> float:
        return float("-inf") if self._tenure.held is None else self._tenure.held.deadline

    def _wait_before_next(self) -> float:
        """Never in a hurry where a person has to act."""
        jitter = random.uniform(0.7, 1.3)  # noqa: S311
        return max(self._shortest, back_off(self._failures)) * jitter

    # The life of the session, as it tells it

    def _lives(self, event: Life) -> None:
        match event:
            case Bound():
                self._bound()
            case BindRefused():
                if event.status_class is StatusClass.ALARM:
                    self._shortest = ALARM_WAIT
                self._why = event.sentence
            case Closed():
                self._closed(event)

    def _bound(self) -> None:
        self._failures = 0
        self._tenure.is_bound = True
        self._has_bound.set()
        self._tenure.share_due.set()
        self.reporter.tell("bound", _("Bound as %(id)s.") % {"id": self.account.session.system_id})

    def _acknowledge(self, ticket: int, is_stored: bool) -> None:
        if self._tenure.line is not None:
            self._tenure.line.acknowledge(ticket, is_stored)

    def _choose_host(self) -> None:
        """Choose for after a session: the first host when it was left for that, else the next."""
        if self._is_going_home:
            self._hosts.go_home()
        elif not self._tenure.is_leaving:
            self._hosts.failed(time.monotonic())
        self._is_going_home = False

    def _closed(self, event: Closed) -> None:
        was_bound, self._tenure.is_bound = self.is_bound, False
        self._has_bound.clear()
        self._feeder.take_share(NOTHING)
        self._tenure.share_due.set()
        self._choose_host()
        reason = self._why or event.reason
        if event.unknown:
            reason += " " + _("%(n)s segments had no answer and are unknown.") % {
                "n": len(event.unknown)
            }
        if self._stopping.is_set():
            self.reporter.observe("down", _("The sender stopped."))
        elif self._tenure.is_leaving:
            self.reporter.observe("down", _("Another sender has this connection."))
        elif was_bound:
            self._failures += 1
            self.reporter.tell("lost", reason)
            self.reporter.observe("down", reason)
        else:
            self._failures += 1
            self.reporter.fail("refused", reason)

    # What is shown

    async def _show_status(self) -> None:
        while True:
            await asyncio.sleep(STATUS_SECONDS)
            self._look_at_certificates()
            self._look_at_outcomes()
            with suppress(psycopg.Error):
                await self._show()

    def _look_at_outcomes(self) -> None:
        since = None if self._book is None else self._book.waits_since
        if since is not None and time.monotonic() - since >= STUCK_SECONDS:
            said = _("Outcomes have waited for the database for more than %(n)s s.")
            self.reporter.alarm("outcomes", said % {"n": f"{STUCK_SECONDS:g}"})

    async def _show(self) -> None:
        held, line = self._tenure.held, self._tenure.line
        if held is None:
            return
        await self.reporter.show(
            held.key,
            session=line.session if line is not None else None,
            throttle=self._feeder.throttle,
            certificate_ends_at=self._dialer.certificate_ends_at,
        )
