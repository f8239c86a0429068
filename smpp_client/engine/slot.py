"""The life of one bind slot: lease, settle, connect, bind, claim and write, until it ends; then
again.
"""

import asyncio
import random
import ssl
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import psycopg
import structlog
from django.utils.translation import gettext as _

from smpp_client.carrier import Bound as RoomBound
from smpp_client.carrier import Desk, Fenced, Kind, Outcome, Receipt, Room, Segment
from smpp_client.engine.accounts import Account, today
from smpp_client.engine.board import Board, Observed
from smpp_client.engine.books import OutcomeBook, ReceiptBook, utc_now
from smpp_client.engine.leases import Held, Leases
from smpp_client.engine.tls import ContextKeeper, explain
from smpp_client.engine.wire import Wire
from smpp_client.protocol.events import (
    BindRefused,
    Bound,
    Closed,
    Event,
    LateResponse,
    MessageReceived,
    ProtocolFault,
    ReceiptReceived,
    Settled,
    Throttled,
)
from smpp_client.queries.certificates import CertificatesRefused
from smpp_client.rules.errors import StatusClass
from smpp_client.rules.pace import Bucket, Throttle

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 0.05
FULL_SECONDS = 0.002
LEASE_POLL_SECONDS = 0.5
SHORTEST_WAIT = 0.5
LONGEST_WAIT = 30.0
# A refused password is tried slowly: hurrying would lock the account.
ALARM_WAIT = 60.0
UNSETTLED_PATIENCE = 20.0
# Octets that may wait in the transport. Never 0: asyncio's TLS would pause writing and not resume.
WRITE_BUFFER = 16_384

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
    books: Executor
    renew_seconds: float
    receipts_came: asyncio.Event


class Slot:
    """Runs one slot of one connection until `stop`."""

    def __init__(self, account: Account, tools: Tools) -> None:
        self.account = account
        self.tools = tools
        self.seen = Observed()
        self.held: Held | None = None
        self._keeper = ContextKeeper(account.files)
        self._wire: Wire | None = None
        self._book: OutcomeBook | None = None
        self._receipts: ReceiptBook | None = None
        self._stopping = asyncio.Event()
        self._is_bound = asyncio.Event()
        self._failures = 0
        self._shortest = SHORTEST_WAIT
        self._why = ""
        self._bucket = Bucket(account.rate, time.monotonic())
        self._throttle = Throttle.full(account.rate, time.monotonic())

    # Its life

    async def run(self) -> None:
        """Hold the lease, serve sessions one after the other, give the lease back."""
        status = asyncio.create_task(self._show_status())
        try:
            while not self._stopping.is_set():
                if await self._take_lease():
                    await self._serve_lease()
        finally:
            status.cancel()
            with suppress(psycopg.Error):
                await self._show()

    def stop(self) -> None:
        """Drain, unbind and end; `run` returns when that is done."""
        self._stopping.set()
        if self._wire is not None:
            self._wire.unbind()

    async def _take_lease(self) -> bool:
        try:
            self.held = await self._in(self.tools.books, self.tools.leases.take, self.account.id)
        except psycopg.Error as error:
            log.warning("lease_not_taken", connection=self.account.name, error=str(error))
            self.held = None
        if self.held is None:
            if self.seen.state != "down" or not self.seen.sentence:
                self._observe("down", _("Another sender has this connection."))
            await self._pause(LEASE_POLL_SECONDS)
            return False
        return True

    async def _serve_lease(self) -> None:
        """Serve sessions under one epoch. What earlier epochs left open is settled first."""
        assert self.held is not None
        key = self.held.key
        self._book = OutcomeBook(self.tools.desk, key, self.tools.outcomes)
        self._receipts = ReceiptBook(
            self.tools.desk, self.account.id, self.tools.outcomes, self._acknowledge
        )
        tasks = [
            asyncio.create_task(self._keep_lease()),
            asyncio.create_task(self._book.run()),
            asyncio.create_task(self._receipts.run()),
        ]
        try:
            await self._settle_earlier()
            while self.held is not None and not self._stopping.is_set():
                await self._serve_session()
                if not self._stopping.is_set():
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
                self._tell(
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

    def _drop_when_over(self) -> None:
        is_over = self.held is not None and time.monotonic() >= self.held.deadline
        if is_over and self._wire is not None:
            self._wire.drop("The lease ran out while the database was away.")

    async def _give_lease_back(self) -> None:
        held, self.held = self.held, None
        if held is not None:
            with suppress(psycopg.Error):
                await self._in(self.tools.books, self.tools.leases.release, held)

    # One session

    async def _serve_session(self) -> None:
        self._is_bound.clear()
        self._why, self._shortest = "", SHORTEST_WAIT
        wire = await self._connect()
        if wire is None:
            return
        self._wire = wire
        work = asyncio.create_task(self._work(wire))
        work.add_done_callback(lambda done: self._worked(done, wire))
        await wire.is_closed.wait()
        # A claim under way is never cut off: what it commits is released by `_write`.
        self._is_bound.set()
        with suppress(Exception):
            await work
        self._wire = None

    def _worked(self, done: "asyncio.Task[None]", wire: Wire) -> None:
        """A session without its worker would sit there and send nothing: it ends with him."""
        if not done.cancelled() and (error := done.exception()) is not None:
            log.error("worker_failed", connection=self.account.name, exc_info=error)
            wire.drop("The sender failed and binds again.")

    async def _connect(self) -> Wire | None:
        """Open the transport and begin the bind; every failure has its sentence on the connection's
        page.
        """
        account = self.account
        self._observe(
            "connecting",
            _("Connecting to %(host)s port %(port)s.")
            % {"host": account.host, "port": account.port},
        )
        try:
            context = self._context()
        except CertificatesRefused as refused:
            self._fail("certificate", refused.sentence)
            return None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                transport, wire = await loop.create_connection(
                    lambda: Wire(account.session, self._on_event, self._deadline),
                    account.host,
                    account.port,
                    ssl=context,
                    server_hostname=account.server_name if context else None,
                )
        except (OSError, ssl.SSLError, TimeoutError) as error:
            self._fail("refused", _explained(error, account))
            return None
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        return wire

    def _context(self) -> ssl.SSLContext | None:
        """Return the TLS context, or None under a dated exception. Raises CertificatesRefused."""
        if self.account.is_plain(today()):
            return None
        self._look_at_certificates()
        if self._keeper.trusted is None:
            raise CertificatesRefused(self._keeper.trouble or _("There are no certificate files."))
        return self._keeper.trusted.context

    def _look_at_certificates(self) -> None:
        news = self._keeper.look(utc_now(), time.monotonic())
        if news == "swapped":
            self._tell("certificate", _("New certificate files are in use from the next bind on."))
        elif news == "refused" and self._keeper.trusted is not None:
            self._tell(
                "certificate",
                _("The new certificate files are not used: %(why)s")
                % {"why": self._keeper.trouble},
            )

    def _deadline(self) -> float:
        return float("-inf") if self.held is None else self.held.deadline

    def _fail(self, kind: str, sentence: str) -> None:
        """Note why there is no session; the same sentence is told once."""
        self._failures += 1
        if self.seen.sentence != sentence:
            self._tell(kind, sentence)
        self._observe("down", sentence)

    def _wait_before_next(self) -> float:
        """Exponential back-off with jitter; never in a hurry where a person has to act."""
        wait = min(LONGEST_WAIT, SHORTEST_WAIT * 2.0 ** min(10, max(0, self._failures - 1)))
        jitter = random.uniform(0.7, 1.3)  # noqa: S311
        return float(max(self._shortest, wait) * jitter)

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
                self.seen.throttled += 1
                self._throttle = self._throttle.slowed(
                    event.status, time.monotonic(), written_at=event.written_at
                )
            case _:
                self._on_rare_event(event)

    def _on_rare_event(self, event: Event) -> None:
        match event:
            case Bound():
                self._failures = 0
                self._is_bound.set()
                self._observe("bound", "")
                self._tell("bound", _("Bound as %(id)s.") % {"id": self.account.session.system_id})
            case BindRefused():
                if event.status_class is StatusClass.ALARM:
                    self._shortest = ALARM_WAIT
                self._why = event.sentence
            case MessageReceived():
                self._turn_message_away(event)
            case ProtocolFault():
                log.warning("peer_fault", connection=self.account.name, fault=event.sentence)
            case Closed():
                self._closed(event)
            case _:
                pass

    def _settled(self, event: Settled) -> None:
        if event.kind is Kind.SUBMITTED:
            self.seen.submitted += 1
        if event.seconds:
            self.seen.response_seconds.append(event.seconds)
        self._outcome(event.segment, event.kind, event.status, event.smsc_id, event.cause)

    def _outcome(self, segment: Segment, kind: Kind, status: int, smsc_id: str, cause: str) -> None:
        assert self._book is not None
        self._book.add(
            Outcome(segment.key, segment.part_count, kind, utc_now(), status, smsc_id, cause)
        )
        if kind is Kind.SUBMITTED:
            self.tools.receipts_came.set()

    def _receipt(self, event: ReceiptReceived) -> None:
        assert self._receipts is not None
        read = event.receipt
        raw = read.raw.replace(read.subscriber.encode(), b"*") if read.subscriber else read.raw
        receipt = Receipt(read.smsc_id, read.state, read.error, utc_now(), raw, read.reference)
        self._receipts.add(event.ticket, receipt)
        self.tools.receipts_came.set()

    def _turn_message_away(self, event: MessageReceived) -> None:
        """Ask the peer to keep a subscriber's message: nothing here stores them yet, and losing one
        is worse.
        """
        self._acknowledge(event.ticket, False)
        log.warning("message_turned_away", connection=self.account.name)

    def _acknowledge(self, ticket: int, is_stored: bool) -> None:
        if self._wire is not None:
            self._wire.acknowledge(ticket, is_stored)

    def _closed(self, event: Closed) -> None:
        for segment in event.unknown:
            self._outcome(segment, Kind.UNKNOWN, 0, "", "no answer: the session ended")
        for segment in event.released:
            self._outcome(segment, Kind.RELEASED, 0, "", event.reason)
        was_bound = self._is_bound.is_set()
        self._is_bound.clear()
        reason = self._why or event.reason
        if event.unknown:
            reason += " " + _("%(n)s segments had no answer and are unknown.") % {
                "n": len(event.unknown)
            }
        if self._stopping.is_set():
            self._observe("down", _("The sender stopped."))
        elif was_bound:
            self._failures += 1
            self._tell("lost", reason)
            self._observe("down", reason)
        else:
            self._fail("refused", reason)

    # Work

    async def _work(self, wire: Wire) -> None:
        """Claim what the room allows and write it, while the session is bound."""
        await self._is_bound.wait()
        while not wire.is_closed.is_set() and not self._stopping.is_set():
            room = self._room(wire)
            if room.segments <= 0:
                await asyncio.sleep(self._wait_for_room(room))
                continue
            taken = await self._claim(room)
            if not taken:
                await self._pause(IDLE_SECONDS)

    def _room(self, wire: Wire) -> Room:
        """Return what the session takes now, and what sets that."""
        assert self._book is not None
        now = time.monotonic()
        allowed = self._throttle.allowed(now)
        if self._bucket.rate != allowed:
            self._bucket.set_rate(allowed, now)
        by_rate = RoomBound.RATE if allowed >= self.account.rate else RoomBound.THROTTLED
        left = self.account.budget - self._book.open_count
        rooms = [
            Room(self._bucket.room(now), by_rate, allowed),
            Room(wire.session.free, RoomBound.WINDOW, wire.session.in_flight),
            Room(left, RoomBound.BUDGET, self._book.open_count),
        ]
        return min(rooms, key=lambda room: room.segments)

    def _wait_for_room(self, room: Room) -> float:
        """Return the seconds until it is worth another look.

        The bucket knows when it has room; a full window or budget waits for the peer or the disk.
        """
        if room.bound in {RoomBound.WINDOW, RoomBound.BUDGET}:
            return FULL_SECONDS
        return min(IDLE_SECONDS, self._bucket.ready_in(time.monotonic()))

    async def _claim(self, room: Room) -> int:
        assert self._book is not None
        if self.held is None or self._wire is None:
            return 0
        try:
            work = await self._in(self.tools.claims, self._claimed, room)
        except Fenced:
            self._wire.drop("Another sender has this connection now.")
            return 0
        except psycopg.Error as error:
            log.warning("not_claimed", connection=self.account.name, error=str(error))
            await self._pause(LEASE_POLL_SECONDS)
            return 0
        if not work:
            return 0
        self._book.claimed(len(work))
        self._bucket.spend(len(work), time.monotonic())
        self._write(work)
        return len(work)

    def _claimed(self, room: Room) -> list[Segment]:
        assert self.held is not None
        work = self.tools.desk.claim(self.held.key, room=room, now=utc_now())
        return list(work.segments)

    def _write(self, segments: list[Segment]) -> None:
        """Write what was claimed.

        A session that ended meanwhile releases it: no byte of it left.
        """
        wire = self._wire
        if wire is not None and not wire.is_closed.is_set():
            wire.submit(segments)
            return
        for segment in segments:
            self._outcome(segment, Kind.RELEASED, 0, "", "the session ended before it was written")

    # What is shown

    def _observe(self, state: str, sentence: str) -> None:
        self.seen.now_in(state, sentence, utc_now())

    def _tell(self, kind: str, sentence: str) -> None:
        log.info("connection_event", connection=self.account.name, kind=kind, sentence=sentence)
        asyncio.get_running_loop().run_in_executor(
            self.tools.books, self._told, kind, sentence, utc_now()
        )

    def _told(self, kind: str, sentence: str, now: datetime) -> None:
        with suppress(psycopg.Error):
            self.tools.board.tell(self.account.id, kind, sentence, now)

    async def _show_status(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            self._look_at_certificates_again()
            with suppress(psycopg.Error):
                await self._show()

    def _look_at_certificates_again(self) -> None:
        if not self.account.is_plain(today()) and self._keeper.trusted is not None:
            self._look_at_certificates()

    async def _show(self) -> None:
        """Write the last second down and start counting anew."""
        if self.held is None:
            return
        seen, self.seen = self.seen, Observed(self.seen.state, self.seen.sentence, self.seen.since)
        now = utc_now()
        trusted = self._keeper.trusted
        session = self._wire.session if self._wire is not None else None
        await self._in(
            self.tools.books,
            self.tools.board.show,
            {
                "lease": self.held.key.lease_id,
                "state": seen.state,
                "sentence": seen.sentence[:400],
                "since": seen.since or now,
                "now": now,
                "in_flight": session.in_flight if session is not None else 0,
                "rate_now": float(seen.submitted),
                "rate_allowed": self._throttle.allowed(time.monotonic()),
                "response_ms": seen.p95_ms(),
                "throttled": seen.throttled,
                "submitted": seen.submitted,
                "certificate_ends_at": trusted.certificates.ends_at if trusted else None,
            },
        )

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than until `stop`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _in(self, executor: Executor, act: Callable[..., T], *values: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(executor, act, *values)


def _explained(error: BaseException, account: Account) -> str:
    return explain(error, host=account.host, port=account.port, name=account.server_name)
