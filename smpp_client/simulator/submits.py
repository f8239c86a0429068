"""What happens to the submit_sm of one session: judged, written to the ledger, answered.

The session hands over the octets and fetches a batch at a time: lines for the ledger, responses
for the socket, receipts for the calendar.
"""

from enum import Enum

from smpp_client.simulator import pdus
from smpp_client.simulator.exchange import Exchange
from smpp_client.simulator.faults import Faults
from smpp_client.simulator.ledger import line
from smpp_client.simulator.message_ids import written
from smpp_client.simulator.pdus import BadPdu, Submit, read_submit, submit_response

_FOREIGN = 1_000_003


class Ending(Enum):
    """How the switches end a session by its count of submits."""

    NONE = 0
    DROP = 1
    UNBIND = 2


class Submits:
    """The submits of one session. `lines`, `responses` and `receipts` are of the current batch."""

    def __init__(self, exchange: Exchange, session_number: int) -> None:
        self._exchange = exchange
        self._counters = exchange.counters
        self._session_number = session_number
        self._accepted = 0
        self.lines: list[str] = []
        self.responses: list[bytes] = []
        self.receipts: list[bytes] = []
        self.in_flight = 0
        self.is_silent = False
        self.ending = Ending.NONE

    def take(self, data: bytes, at: int, end: int, sequence: int, now: float) -> None:
        """Take the submit_sm in data[at:end], received at Unix time `now`."""
        exchange = self._exchange
        self._counters.submits += 1
        try:
            submit = read_submit(data, at, end)
        except BadPdu as bad:
            self._counters.bad_pdus += 1
            self.refuse(bad.status, sequence)
            return
        if exchange.sample.is_submit_due():
            exchange.sample.check_submit(data[at:end], sequence, submit)
        if exchange.faults.may_refuse:
            status = exchange.judge(submit, self.in_flight, now)
            if status:
                self.refuse(status, sequence)
                return
        self._accept(submit, sequence, now, exchange.faults)

    def refuse(self, status: int, sequence: int) -> None:
        """Answer with a command_status; such a response has no body."""
        self._counters.refused += 1
        if not self.is_silent:
            self.responses.append(pdus.bare(pdus.SUBMIT_SM_RESP, status, sequence))

    def _accept(self, submit: Submit, sequence: int, now: float, faults: Faults) -> None:
        number = self._exchange.next_message_number()
        message_id = written(number, faults.message_id)
        self.lines.append(line(now, message_id.decode(), submit, self._session_number, sequence))
        self.in_flight += 1
        self._accepted += 1
        if faults.receipts:
            receipt = self._exchange.receipts.body(submit, number, now, faults)
            if receipt:
                self.receipts.append(receipt)
        if faults.no_message_id:
            message_id = b""
        if faults.may_disturb or self.is_silent:
            self._answer_wrongly(sequence, message_id, faults)
        else:
            self.responses.append(submit_response(sequence, message_id))

    def _answer_wrongly(self, sequence: int, message_id: bytes, faults: Faults) -> None:
        if faults.silent_after and self._accepted >= faults.silent_after:
            self.is_silent = True
        if faults.unbind_after and self._accepted >= faults.unbind_after:
            self.ending = Ending.UNBIND
        if faults.drop_after and self._accepted >= faults.drop_after:
            self.ending = Ending.DROP
        if self.is_silent:
            return
        number = self._counters.accepted + len(self.lines)
        if _is_turn(number, faults.wrong_sequence_every):
            sequence = (sequence + _FOREIGN) & 0x7FFFFFFF
        self.responses.append(submit_response(sequence, message_id))
        if _is_turn(number, faults.duplicate_response_every):
            self.responses.append(submit_response(sequence, message_id))


def _is_turn(number: int, every: int) -> bool:
    return bool(every) and number % every == 0
