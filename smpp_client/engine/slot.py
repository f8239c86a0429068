"""The life of one bind slot: lease, settle, connect, bind, claim and write, until it ends; then
again.
"""

import asyncio
import math
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import psycopg
import structlog
from django.utils.translation import gettext as _

from smpp_client.carrier import (
    Desk,
    InboundMessage,
    Kind,
    LeaseKey,
    Outcome,
    Receipt,
    Segment,
)
from smpp_client.carrier.adapters import BUILT_IN
from smpp_client.engine.accounts import Account, Place
from smpp_client.engine.adapters.dialer import AdapterDialer
from smpp_client.engine.board import Board
from smpp_client.engine.books import MessageBook, OutcomeBook, ReceiptBook, utc_now
from smpp_client.engine.dialer import Dialer, HostChoice, NoSession, answers
from smpp_client.engine.feeder import Feeder
from smpp_client.engine.leases import NOTHING, Held, Leases
from smpp_client.engine.lines import Line, LineMaker
from smpp_client.engine.reporter import Reporter
from smpp_client.engine.tls import Keepers
from smpp_client.engine.wire import Wire
from smpp_client.protocol.events import (
    BindRefused,
    Bound,
    Closed,
    Event,
    HealthTold,
    LateResponse,
    MessageReceived,
    ProtocolFault,
    ReceiptReceived,
    Settled,
    Throttled,
)
from smpp_client.rules.errors import StatusClass, classify, classify_receipt

LEASE_POLL_SECONDS = 0.5
SHARE_SECONDS = 0.5
HOLD_BACK_SECONDS = 0.1
# After a slot was given to a sender that joined: how long this one leaves it alone, when the next
# one moves, and when it is tried again if nobody took it.
LEAVE_SECONDS, MOVE_SECONDS, STAY_SECONDS = 3.0, 5.0, 300.0
HOME_SECONDS, LONGEST_HOME_SECONDS = 300.0, 3_600.0
SHORTEST_WAIT = 0.5
LONGEST_WAIT = 30.0
# A refused password is tried slowly: hurrying would lock the account.
ALARM_WAIT = 60.0
UNSETTLED_PATIENCE = 20.0
# An answer has been read when the link lived through an enquire_link after it, and this much more.
SETTLE_MARGIN = 5.0

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Tools:
    """What every slot shares: desk, leases, board, and the database threads."""

    desk: Desk
    leases: Leases
    board: Board
    claims: Executor
    outcomes: Executor
    receipts: Executor
    books: Executor
    renew_seconds: float
    # Set when receipts were stored that could not be applied at once.
    receipts_left: asyncio.Event
    keepers: Keepers = field(default_factory=Keepers)
    # How many slots of each connection this process holds, by the connection's id.
    held_counts: Counter[int] = field(default_factory=Counter)
    turns: dict[int, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    # When the next slot of a connection may move to another process, in monotonic seconds.
    moves_at: dict[int, float] = field(default_factory=dict)


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
        self.held: Held | None = None
        self.is_bound = False
        self.began_at = time.monotonic()
        self._hosts = HostChoice(account.hosts)
        self._dialer = dialer_for(account, place, self._hosts, tools.keepers)
        self._wire: Line | None = None
        self._book: OutcomeBook | None = None
        self._receipts: ReceiptBook | None = None
        self._messages: MessageBook | None = None
        self._stopping = asyncio.Event()
        self._is_bound = asyncio.Event()
        self._failures = 0
        self._shortest = SHORTEST_WAIT
        self._why = ""
        self._is_going_home = False
        self._is_leaving = False
        self._left_at = float("-inf")
        self._alarmed_at: dict[str, float] = {}
        self._feeder = Feeder(account, tools.desk, tools.claims, self._stopping)
        self._has_share = asyncio.Event()
        self._share_due = asyncio.Event()

    # Its life

    async def run(self) -> None:
        """Hold the lease, serve sessions one after the other, give the lease back."""
        status = asyncio.create_task(self._show_status())
        try:
            while not self._stopping.is_set():
                if await self._take_lease():
                    await self._serve_lease()
                await self._leave_alone()
        finally:
            status.cancel()
            with suppress(psycopg.Error):
                await self._show()

    def stop(self) -> None:
        """Drain, unbind and end; `run` returns when that is done."""
        self._stopping.set()
        if self._wire is not None:
            self._wire.unbind()

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to end."""
        return self._stopping.is_set()

    def follow(self, account: Account) -> None:
        """Take other settings of the connection that need no new bind."""
        self.account = account
        self._feeder.follow(account)
        self._dialer = dialer_for(account, self.place, self._hosts, self.tools.keepers)
        if isinstance(self._wire, Wire):
            self._wire.session.follow(account.session_of(self.place))
        self._share_due.set()

    async def _take_lease(self) -> bool:
        """Take the slot's lease: one slot at a time, and the more of the connection's slots this
        process holds, the longer it lets others go first.
        """
        pk, tools = self.account.id, self.tools
        try:
            async with tools.turns[pk]:
                await self._pause(HOLD_BACK_SECONDS * tools.held_counts[pk])
                self.held = await self._in(tools.books, tools.leases.take, pk, self.place.number)
        except psycopg.Error as error:
            log.warning("lease_not_taken", connection=self.account.name, error=str(error))
            self.held = None
        if self.held is None:
            if self.reporter.seen.state != "down" or not self.reporter.seen.sentence:
                self.reporter.observe("down", _("Another sender has this connection."))
            await self._pause(LEASE_POLL_SECONDS)
            return False
        if time.monotonic() - self._left_at < MOVE_SECONDS:
            self.tools.moves_at[self.account.id] = time.monotonic() + STAY_SECONDS
        self.tools.held_counts[self.account.id] += 1
        self._feeder.begin_lease(self.held.key.epoch)
        return True

    async def _leave_alone(self) -> None:
        """Let a sender that joined take the slot; if it does not, this one has it for long."""
        if self._is_leaving:
            await self._pause(LEAVE_SECONDS)
            self._is_leaving, self._left_at = False, time.monotonic()
            self.tools.moves_at[self.account.id] = self._left_at + MOVE_SECONDS

    async def _serve_lease(self) -> None:
        """Serve sessions under one epoch. What earlier epochs left open is settled first."""
        assert self.held is not None
        key = self.held.key
        self._book = OutcomeBook(self.tools.desk, key, self.tools.outcomes)
        self._receipts = ReceiptBook(
            self.tools.desk,
            self.account.id,
            self.tools.receipts,
            self._acknowledge,
            after=self._book.catch_up,
            on_left=self.tools.receipts_left.set,
        )
        self._messages = self._message_book()
        tasks = [
            asyncio.create_task(self._keep_lease()),
            asyncio.create_task(self._keep_share()),
            asyncio.create_task(self._keep_home()),
            asyncio.create_task(self._book.run()),
            asyncio.create_task(self._receipts.run()),
            asyncio.create_task(self._messages.run()),
        ]
        try:
            await self._settle_earlier()
            while self.held is not None and not self._stopping.is_set() and not self._is_leaving:
                await self._serve_session()
                if not self._stopping.is_set() and not self._is_leaving:
                    await self._pause(self._wait_before_next())
        finally:
            await self._book.settle_all(UNSETTLED_PATIENCE)
            for task in tasks:
                task.cancel()
            await self._give_lease_back()

    async def _settle_earlier(self) -> None:
        while self.held is not None and not self._stopping.is_set():
            try:
                count = await self._in(self.tools.outcomes, self.tools.desk.settle, self.held.key)
            except psycopg.Error as error:
                log.warning("not_settled", connection=self.account.name, error=str(error))
                await self._pause(LEASE_POLL_SECONDS)
                continue
            if count:
                self.reporter.tell(
                    "unknown",
                    _("The sender before ended with %(n)s segments unanswered: now unknown.")
                    % {"n": count},
                )
            return

    async def _keep_lease(self) -> None:
        """Renew in time; a lease that has another owner ends the session at once."""
        while self.held is not None:
            await asyncio.sleep(self.tools.renew_seconds)
            try:
                renewed = await self._in(self.tools.books, self.tools.leases.renew, self.held)
            except psycopg.Error as error:
                log.warning("lease_not_renewed", connection=self.account.name, error=str(error))
                self._drop_when_over()
                continue
            self.held = renewed
            if renewed is None and self._wire is not None:
                self._wire.drop("Another sender has this connection now.")
            if renewed is not None:
                with suppress(psycopg.Error):
                    await self._make_room()

    async def _make_room(self) -> None:
        """Give a slot to a sender that joined later, one after the other, until each has its part
        of them.
        """
        pk, tools, now = self.account.id, self.tools, time.monotonic()
        if not self.is_bound or self._wire is None or now < tools.moves_at.get(pk, 0.0):
            return
        wanting = await self._in(tools.books, tools.leases.wanting, pk)
        if tools.held_counts[pk] <= math.ceil(len(self.account.places) / max(1, wanting)):
            return
        if self._wire is not None and now >= tools.moves_at.get(pk, 0.0):
            tools.moves_at[pk] = now + STAY_SECONDS
            self._is_leaving = True
            self.reporter.tell("moved", _("Another sender has joined and takes this session."))
            self._wire.unbind()

    async def _keep_home(self) -> None:
        """Leave another host for the first one when that answers again; after each try it has
        twice as long to prove itself.
        """
        wait = HOME_SECONDS
        while True:
            await asyncio.sleep(wait)
            if not self._hosts.is_away:
                wait = HOME_SECONDS
            elif self.is_bound and await answers(self.account.hosts[0]) and self._wire is not None:
                wait = min(LONGEST_HOME_SECONDS, 2 * wait)
                self._is_going_home = True
                self.reporter.tell("moved", _("The first host answers again: back to it."))
                self._wire.unbind()

    async def _keep_share(self) -> None:
        """Ask for the slot's part of the connection's rate, and give it back with the session."""
        while self.place.sends:
            with suppress(TimeoutError):
                async with asyncio.timeout(SHARE_SECONDS):
                    await self._share_due.wait()
            self._share_due.clear()
            with suppress(psycopg.Error):
                await self._ask_share()

    async def _ask_share(self) -> None:
        held, leases = self.held, self.tools.leases
        if held is None:
            return
        if not self.is_bound:
            await self._in(self.tools.books, leases.leave_share, held)
            return
        using = self._feeder.share.segments
        share = await self._in(
            self.tools.books, partial(leases.share, held, slot=self.place.number, using=using)
        )
        if self.is_bound and self.held is not None:
            self._feeder.take_share(share)
            self._has_share.set()

    def _drop_when_over(self) -> None:
        is_over = self.held is not None and time.monotonic() >= self.held.deadline
        if is_over and self._wire is not None:
            self._wire.drop("The lease ran out while the database was away.")

    async def _give_lease_back(self) -> None:
        self.tools.held_counts[self.account.id] -= 1
        held, self.held = self.held, None
        if held is not None:
            with suppress(psycopg.Error):
                await self._in(self.tools.books, self.tools.leases.release, held)

    # One session

    async def _serve_session(self) -> None:
        self._is_bound.clear()
        self._has_share.clear()
        self._why, self._shortest = "", SHORTEST_WAIT
        wire = await self._connect()
        if wire is None or self._book is None:
            return
        self._wire = wire
        work = asyncio.create_task(self._work(wire, self._book))
        work.add_done_callback(lambda done: self._worked(done, wire))
        await wire.is_closed.wait()
        # A claim under way is never cut off: what it commits is released.
        self._is_bound.set()
        self._has_share.set()
        with suppress(Exception):
            await work
        self._wire = None

    async def _work(self, wire: Line, book: OutcomeBook) -> None:
        await self._is_bound.wait()
        if not self.place.sends:
            return
        await self._has_share.wait()
        await self._feeder.feed(wire, book, self._lease, self._release)

    def _lease(self) -> LeaseKey | None:
        return None if self.held is None else self.held.key

    def _release(self, segments: Sequence[Segment]) -> None:
        for segment in segments:
            self._outcome(segment, Kind.RELEASED, 0, "", "the session ended before it was written")

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
            return await self._dialer.dial(self._on_event, self._deadline)
        except NoSession as refused:
            self._failures += 1
            self._hosts.failed(time.monotonic())
            self.reporter.fail(refused.kind, refused.sentence)
        return None

    def _look_at_certificates(self) -> None:
        if news := self._dialer.look_at_certificates():
            self.reporter.tell("certificate", news)

    def _deadline(self) -> float:
        return float("-inf") if self.held is None else self.held.deadline

    def _wait_before_next(self) -> float:
        """Never in a hurry where a person has to act."""
        jitter = random.uniform(0.7, 1.3)  # noqa: S311
        return max(self._shortest, back_off(self._failures)) * jitter

    # What the session tells

    def _on_event(self, event: Event) -> None:
        match event:
            case Settled():
                self._settled(event)
            case ReceiptReceived():
                self._receipt(event)
            case LateResponse():
                self._outcome(event.segment, event.kind, event.status, event.smsc_id, event.cause)
            case Throttled():
                self.reporter.seen.throttled += 1
                self._feeder.slow_down(event.status, event.written_at)
            case _:
                self._on_rare_event(event)

    def _on_rare_event(self, event: Event) -> None:
        match event:
            case Bound():
                self._failures = 0
                self.is_bound = True
                self._is_bound.set()
                self._share_due.set()
                self.reporter.observe("bound", "")
                self.reporter.tell(
                    "bound", _("Bound as %(id)s.") % {"id": self.account.session.system_id}
                )
            case BindRefused():
                if event.status_class is StatusClass.ALARM:
                    self._shortest = ALARM_WAIT
                self._why = event.sentence
            case MessageReceived():
                self._message(event)
            case ProtocolFault():
                log.warning("peer_fault", connection=self.account.name, fault=event.sentence)
            case HealthTold():
                self.reporter.observe("bound", event.sentence)
            case Closed():
                self._closed(event)
            case _:
                pass

    def _alarm(self, what: str, code: str) -> None:
        """Tell of a code that the connection's table calls an alarm, at most once a minute."""
        now = time.monotonic()
        if now - self._alarmed_at.get(code, float("-inf")) >= ALARM_WAIT:
            self._alarmed_at[code] = now
            self.reporter.tell("alarm", what % {"code": code})

    def _settled(self, event: Settled) -> None:
        if event.status and self._is_alarm(event.status):
            self._alarm(_("The partner answers %(code)s: somebody has to act."), event.cause)
        if event.kind is Kind.SUBMITTED:
            self.reporter.seen.submitted += 1
        if event.seconds:
            self.reporter.seen.response_seconds.append(event.seconds)
        self._outcome(event.segment, event.kind, event.status, event.smsc_id, event.cause)

    def _is_alarm(self, status: int) -> bool:
        classes = self.account.session.status_classes
        return classify(status, classes) is StatusClass.ALARM

    def _outcome(self, segment: Segment, kind: Kind, status: int, smsc_id: str, cause: str) -> None:
        assert self._book is not None
        now = utc_now()
        first = Outcome(segment.key, segment.part_count, kind, now, status, smsc_id, cause)
        self._book.add(first)
        for part in range(2, segment.covers + 1):
            self._book.add(first._replace(key=segment.key._replace(part=part)))
        self._feeder.nudge()

    def _receipt(self, event: ReceiptReceived) -> None:
        assert self._receipts is not None
        read = event.receipt
        classes = self.account.receipt_classes
        if classes and classify_receipt(read.error, classes) is StatusClass.ALARM:
            self._alarm(_("Receipts come with error %(code)s: somebody has to act."), read.error)
        raw = read.raw.replace(read.subscriber.encode(), b"*") if read.subscriber else read.raw
        # By position, as the fields come: they are made by the thousand.
        receipt = Receipt(
            read.smsc_id,
            read.state,
            read.error,
            utc_now(),
            raw,
            read.reference,
            read.subscriber,
            read.sender,
            read.is_unmarked,
        )
        self._receipts.add(event.ticket, receipt)

    def _message_book(self) -> MessageBook:
        """Messages have a thread of the loop's own: a flood of them must not hold outcomes up."""
        session = self.account.session
        settle_seconds = session.enquire_interval + session.enquire_timeout + SETTLE_MARGIN
        return MessageBook(
            self.tools.desk, self.account.id, None, self._acknowledge, settle_seconds
        )

    def _message(self, event: MessageReceived) -> None:
        assert self._messages is not None
        read = event.message
        message = InboundMessage(
            source=event.source,
            destination=event.destination,
            octets=read.octets,
            coding=read.coding,
            received_at=utc_now(),
            raw=event.raw,
            reference=read.reference,
            part=read.part,
            part_count=read.part_count,
        )
        self._messages.add(event.ticket, message)

    def _acknowledge(self, ticket: int, is_stored: bool) -> None:
        if self._wire is not None:
            self._wire.acknowledge(ticket, is_stored)

    def _choose_host(self) -> None:
        """Choose for after a session: the first host when it was left for that, else the next."""
        if self._is_going_home:
            self._hosts.go_home()
        elif not self._is_leaving:
            self._hosts.failed(time.monotonic())
        self._is_going_home = False

    def _closed(self, event: Closed) -> None:
        if self._messages is not None:
            self._messages.session_ended()
        for segment in event.unknown:
            self._outcome(segment, Kind.UNKNOWN, 0, "", "no answer: the session ended")
        for segment in event.released:
            self._outcome(segment, Kind.RELEASED, 0, "", event.reason)
        was_bound, self.is_bound = self.is_bound, False
        self._is_bound.clear()
        self._feeder.take_share(NOTHING)
        self._share_due.set()
        self._choose_host()
        reason = self._why or event.reason
        if event.unknown:
            reason += " " + _("%(n)s segments had no answer and are unknown.") % {
                "n": len(event.unknown)
            }
        if self._stopping.is_set():
            self.reporter.observe("down", _("The sender stopped."))
        elif self._is_leaving:
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
            await asyncio.sleep(1.0)
            self._look_at_certificates()
            with suppress(psycopg.Error):
                await self._show()

    async def _show(self) -> None:
        if self.held is None:
            return
        await self.reporter.show(
            self.held.key,
            session=self._wire.session if self._wire is not None else None,
            throttle=self._feeder.throttle,
            certificate_ends_at=self._dialer.certificate_ends_at,
        )

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than until `stop`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _in(self, executor: Executor, act: Callable[..., T], *values: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(executor, act, *values)
