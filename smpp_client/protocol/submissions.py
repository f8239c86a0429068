"""Segments out, their answers in."""

from collections.abc import Callable, Sequence
from typing import Final

from smpp_client.carrier import Kind, Segment
from smpp_client.protocol.config import SessionConfig
from smpp_client.protocol.events import Event, LateResponse, ProtocolFault, Settled, Throttled
from smpp_client.protocol.in_flight import InFlight, Waiting, Window
from smpp_client.protocol.output import Output
from smpp_client.protocol.pdus import FieldRefused, SubmitEncoder, read_submit_response
from smpp_client.protocol.silence import Silence
from smpp_client.rules.errors import OK, StatusClass, classify, explain
from smpp_client.rules.message_ids import IdRule, normalise_response_id

NO_ID: Final = "accepted without an id: a receipt cannot be matched"


class Submissions:
    """Each segment gets exactly one outcome: from its answer, its timer, or the end."""

    def __init__(
        self,
        config: SessionConfig,
        in_flight: InFlight,
        output: Output,
        emit: Callable[[Event], None],
    ) -> None:
        self.window = Window(config.window)
        self.silence = Silence(emit)
        self._config = config
        self._in_flight = in_flight
        self._output = output
        self._emit = emit
        self._encode = SubmitEncoder(config.service_type, config.registered_delivery).encode
        self._converts_ids = config.id_rule is not IdRule.AS_IS

    def follow(self, config: SessionConfig) -> None:
        """Go on with other settings; segments that wait keep their places in the window."""
        self._config = config
        self._converts_ids = config.id_rule is not IdRule.AS_IS
        if self.window.limit != config.window:
            self.window.set_limit(config.window)

    @property
    def room(self) -> int:
        """How many more the window takes; a probe where the peer has stopped answering."""
        in_flight = len(self._in_flight.waiting)
        return self.silence.room(max(self.window.size - in_flight, 0), in_flight)

    def submit(self, segments: Sequence[Segment], room: int, now: float) -> None:
        """Queue at most `room` segments; the others are released."""
        in_flight, output = self._in_flight, self._output
        for segment in segments:
            if room <= 0:
                self._emit(Settled(segment, Kind.RELEASED, cause="no room on the connection"))
                continue
            sequence = in_flight.next_sequence()
            try:
                pdu = self._encode(segment, sequence)
            except FieldRefused as refused:
                self._emit(Settled(segment, Kind.REFUSED, cause=str(refused)))
                continue
            # First into the table, then into the buffer: an answer can never find nothing.
            in_flight.waiting[sequence] = Waiting(segment, now, output.added + 1)
            output.add_segment(pdu)
            room -= 1

    def answered(self, status: int, sequence: int, body: bytes, now: float) -> None:
        """Take a submit_sm_resp."""
        waiting = self._find(sequence)
        if waiting is None:
            self._answered_late(status, sequence, body, now)
            return
        self.silence.answered(now)
        if status == OK:
            smsc_id = self._smsc_id(body)
            seconds = now - waiting.submitted_at
            cause = "" if smsc_id else NO_ID
            self._emit(Settled(waiting.segment, Kind.SUBMITTED, OK, smsc_id, cause, seconds))
            if self.window.is_shrunk:
                self.window.grow()
        else:
            self._rejected(waiting, status, now)

    def nacked(self, status: int, sequence: int, now: float) -> None:
        """Take a generic_nack: the segment was not accepted, whatever the status says."""
        waiting = self._find(sequence)
        if waiting is not None:
            self.silence.answered(now)
            self._rejected(waiting, status, now)
        elif (segment := self._in_flight.late.pop(sequence, None)) is not None:
            self.silence.answered(now)
            kind, cause = self._verdict(status)
            self._emit(LateResponse(segment, kind, status, "", cause))
        else:
            self._emit(ProtocolFault(f"The peer sent generic_nack {explain(status)} to nothing."))

    def give_up_overdue(self, now: float) -> bool:
        """Make unknown what was not answered in time; return whether there was any. Nothing is sent
        again.
        """
        timeout = self._config.response_timeout
        overdue = self._in_flight.overdue(timeout, now)
        for segment in overdue:
            cause = f"no answer within {timeout:g} s"
            self._emit(Settled(segment, Kind.UNKNOWN, cause=cause, seconds=timeout))
        if overdue:
            self.silence.gave_up(timeout, now)
        return bool(overdue)

    def next_overdue(self) -> float | None:
        """Return when the next segment is given up."""
        return self._in_flight.next_overdue(self._config.response_timeout)

    def release_unsent(self, cause: str) -> None:
        """Take back the segments that were not shown to the transport."""
        self._output.drop_segments()
        for waiting in self._in_flight.take_after(self._output.handed):
            self._emit(Settled(waiting.segment, Kind.RELEASED, cause=cause))

    def end(self) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
        """Take everything out: what may have reached the peer, and what provably did not."""
        taken = self._output.taken
        waiting = self._in_flight.empty()
        unknown = tuple(one.segment for one in waiting if one.number <= taken)
        released = tuple(one.segment for one in waiting if one.number > taken)
        return unknown, released

    def _find(self, sequence: int) -> Waiting | None:
        """Take out the segment that this answers, if it was shown to the transport at all."""
        waiting = self._in_flight.waiting.get(sequence)
        if waiting is None or waiting.number > self._output.handed:
            return None
        del self._in_flight.waiting[sequence]
        return waiting

    def _smsc_id(self, body: bytes) -> str:
        smsc_id = read_submit_response(body)
        if self._converts_ids:
            return normalise_response_id(smsc_id, self._config.id_rule)
        return smsc_id

    def _verdict(self, status: int) -> tuple[Kind, str]:
        is_final = classify(status, self._config.status_classes) is StatusClass.FINAL
        cause = explain(status) if status != OK else "refused without a reason (generic_nack)"
        return (Kind.REFUSED if is_final else Kind.DEFERRED), cause

    def _rejected(self, waiting: Waiting, status: int, now: float) -> None:
        kind, cause = self._verdict(status)
        seconds = now - waiting.submitted_at
        self._emit(Settled(waiting.segment, kind, status, "", cause, seconds))
        if classify(status, self._config.status_classes) is StatusClass.SLOW_DOWN:
            self.window.shrink(waiting.number, self._output.added)
            self._emit(Throttled(status, waiting.submitted_at))

    def _answered_late(self, status: int, sequence: int, body: bytes, now: float) -> None:
        segment = self._in_flight.late.pop(sequence, None)
        if segment is None:
            self._emit(ProtocolFault(f"The peer answered request {sequence}, which is not open."))
            return
        self.silence.answered(now)
        if status == OK:
            self._emit(LateResponse(segment, Kind.SUBMITTED, OK, self._smsc_id(body)))
        else:
            kind, cause = self._verdict(status)
            self._emit(LateResponse(segment, kind, status, "", cause))
