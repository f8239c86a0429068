"""One connection: octets in, octets out, a batch at a time.

All PDUs of one read are handled together: their ledger lines go to the system with one write,
then their responses to the socket with one write, so no response can precede its line. There is
no task and no timer per message.
"""

import asyncio
import hashlib
import time
from enum import IntEnum
from typing import cast

from smpp_client.simulator import pdus
from smpp_client.simulator.deliveries import Deliveries
from smpp_client.simulator.exchange import Exchange
from smpp_client.simulator.receipts import Account
from smpp_client.simulator.submits import Ending, Submits

_SYSTEM_ID = b"SIMULATOR"
_UNBIND_SECONDS = 5.0
# epoll counts whole milliseconds and rounds up: on average a timer is this much late, in seconds.
_TIMER_LATE = 0.0005


class State(IntEnum):
    """Where a session stands (2.2). BINDING: its bind_resp is held back on purpose."""

    OPEN = 0
    BINDING = 1
    BOUND = 2
    UNBINDING = 3
    CLOSED = 4


class Session(asyncio.Protocol):
    """The protocol of one connection."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._counters = exchange.counters
        self._submits = Submits(exchange, exchange.next_session_number())
        self._deliveries: Deliveries | None = None
        self._account: Account | None = None
        self._state = State.OPEN
        self._is_submitter = False
        self._is_blocked = False
        self._is_over = False
        self._rest = b""
        self._answers: list[bytes] = []
        self._sequence = 0
        self._arrived = 0.0

    # --- called by asyncio ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._exchange.opened(self)

    def data_received(self, data: bytes) -> None:
        if self._state is State.CLOSED:
            return
        self._arrived = self._exchange.loop.time()
        if self._rest:
            data = self._rest + data
        read = self._read(data, time.time())
        self._rest = data[read:]
        self._finish_batch()

    def pause_writing(self) -> None:
        # Who does not read his answers is not read either, as with a plain blocking server.
        self._is_blocked = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._is_blocked = False
        if self._state is not State.CLOSED:
            self._transport.resume_reading()
            self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        self._state = State.CLOSED
        if self._deliveries:
            self._deliveries.leave()
            self._deliveries = None
        self._exchange.closed(self)

    # --- called by the control port and by the switches ---

    def drop(self) -> None:
        """Cut the connection: no unbind, no TLS farewell, nothing that is still to be written."""
        self._state = State.CLOSED
        self._transport.abort()

    def unbind(self) -> None:
        """Ask the peer to unbind; close at its answer or after 5 seconds."""
        if self._state is State.BOUND:
            self._state = State.UNBINDING
            self._request(pdus.UNBIND)
            self._exchange.loop.call_later(_UNBIND_SECONDS, self._close)

    def enquire(self) -> None:
        """Send an enquire_link."""
        self._request(pdus.ENQUIRE_LINK)

    # --- reading ---

    def _read(self, data: bytes, now: float) -> int:
        """Take all whole PDUs and return how many octets they were."""
        at, size = 0, len(data)
        submits = self._submits
        while size - at >= pdus.HEADER_LENGTH and not self._is_over:
            length, command, status, sequence = pdus.HEADER.unpack_from(data, at)
            if not pdus.HEADER_LENGTH <= length <= pdus.LONGEST_PDU:
                self._reject(pdus.INVALID_COMMAND_LENGTH, 0)
                self._is_over = True
                return size
            end = at + length
            if end > size:
                break
            if command == pdus.SUBMIT_SM and self._is_submitter:
                submits.take(data, at, end, sequence, now)
                self._is_over = submits.ending is Ending.DROP
            elif command == pdus.DELIVER_SM_RESP and self._deliveries:
                self._deliveries.acknowledge(sequence, status)
            elif command in pdus.BINDS:
                self._take_bind(command, sequence, data[at:end])
            else:
                self._take_other(command, sequence)
            at = end
        return at

    def _take_other(self, command: int, sequence: int) -> None:
        match command:
            case pdus.ENQUIRE_LINK:
                self._counters.enquire_links += 1
                self._answers.append(pdus.bare(pdus.ENQUIRE_LINK_RESP, pdus.OK, sequence))
            case pdus.UNBIND:
                self._take_unbind(sequence)
            case pdus.UNBIND_RESP:
                self._is_over = True
            case pdus.SUBMIT_SM:
                self._counters.bad_pdus += 1
                self._submits.refuse(pdus.INVALID_BIND_STATUS, sequence)
            case pdus.ENQUIRE_LINK_RESP:
                self._counters.enquire_links_answered += 1
            case pdus.GENERIC_NACK | pdus.DELIVER_SM_RESP:
                self._counters.bad_pdus += 1
            case _:
                self._reject(pdus.INVALID_COMMAND_ID, sequence)

    def _take_bind(self, command: int, sequence: int, pdu: bytes) -> None:
        if self._state is not State.OPEN:
            self._refuse_bind(command, sequence, pdus.ALREADY_BOUND)
            return
        try:
            bind = pdus.read_bind(pdu)
        except pdus.BadPdu as bad:
            self._counters.bad_pdus += 1
            self._refuse_bind(command, sequence, bad.status)
            return
        self._state = State.BINDING
        seconds = self._exchange.faults.sleep_before_bind
        if seconds:
            self._exchange.loop.call_later(seconds, self._bind_late, command, sequence, bind)
        else:
            self._bind(command, sequence, bind)

    def _bind_late(self, command: int, sequence: int, bind: pdus.Bind) -> None:
        if self._state is State.BINDING:
            self._bind(command, sequence, bind)
            self._finish_batch()

    def _bind(self, command: int, sequence: int, bind: pdus.Bind) -> None:
        status = self._exchange.judge_bind(bind)
        if status:
            self._refuse_bind(command, sequence, status)
            self._is_over = True
            return
        self._answers.append(pdus.bind_response(command, sequence, _SYSTEM_ID))
        self._counters.binds += 1
        self._exchange.certificates.append(_certificate_of(self._transport))
        self._state = State.BOUND
        self._is_submitter = command != pdus.BIND_RECEIVER
        self._account = self._exchange.accounts[bind.system_id]
        if command != pdus.BIND_TRANSMITTER:
            self._deliveries = Deliveries(
                self._exchange, self._account, may_send=self._may_deliver, write=self._send
            )

    def _refuse_bind(self, command: int, sequence: int, status: int) -> None:
        self._counters.binds_refused += 1
        self._answers.append(pdus.bare(command | pdus.RESPONSE, status, sequence))

    def _take_unbind(self, sequence: int) -> None:
        """Answer and close, after the responses that `delay` still holds back."""
        self._counters.unbinds += 1
        self._state = State.UNBINDING
        self._is_submitter = False
        answer = pdus.bare(pdus.UNBIND_RESP, pdus.OK, sequence)
        self._exchange.loop.call_later(self._exchange.faults.delay, self._leave, answer)

    def _leave(self, answer: bytes) -> None:
        self._send(answer)
        if not self._submits.is_silent:
            self._close()

    def _reject(self, status: int, sequence: int) -> None:
        self._counters.bad_pdus += 1
        self._answers.append(pdus.bare(pdus.GENERIC_NACK, status, sequence))

    # --- writing ---

    def _finish_batch(self) -> None:
        """Put the batch on disk, then its answers into the socket, then what else may go."""
        accepted = self._record()
        if self._submits.ending is Ending.DROP:
            self.drop()
            return
        self._respond(accepted)
        if self._answers:
            self._send(b"".join(self._answers))
            self._answers = []
        if self._submits.ending is Ending.UNBIND:
            self.unbind()
        if self._is_over:
            self._close()
        self._pump()

    def _record(self) -> int:
        """Write the ledger lines, schedule the receipts; return how many submits were accepted."""
        submits, exchange = self._submits, self._exchange
        lines, submits.lines = submits.lines, []
        if not lines:
            return 0
        exchange.ledger.write(lines)
        self._counters.accepted += len(lines)
        self._counters.peak_in_flight = max(self._counters.peak_in_flight, submits.in_flight)
        receipts, submits.receipts = submits.receipts, []
        if receipts and self._account:
            if exchange.faults.receipt_first:
                self._account.push(receipts)
            else:
                exchange.receipts.schedule(self._account, receipts, exchange.faults)
        return len(lines)

    def _respond(self, accepted: int) -> None:
        """Send the submit_sm_resp of this batch, now or after the delay that is switched on."""
        responses, self._submits.responses = self._submits.responses, []
        if not responses:
            return
        delay = self._exchange.faults.delay
        if delay:
            # Since they arrived: what the batch took to judge and to write is part of it.
            due = self._arrived + delay - _TIMER_LATE
            loop = self._exchange.loop
            loop.call_at(due, self._respond_with, responses, accepted, self._arrived)
        else:
            self._respond_with(responses, accepted, self._arrived)

    def _respond_with(self, responses: list[bytes], accepted: int, arrived: float) -> None:
        if self._state is not State.CLOSED:
            self._submits.in_flight -= accepted
            self._transport.write(b"".join(responses))
            held = self._exchange.loop.time() - arrived
            self._counters.responses += len(responses)
            self._counters.response_microseconds += round(held * 1e6) * len(responses)

    def _request(self, command: int) -> None:
        # From the top down, so that they never meet the numbers of the deliver_sm.
        self._sequence = (self._sequence - 1) & 0x7FFFFFFF
        self._send(pdus.bare(command, pdus.OK, self._sequence))

    def _send(self, octets: bytes) -> None:
        if self._state is not State.CLOSED and not self._submits.is_silent:
            self._transport.write(octets)

    def _pump(self) -> None:
        if self._account:
            self._account.pump()

    def _may_deliver(self) -> bool:
        is_quiet = self._is_blocked or self._submits.is_silent
        return self._state is State.BOUND and not is_quiet

    def _close(self) -> None:
        """Close after what is already written has left."""
        if self._state is not State.CLOSED:
            self._state = State.CLOSED
            self._transport.close()


def _certificate_of(transport: asyncio.Transport) -> str:
    """Return the SHA-256 of the peer's certificate in hexadecimal; "" over plain TCP."""
    tls = transport.get_extra_info("ssl_object")
    return hashlib.sha256(tls.getpeercert(binary_form=True)).hexdigest() if tls else ""
