"""One SMPP session without I/O: bytes and the time in, events and bytes out.

The owner of the socket calls `receive` with what it read, writes `bytes_to_send` and says how much
of it was `taken`, calls `tick` no later than `next_deadline`, and `connection_lost` when the
transport ends. `now` is monotonic seconds. Nothing here raises for anything the peer does.
"""

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from itertools import count
from typing import Final

from smpplib import consts

from smpp_client.carrier import Segment
from smpp_client.protocol import pdus
from smpp_client.protocol.config import SessionConfig
from smpp_client.protocol.deliveries import NOT_BOUND, Deliveries
from smpp_client.protocol.events import (
    BindRefused,
    Bound,
    Closed,
    Event,
    LinkDead,
    ProtocolFault,
    UnbindRequested,
)
from smpp_client.protocol.framing import Frame, Framer
from smpp_client.protocol.in_flight import InFlight, Own, Window
from smpp_client.protocol.output import Output
from smpp_client.protocol.states import ACCEPTED, BOUND, LIVE, MAY_SUBMIT, Move, State, moved
from smpp_client.protocol.submissions import Submissions
from smpp_client.rules.errors import OK, classify_bind, explain

BAD_LENGTH: Final[int] = consts.SMPP_ESME_RINVCMDLEN
BAD_COMMAND: Final[int] = consts.SMPP_ESME_RINVCMDID


class Timer(StrEnum):
    """What can run out, beside the timers of segments."""

    PHASE = "phase"  # binding, draining or unbinding
    PARTIAL = "partial"  # an incomplete PDU
    ENQUIRY = "enquiry"  # an enquire_link without its answer


class Session:
    """One connection to one peer, from open to closed. It does not come back.

    `tickets` numbers what the peer delivers; an owner of several sessions shares one among them.
    """

    def __init__(
        self,
        config: SessionConfig,
        *,
        last_sequence: int = 0,
        tickets: Iterator[int] | None = None,
    ) -> None:
        self.config = config
        self._state = State.OPEN
        self._framer = Framer()
        self._output = Output()
        self._in_flight = InFlight(last_sequence)
        self._events: list[Event] = []
        self._emit = self._events.append
        self._submissions = Submissions(config, self._in_flight, self._output, self._emit)
        self._deliveries = Deliveries(config, self._output, self._emit, tickets or count(1))
        self._deadlines: dict[Timer, float] = {}
        # The last response: what the peer sends on its own does not prove that it reads us.
        self._heard_at = 0.0
        self._doubted_at = -1.0  # when it last let a segment's timer run out in a silence
        self._is_unbound_by_peer = False
        self._handlers: dict[int, Callable[[Frame, float], None]] = {
            pdus.GENERIC_NACK: self._on_nack,
            pdus.ENQUIRE_LINK: self._on_enquire,
            pdus.ENQUIRE_LINK_RESP: self._on_enquire_response,
            pdus.UNBIND: self._on_unbind,
            pdus.UNBIND_RESP: self._on_unbind_response,
            pdus.ALERT_NOTIFICATION: self._on_alert,
            pdus.DELIVER_SM: self._on_delivery,
            pdus.DATA_SM: self._on_delivery,
            **dict.fromkeys(pdus.BIND_RESPONSES, self._on_bind_response),
        }

    @property
    def state(self) -> State:
        """Where the session stands."""
        return self._state

    @property
    def window(self) -> Window:
        """How many segments may be unanswered."""
        return self._submissions.window

    @property
    def in_flight(self) -> int:
        """How many segments wait for an answer."""
        return len(self._in_flight.waiting)

    @property
    def free(self) -> int:
        """How many segments may be submitted now; none until a doubted peer says anything."""
        if self._state not in MAY_SUBMIT or self._is_doubted():
            return 0
        return self._submissions.room

    @property
    def unanswered(self) -> int:
        """How many deliveries wait for `acknowledge`."""
        return len(self._deliveries)

    @property
    def pending(self) -> int:
        """Octets that the transport did not take yet."""
        return self._output.size

    # What the owner wants

    def begin_bind(self, now: float) -> None:
        """Queue the bind. Raises FieldRefused for credentials that do not fit, and WrongMove."""
        config = self.config
        sequence = self._in_flight.next_sequence()
        request = pdus.bind(
            config.bind_type,
            sequence,
            config.system_id,
            config.password,
            config.system_type,
            config.address_range,
        )
        self._state = moved(self._state, Move.BIND)
        self._ask(Own.BIND, sequence, request)
        self._deadlines[Timer.PHASE] = now + config.bind_timeout

    def submit(self, segments: Sequence[Segment], now: float) -> list[Event]:
        """Queue segments and return the outcome of those that were not taken.

        `released` when there is no room or no bind, `refused` when a field does not fit.
        """
        self._submissions.submit(segments, self.free, now)
        return self._told()

    def follow(self, config: SessionConfig) -> None:
        """Go on with other settings; those of the bind count for the next session only."""
        self.config = config
        self._submissions.follow(config)
        self._deliveries.follow(config)

    def acknowledge(self, ticket: int, *, is_stored: bool) -> None:
        """Answer a delivery: yes once it is durable, else "not now". Unknown tickets pass."""
        if not self._is_closed():
            self._deliveries.acknowledge(ticket, is_stored=is_stored)

    def release_unsent(self, cause: str) -> list[Event]:
        """Take back the segments that were not shown to the transport: a pause, a lost lease."""
        self._submissions.release_unsent(cause)
        return self._told()

    def begin_unbind(self, now: float) -> list[Event]:
        """Stop submitting, wait for answers, unbind, close. Closes at once when not bound."""
        if self._state in BOUND:
            self._drain(now)
        elif self._state in (State.OPEN, State.BINDING):
            self._close("Closed before it was bound.")
        return self._told()

    # What the transport tells

    def bytes_to_send(self) -> bytes:
        """Return what to write next, some 16 KiB at most; the same until it is `taken`."""
        return self._output.peek()

    def taken(self, count: int, now: float) -> None:
        """Say that the transport took these octets and cannot give them back.

        A segment counts as written from its last octet. What is put into a buffer that would still
        write it later is taken.
        """
        self._output.take(count)
        self._in_flight.mark_taken(self._output.taken, now)

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Read what came in and return what happened."""
        if self._is_closed():
            return []
        frames = self._framer.feed(data)
        for frame in frames:
            command = frame[0]
            if command == pdus.SUBMIT_SM_RESP:
                self._submissions.answered(frame[1], frame[2], frame[3], now)
            else:
                self._handlers.get(command, self._on_unknown)(frame, now)
                if self._is_closed():
                    return self._told()
            if command & pdus.RESPONSE:
                self._heard_at = now
        self._after_reading(now, has_read=bool(frames))
        return self._told()

    def connection_lost(self, now: float, reason: str) -> list[Event]:
        """Take the end of the transport, for whatever reason; a sentence is best."""
        cut = " It came in the middle of a PDU." if self._framer.pending else ""
        self._close(reason + cut)
        return self._told()

    def tick(self, now: float) -> list[Event]:
        """Let time pass."""
        for timer in [timer for timer, ends in self._deadlines.items() if now >= ends]:
            self._deadlines.pop(timer, None)
            self._run_out(timer, now)
        self._give_up_overdue(now)
        if (asks_at := self._asks_at()) is not None and now >= asks_at:
            sequence = self._in_flight.next_sequence()
            self._ask(Own.ENQUIRE, sequence, pdus.header_only(pdus.ENQUIRE_LINK, OK, sequence))
            self._deadlines[Timer.ENQUIRY] = now + self.config.enquire_timeout
        self._go_on_when_drained(now)
        return self._told()

    def next_deadline(self, now: float) -> float | None:
        """Return when `tick` is due next, at once if it is late; None when nothing runs."""
        times = [*self._deadlines.values(), self._asks_at(), self._submissions.next_overdue()]
        running = [time for time in times if time is not None]
        return max(min(running), now) if running else None

    # What the peer says

    def _on_bind_response(self, frame: Frame, now: float) -> None:
        _, status, sequence, body = frame
        if self._in_flight.own.get(sequence) is not Own.BIND:
            self._fault(f"The peer answered bind {sequence}, which is not open.")
            return
        del self._in_flight.own[sequence]
        if status != OK:
            self._refused_bind(status)
            return
        self._state = moved(self._state, ACCEPTED[self.config.bind_type])
        self._deadlines.pop(Timer.PHASE, None)
        self._heard_at = now
        self._emit(Bound(body.partition(b"\0")[0].decode("latin-1")))

    def _on_nack(self, frame: Frame, now: float) -> None:
        _, status, sequence, _ = frame
        own = self._in_flight.own.pop(sequence, None)
        if own is None:
            self._submissions.nacked(status, sequence, now)
        elif own is Own.BIND:
            self._refused_bind(status)
        elif own is Own.UNBIND:
            self._close("The peer refused to unbind.")
        else:  # whoever refuses a question is there
            self._deadlines.pop(Timer.ENQUIRY, None)
            self._heard_at = now

    def _on_enquire(self, frame: Frame, _: float) -> None:
        self._output.add_urgent(pdus.header_only(pdus.ENQUIRE_LINK_RESP, OK, frame[2]))

    def _on_enquire_response(self, frame: Frame, _: float) -> None:
        if self._in_flight.own.get(frame[2]) is not Own.ENQUIRE:
            self._fault(f"The peer answered enquire_link {frame[2]}, which is not open.")
            return
        del self._in_flight.own[frame[2]]
        self._deadlines.pop(Timer.ENQUIRY, None)

    def _on_unbind(self, frame: Frame, now: float) -> None:
        self._output.add_urgent(pdus.header_only(pdus.UNBIND_RESP, OK, frame[2]))
        self._is_unbound_by_peer = True
        self._emit(UnbindRequested())
        self._submissions.release_unsent("the peer unbound")
        if self._state in BOUND:
            self._drain(now)
        elif self._state is not State.DRAINING:
            self._close("The peer unbound.")

    def _on_unbind_response(self, frame: Frame, _: float) -> None:
        if self._in_flight.own.get(frame[2]) is not Own.UNBIND:
            self._fault(f"The peer answered unbind {frame[2]}, which is not open.")
            return
        self._close("Unbound.")

    def _on_delivery(self, frame: Frame, _: float) -> None:
        command, _, sequence, body = frame
        if self._state is State.OPEN:
            self._deliveries.answer(command, sequence, NOT_BOUND)
            self._fault("The peer delivered before the bind.")
            return
        self._deliveries.receive(command, sequence, body)

    def _on_alert(self, frame: Frame, now: float) -> None:
        """Pass over an alert_notification: we ask for none, and it has no answer (4.12)."""

    def _on_unknown(self, frame: Frame, _: float) -> None:
        command, sequence = frame[0], frame[2]
        self._fault(f"The peer sent command 0x{command:08X}, which has no place here.")
        if not command & pdus.RESPONSE:
            self._output.add_urgent(pdus.header_only(pdus.GENERIC_NACK, BAD_COMMAND, sequence))

    # What follows from it

    def _after_reading(self, now: float, *, has_read: bool) -> None:
        fault = self._framer.fault
        if fault is not None:
            self._fault(fault.sentence)
            self._output.add_urgent(pdus.header_only(pdus.GENERIC_NACK, BAD_LENGTH, 0))
            self._close(fault.sentence)
            return
        if not self._framer.pending:
            self._deadlines.pop(Timer.PARTIAL, None)
        elif has_read or Timer.PARTIAL not in self._deadlines:
            self._deadlines[Timer.PARTIAL] = now + self.config.partial_timeout
        if self._output.urgent_size > self.config.output_limit:
            self._die("The peer does not read our answers.")
        self._go_on_when_drained(now)

    def _run_out(self, timer: Timer, now: float) -> None:
        if timer is Timer.PARTIAL:
            self._die(f"The rest of a PDU did not come within {self.config.partial_timeout:g} s.")
        elif timer is Timer.ENQUIRY:
            self._die(f"No answer to enquire_link within {self.config.enquire_timeout:g} s.")
        elif self._state is State.BINDING:
            self._die(f"No answer to the bind within {self.config.bind_timeout:g} s.")
        elif self._state is State.UNBINDING:
            self._close(f"No answer to unbind within {self.config.unbind_timeout:g} s.")
        elif self._state is State.DRAINING:
            self._finish_draining(now)

    def _asks_at(self) -> float | None:
        """Return when the next enquire_link is due; None when one is open or no bind is."""
        if self._state not in LIVE or Timer.ENQUIRY in self._deadlines:
            return None
        if self._is_doubted():
            return self._doubted_at
        return self._heard_at + self.config.enquire_interval

    def _is_doubted(self) -> bool:
        return self._doubted_at > self._heard_at

    def _give_up_overdue(self, now: float) -> None:
        """Give up what was not answered in time, and ask a peer that answers no segment whether it
        is there: it is given nothing more, not even a probe, until it says so.
        """
        if self._submissions.give_up_overdue(now) and self._submissions.silence.is_on:
            self._doubted_at = now

    def _ask(self, own: Own, sequence: int, request: bytes) -> None:
        self._in_flight.own[sequence] = own
        self._output.add_urgent(request)

    def _refused_bind(self, status: int) -> None:
        sentence = f"The bind was refused: {explain(status)}."
        self._emit(BindRefused(status, classify_bind(status), sentence))
        self._close(sentence)

    def _drain(self, now: float) -> None:
        self._state = moved(self._state, Move.DRAIN)
        self._deadlines[Timer.PHASE] = now + self.config.drain_timeout
        self._go_on_when_drained(now)

    def _go_on_when_drained(self, now: float) -> None:
        if self._state is State.DRAINING and not self._in_flight.waiting:
            self._finish_draining(now)

    def _finish_draining(self, now: float) -> None:
        if self._is_unbound_by_peer:
            self._close("The peer unbound.")
            return
        self._submissions.release_unsent("the session ends")
        self._state = moved(self._state, Move.UNBIND)
        sequence = self._in_flight.next_sequence()
        self._ask(Own.UNBIND, sequence, pdus.header_only(pdus.UNBIND, OK, sequence))
        self._deadlines = {Timer.PHASE: now + self.config.unbind_timeout}

    def _die(self, reason: str) -> None:
        if not self._is_closed():
            self._emit(LinkDead(reason))
            self._close(reason)

    def _close(self, reason: str) -> None:
        if self._is_closed():
            return
        self._state = moved(self._state, Move.CLOSE)
        unknown, released = self._submissions.end()
        self._output.close()
        self._deadlines.clear()
        self._emit(Closed(reason, unknown, released))

    def _is_closed(self) -> bool:
        return self._state is State.CLOSED

    def _fault(self, sentence: str) -> None:
        self._emit(ProtocolFault(sentence))

    def _told(self) -> list[Event]:
        told = self._events.copy()
        self._events.clear()
        return told
