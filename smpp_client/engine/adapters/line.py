"""One session of a custom carrier as the slot sees it: a process that may hang, raise or lie.

What the process was given and has no outcome for is unknown when it ends. It is given at most the
window, and what it says is counted, logged and passed over where it cannot be right.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from smpp_client.carrier import Kind, Segment, SegmentKey
from smpp_client.carrier.adapters import CarrierSettings
from smpp_client.engine.adapters import frames
from smpp_client.engine.adapters.frames import Nonsense, ReadOutcome
from smpp_client.engine.adapters.process import CarrierProcess
from smpp_client.engine.clock import lease_now
from smpp_client.engine.guarded import Deadline
from smpp_client.engine.tickets import TICKETS
from smpp_client.engine.wire import OnEvent
from smpp_client.protocol.events import (
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
from smpp_client.protocol.messages import ReadMessage
from smpp_client.protocol.receipts import ReadReceipt
from smpp_client.protocol.silence import Silence
from smpp_client.rules.codings import Coding
from smpp_client.rules.errors import StatusClass, classify

WATCH_SECONDS = 0.1
OPEN_SECONDS = 20.0
DRAIN_SECONDS = 10.0
CLOSE_SECONDS = 5.0
# A process that was frozen did not listen; nobody was silent meanwhile.
FROZEN_SECONDS = 1.0
MOST_NONSENSE = 1_000
MOST_UNANSWERED = 10_000
MOST_LATE = 10_000
# Lines that are read before other connections get their turn.
LINES_A_TURN = 50


class Phase(Enum):
    """How far a session is."""

    OPENING = OPEN_SECONDS
    OPEN = float("inf")
    DRAINING = DRAIN_SECONDS
    CLOSING = CLOSE_SECONDS


HEARD = frozenset({Phase.OPEN, Phase.DRAINING})


@dataclass(slots=True)
class _Given:
    """A segment in the carrier's hands since `at`, in monotonic seconds."""

    segment: Segment
    at: float


class AdapterLine:
    """Runs one carrier process from open to closed, and tells events as an SMPP session does."""

    def __init__(
        self,
        carrier: str,
        settings: CarrierSettings,
        on_event: OnEvent,
        deadline: Deadline,
        *,
        call_seconds: float,
        response_seconds: float,
    ) -> None:
        self.is_closed = asyncio.Event()
        self.nonsense_count = 0
        self._carrier = carrier
        self._settings = settings
        self._on_event = on_event
        self._deadline = deadline
        self._call_seconds = call_seconds
        self._response_seconds = response_seconds
        self._in_flight: dict[SegmentKey, _Given] = {}
        self._late: dict[SegmentKey, Segment] = {}
        self._silence = Silence(self._tell)
        self._unanswered: dict[int, int] = {}  # our ticket: the carrier's
        self._theirs: set[int] = set()
        self._given_count = 0
        self._free = (0, 0)  # how many were given when it said how many more it takes
        self._health = ""
        self._phase = Phase.OPENING
        self._phase_ends_at = time.monotonic() + OPEN_SECONDS
        self._heard_at = float("inf")
        self._has_ended = False
        self._process = CarrierProcess()
        self._tasks: list[asyncio.Task[None]] = []
        self._takers: dict[str, Callable[[list[Any]], None]] = {
            "opened": self._opened,
            "outcome": self._outcome,
            "receipt": self._receipt,
            "message": self._message,
            "state": self._state,
            "released": self._released,
            "not_taken": lambda values: self._fault(f"Not taken: {frames.read_sentence(values)}"),
            "nonsense": lambda values: self._nonsense(frames.read_sentence(values)),
            "down": lambda values: self.drop(frames.read_sentence(values) or "No far end."),
            "raised": lambda values: self.drop(f"It failed: {frames.read_sentence(values)}."),
            "closed": lambda _values: self.drop("Closed."),
        }

    # Its life

    async def start(self) -> None:
        """Start the process and tell it to open. Raises OSError."""
        reader = await self._process.start()
        self._order("open", (self._carrier, self._settings))
        self._tasks = [
            asyncio.create_task(self._read(reader)),
            asyncio.create_task(self._watch()),
        ]
        for task in self._tasks:
            # Whoever stops listening or looking, for whatever reason, ends the session with it.
            task.add_done_callback(lambda _done: self.drop("The session ended."))

    @property
    def session(self) -> "AdapterLine":
        """How full it is."""
        return self

    @property
    def in_flight(self) -> int:
        """How many segments wait for their outcome."""
        return len(self._in_flight)

    @property
    def free(self) -> int:
        """How many may be submitted: what the carrier says it takes, within the window."""
        if self._phase is not Phase.OPEN or self._has_ended:
            return 0
        given, free = self._free
        by_carrier = free - (self._given_count - given)
        in_flight = len(self._in_flight)
        room = max(0, min(by_carrier, self._settings.window - in_flight))
        return self._silence.room(room, in_flight)

    def submit(self, segments: Sequence[Segment]) -> None:
        """Give segments to the carrier; those beyond the room are released."""
        now, until = time.monotonic(), self._deadline()
        if lease_now() >= until:
            self._release(segments, "the lease ran out")
            self.drop("The lease ran out.")
            return
        room = self.free
        taken, left = segments[:room], segments[room:]
        for segment in taken:
            self._in_flight[segment.key] = _Given(segment, now)
        self._given_count += len(taken)
        if taken:
            self._order("submit", (list(taken), until))
        self._release(left, "no room on the connection")

    def acknowledge(self, ticket: int, is_stored: bool) -> None:
        """Tell the carrier what became of a delivery."""
        given = self._unanswered.pop(ticket, None)
        if given is not None:
            self._theirs.discard(given)
            self._order("acknowledge", (given, is_stored))

    def unbind(self) -> None:
        """Submit no more, wait for outcomes, close."""
        if self._phase is Phase.OPENING:
            self.drop("Closed before it opened.")
        elif self._phase is Phase.OPEN:
            self._enter(Phase.DRAINING)
            self._close_when_drained()

    def drop(self, reason: str) -> None:
        """Kill the process; what it was given and did not answer is unknown."""
        if self._has_ended:
            return
        self._has_ended = True
        self._process.kill()
        unknown = tuple(given.segment for given in self._in_flight.values())
        self._in_flight.clear()
        self._on_event(Closed(reason, unknown, ()))
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self.is_closed.set()

    # Time

    async def _watch(self) -> None:
        looked_at = time.monotonic()
        while not self._has_ended:
            await asyncio.sleep(WATCH_SECONDS)
            now = time.monotonic()
            if now - looked_at > FROZEN_SECONDS:
                self._heard_at = max(now, self._heard_at)
            looked_at = now
            self._look(now)

    def _look(self, now: float) -> None:
        self._give_up_overdue(now)
        if self._phase in HEARD and now - self._heard_at > self._call_seconds:
            self.drop(f"The carrier hangs: a call did not return within {self._call_seconds:g} s.")
        elif now < self._phase_ends_at:
            return
        elif self._phase is Phase.DRAINING:
            self._ask_to_close()
        else:
            self.drop(f"The carrier did not come to an end of {self._phase.name.lower()}.")

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._phase_ends_at = time.monotonic() + phase.value

    def _ask_to_close(self) -> None:
        self._enter(Phase.CLOSING)
        self._order("close", None)

    def _close_when_drained(self) -> None:
        if self._phase is Phase.DRAINING and not self._in_flight:
            self._ask_to_close()

    def _give_up_overdue(self, now: float) -> None:
        cause = f"no answer within {self._response_seconds:g} s"
        while self._in_flight:
            key, given = next(iter(self._in_flight.items()))
            if now - given.at < self._response_seconds:
                return
            del self._in_flight[key]
            if len(self._late) < MOST_LATE:
                self._late[key] = given.segment
            self._tell(Settled(given.segment, Kind.UNKNOWN, cause=cause))
            self._silence.gave_up(self._response_seconds, now)
            self._close_when_drained()

    # What it says

    async def _read(self, reader: asyncio.StreamReader) -> None:
        count = 0
        while not self._has_ended:
            try:
                line = await reader.readline()
            except (ValueError, OSError):
                self.drop("The carrier says more in one line than it may.")
                return
            if not line.endswith(b"\n"):
                self.drop("The carrier's process ended.")
                return
            self._take(line)
            count += 1
            if count % LINES_A_TURN == 0:
                await asyncio.sleep(0)

    def _take(self, line: bytes) -> None:
        try:
            word, values = frames.read_line(line)
            take = self._takers.get(word)
            if take is None:
                raise Nonsense("A line begins with a word that nobody knows.")
            take(values)
        except Nonsense as nonsense:
            self._nonsense(str(nonsense))

    def _nonsense(self, sentence: str) -> None:
        """Count it and go on; so much of it that it costs others their turn ends the session."""
        self.nonsense_count += 1
        self._fault(f"The carrier talks nonsense: {sentence}")
        if self.nonsense_count >= MOST_NONSENSE:
            self.drop(f"The carrier talked nonsense {MOST_NONSENSE} times in one session.")

    def _opened(self, _values: list[Any]) -> None:
        if self._phase is not Phase.OPENING:
            raise Nonsense("It opened twice, or too late.")
        self._enter(Phase.OPEN)
        self._heard_at = time.monotonic()
        self._tell(Bound(self._carrier))

    def _state(self, values: list[Any]) -> None:
        self._heard_at = time.monotonic()
        # Who cannot say how many it takes takes none.
        self._free = (self._given_count, 0)
        given, free, health = frames.read_state(values)
        if given > self._given_count:
            raise Nonsense("It counts segments that it was never given.")
        self._free = (given, free)
        if health != self._health:
            self._health = health
            self._tell(HealthTold(health))

    def _outcome(self, values: list[Any]) -> None:
        told = frames.read_outcome(values)
        given = self._in_flight.pop(told.key, None)
        if given is not None:
            self._silence.answered(time.monotonic())
            self._settle(given, told)
            self._close_when_drained()
        elif (late := self._late.pop(told.key, None)) is not None:
            self._silence.answered(time.monotonic())
            self._tell(LateResponse(late, told.kind, told.status, told.smsc_id, told.cause))
        else:
            raise Nonsense("An outcome is for a segment that it was not given, or has settled.")

    def _settle(self, given: _Given, told: ReadOutcome) -> None:
        seconds = time.monotonic() - given.at
        self._tell(
            Settled(given.segment, told.kind, told.status, told.smsc_id, told.cause, seconds)
        )
        if told.kind is Kind.DEFERRED and classify(told.status, {}) is StatusClass.SLOW_DOWN:
            self._tell(Throttled(told.status, given.at))

    def _released(self, values: list[Any]) -> None:
        keys = frames.read_keys(values)
        gone = [given for key in keys if (given := self._in_flight.pop(key, None)) is not None]
        self._release([given.segment for given in gone], "the carrier did not take it")
        self._close_when_drained()

    def _receipt(self, values: list[Any]) -> None:
        told = frames.read_receipt(values)
        receipt = ReadReceipt(
            smsc_id=told.smsc_id,
            state=told.state,
            error=told.error,
            raw=told.raw,
            reference=told.reference,
            subscriber=told.subscriber,
            sender=told.sender,
            is_unmarked=told.is_unmarked,
            is_contradicting=False,
        )
        if (ticket := self._ticket_for(told.ticket)) is not None:
            self._tell(ReceiptReceived(ticket, receipt))

    def _message(self, values: list[Any]) -> None:
        given, message = frames.read_message(values)
        read = ReadMessage(message.text.encode("utf-16-be"), Coding.UCS2)
        if (ticket := self._ticket_for(given)) is not None:
            self._tell(
                MessageReceived(ticket, message.source, message.destination, read, message.raw)
            )

    def _ticket_for(self, given: int) -> int | None:
        """Return our ticket for a delivery; None without room: then it has to come again."""
        if given in self._theirs:
            raise Nonsense("A ticket is open already.")
        if len(self._unanswered) >= MOST_UNANSWERED:
            self._order("acknowledge", (given, False))
            return None
        ticket = next(TICKETS)
        self._unanswered[ticket] = given
        self._theirs.add(given)
        return ticket

    # Out of here

    def _release(self, segments: Sequence[Segment], cause: str) -> None:
        for segment in segments:
            self._tell(Settled(segment, Kind.RELEASED, cause=cause))

    def _fault(self, sentence: str) -> None:
        self._tell(ProtocolFault(sentence))

    def _tell(self, event: Event) -> None:
        if not self._has_ended:
            self._on_event(event)

    def _order(self, word: str, values: object) -> None:
        if not self._has_ended:
            self._process.tell(word, values)
