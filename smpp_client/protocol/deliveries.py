"""What the peer delivers: receipts and messages, answered when they are durable."""

from collections.abc import Callable, Iterator
from typing import Final

from smpplib import consts

from smpp_client.protocol.common_receipts import read_common_receipt
from smpp_client.protocol.config import SessionConfig
from smpp_client.protocol.events import Event, MessageReceived, ProtocolFault, ReceiptReceived
from smpp_client.protocol.messages import read_message
from smpp_client.protocol.output import Output
from smpp_client.protocol.pdus import (
    DELIVER_SM,
    RESPONSE,
    Malformed,
    delivery_response,
    read_delivery,
)
from smpp_client.protocol.receipts import read_receipt
from smpp_client.rules.message_ids import IdRule

ACCEPTED: Final[int] = consts.SMPP_ESME_ROK
NOT_NOW: Final[int] = consts.SMPP_ESME_RX_T_APPN
NOT_BOUND: Final[int] = consts.SMPP_ESME_RINVBNDSTS


class Deliveries:
    """Deliveries by ticket, since the peer may use one sequence number for all of them."""

    def __init__(
        self,
        config: SessionConfig,
        output: Output,
        emit: Callable[[Event], None],
        tickets: Iterator[int],
    ) -> None:
        self._config = config
        self._tickets = tickets
        self._reads_common = config.id_rule is IdRule.AS_IS
        self._output = output
        self._emit = emit
        self._open: dict[int, tuple[int, int]] = {}  # ticket: response command, sequence

    def __len__(self) -> int:
        return len(self._open)

    def follow(self, config: SessionConfig) -> None:
        """Read what comes from now on with other settings."""
        self._config = config
        self._reads_common = config.id_rule is IdRule.AS_IS

    def receive(self, command: int, sequence: int, body: bytes) -> None:
        """Read a deliver_sm or data_sm and tell what it is; answer at once only to say no."""
        if len(self._open) >= self._config.unanswered_limit:
            self.answer(command, sequence, NOT_NOW)
            return
        if self._reads_common and command == DELIVER_SM:
            common = read_common_receipt(body)
            if common is not None:
                self._emit(ReceiptReceived(self._ticket(command, sequence), common))
                return
        try:
            delivery = read_delivery(command, body)
        except Malformed as malformed:
            self.answer(command, sequence, malformed.status)
            self._emit(ProtocolFault(f"The peer delivered what cannot be read. {malformed}"))
            return
        ticket = self._ticket(command, sequence)
        receipt = read_receipt(delivery, body, self._config.id_rule)
        if receipt is not None:
            self._emit(ReceiptReceived(ticket, receipt))
            if receipt.is_contradicting:
                self._emit(ProtocolFault("The options of a receipt contradict its text."))
            return
        message = read_message(delivery, self._config.alphabet)
        self._emit(MessageReceived(ticket, delivery.source, delivery.destination, message, body))

    def _ticket(self, command: int, sequence: int) -> int:
        ticket = next(self._tickets)
        self._open[ticket] = (command, sequence)
        return ticket

    def acknowledge(self, ticket: int, *, is_stored: bool) -> None:
        """Answer a delivery; a ticket that is not open passes."""
        opened = self._open.pop(ticket, None)
        if opened is not None:
            command, sequence = opened
            self.answer(command, sequence, ACCEPTED if is_stored else NOT_NOW)

    def answer(self, command: int, sequence: int, status: int) -> None:
        """Queue the response to a deliver_sm or data_sm."""
        self._output.add_urgent(delivery_response(command | RESPONSE, status, sequence))
