"""The transport of one session: the only place where SMPP bytes meet a socket."""

import asyncio
import time
from collections.abc import Callable, Sequence

from smpp_client.carrier import Segment
from smpp_client.engine.clock import lease_now
from smpp_client.engine.guarded import Deadline, LeaseOver
from smpp_client.engine.tickets import TICKETS
from smpp_client.engine.tls import explain_loss
from smpp_client.protocol.config import SessionConfig
from smpp_client.protocol.events import Closed, Event
from smpp_client.protocol.session import Session

# Some seventy answers: they are made up for before the next ones are read.
OCTETS_A_TURN = 2_048

OnEvent = Callable[[Event], None]
# Returns why there must be no bind with whom the transport has reached, or "".
Admit = Callable[[asyncio.BaseTransport], str]


class Wire(asyncio.Protocol):
    """Feeds a session what comes in and writes what it wants out.

    Before every write the lease's deadline is compared with the clock: past it nothing is written
    and the session ends. A process that was frozen and woke up must not write what its successor
    has claimed; a freeze after this look is caught by the next, in the socket itself.
    """

    def __init__(
        self,
        config: SessionConfig,
        on_event: OnEvent,
        deadline: Deadline,
        admit: Admit | None = None,
    ) -> None:
        self.session = Session(config, tickets=TICKETS)
        self.refusal = ""
        self._admit = admit
        self.is_closed = asyncio.Event()
        self._on_event = on_event
        self._deadline = deadline
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_full = False
        self._is_flushing = False
        self._is_flush_due = False
        self._has_ended = False

    # What asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bind, where the peer is admitted: else nothing is said to it."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.refusal = self._admit(transport) if self._admit is not None else ""
        if self.refusal:
            self._end()
            return
        self.session.begin_bind(time.monotonic())
        self.flush()

    def data_received(self, data: bytes) -> None:
        """Hand bytes to the session, some at a time."""
        for start in range(0, len(data), OCTETS_A_TURN):
            piece = data[start : start + OCTETS_A_TURN]
            self._handle(self.session.receive(piece, time.monotonic()))
            self.flush()

    def eof_received(self) -> bool:
        """A half-closed peer is a closed peer."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the session that its transport is gone."""
        if self.refusal:
            return
        reason = _why(exc) if exc else "The peer closed the connection."
        self._handle(self.session.connection_lost(time.monotonic(), reason))
        self._end()

    def pause_writing(self) -> None:
        """The peer does not read as fast as we write."""
        self._is_full = True

    def resume_writing(self) -> None:
        """There is room in the transport again."""
        self._is_full = False
        self.flush()

    # What the owner wants

    def submit(self, segments: Sequence[Segment]) -> None:
        """Write segments; those that do not go get their outcome as an event."""
        self._handle(self.session.submit(segments, time.monotonic()))
        self.flush()

    def acknowledge(self, ticket: int, is_stored: bool) -> None:
        """Answer a delivery; the answers of one turn of the loop leave with one write."""
        self.session.acknowledge(ticket, is_stored=is_stored)
        if not self._is_flush_due:
            self._is_flush_due = True
            asyncio.get_running_loop().call_soon(self._flush_answers)

    def unbind(self) -> None:
        """Stop submitting, wait for answers, unbind, close."""
        self._handle(self.session.begin_unbind(time.monotonic()))
        self.flush()

    def drop(self, reason: str) -> None:
        """End at once: what was not written is released, what was is unknown."""
        self._handle(self.session.release_unsent(reason))
        self._handle(self.session.connection_lost(time.monotonic(), reason))
        self._end()

    def flush(self) -> None:
        """Write what the session wants written, as far as the transport takes it.

        A transport may ask for more while it is being written to; that must not start a second
        loop over the same bytes.
        """
        if self._transport is None or self._has_ended or self._is_flushing:
            return
        self._is_flushing = True
        try:
            self._write(self._transport)
        finally:
            self._is_flushing = False
        self._set_timer()

    def _flush_answers(self) -> None:
        self._is_flush_due = False
        self.flush()

    def _write(self, transport: asyncio.Transport) -> None:
        while not self._is_full and (data := self.session.bytes_to_send()):
            if lease_now() >= self._deadline():
                self.drop("The lease ran out.")
                return
            # Taken before it is written: what the transport was given cannot be had back.
            self.session.taken(len(data), time.monotonic())
            transport.write(data)

    def _handle(self, events: Sequence[Event]) -> None:
        for event in events:
            self._on_event(event)
            if isinstance(event, Closed):
                self._close_transport()

    def _close_transport(self) -> None:
        """Write the last words and close."""
        transport = self._transport
        if transport is None or self._has_ended:
            return
        last = self.session.bytes_to_send()
        if last and lease_now() < self._deadline():
            transport.write(last)
        transport.close()
        asyncio.get_running_loop().call_later(1.0, self._end)

    def _end(self) -> None:
        if self._has_ended:
            return
        self._has_ended = True
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()
        self.is_closed.set()

    def _set_timer(self) -> None:
        """Wake up no later than the session wants. A timer that is early only looks once more, and
        deadlines move with every answer: it stays.
        """
        at = self.session.next_deadline(time.monotonic())
        if at is None or self._has_ended:
            return
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(at, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self._handle(self.session.tick(time.monotonic()))
        self.flush()


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, LeaseOver) else explain_loss(error)
