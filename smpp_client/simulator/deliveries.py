"""The deliver_sm of one session: sent within a window, remembered until they are answered."""

from collections.abc import Callable

from smpp_client.simulator import pdus
from smpp_client.simulator.exchange import Exchange
from smpp_client.simulator.receipts import Account


class Deliveries:
    """What one receiver or transceiver was sent and has not acknowledged."""

    def __init__(
        self,
        exchange: Exchange,
        account: Account,
        *,
        may_send: Callable[[], bool],
        write: Callable[[bytes], None],
    ) -> None:
        """`may_send` says whether the session can take more, `write` takes its octets."""
        self._exchange = exchange
        self._account = account
        self._may_send = may_send
        self._write = write
        self._open: dict[int, bytes] = {}
        self._sequence = 0
        account.receivers.append(self)

    def room(self) -> int:
        """How many more fit into the window now; none while the session takes nothing."""
        if not self._may_send():
            return 0
        return self._exchange.faults.receipt_window - len(self._open)

    def deliver(self, bodies: list[bytes]) -> None:
        """Send one deliver_sm for each body with one write."""
        batch = [self._numbered(body) for body in bodies]
        self._exchange.counters.receipts_sent += len(batch)
        self._write(b"".join(batch))

    def acknowledge(self, sequence: int, status: int) -> None:
        """Take a deliver_sm_resp; what was refused comes again later, unknown numbers are bad."""
        body = self._open.pop(sequence, None)
        counters = self._exchange.counters
        if body is None:
            counters.bad_pdus += 1
        elif status == pdus.OK:
            counters.receipts_acknowledged += 1
        else:
            counters.receipts_refused += 1
            self._exchange.receipts.retry(self._account, body, self._exchange.faults)

    def leave(self) -> None:
        """Go from the account; what was not acknowledged waits for the next bind, in order."""
        self._account.receivers.remove(self)
        self._account.waiting.extendleft(reversed(self._open.values()))
        self._open.clear()
        self._account.pump()

    def _numbered(self, body: bytes) -> bytes:
        self._sequence = self._sequence % 0x7FFFFFFF + 1
        self._open[self._sequence] = body
        pdu = pdus.deliver(self._sequence, body)
        if self._exchange.sample.is_delivery_due():
            self._exchange.sample.check_delivery(pdu, self._sequence)
        return pdu
