"""smpplib's own loop with a window and no database: what a short script reaches.

A process of its own: `python -m tests.bench.smpplib_loop PORT FOLDER COUNT WINDOW RECEIPTS`. It
sends COUNT messages, answers so many receipts, and prints its CPU seconds from the bind to the last
one.
"""

import socket
import ssl
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smpplib import client, consts, gsm

# The text and the numbers that our sender gets; a number's last digits are the message's index.
TEXT = "Hello Name{}"
NUMBER = 447700900000


class Client(client.Client):  # type: ignore[misc]
    """smpplib's client. As it is it gives TLS no name to check, and a checked name is the point."""

    def _create_socket(self) -> socket.socket:
        raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        raw.settimeout(self.timeout)
        context: ssl.SSLContext = self._ssl_context
        return context.wrap_socket(raw, server_hostname="localhost")


@dataclass
class Tally:
    """What came back."""

    answered: int = 0
    receipts: int = 0

    def answer(self, pdu: Any) -> None:
        """Count a submit_sm_resp."""
        self.answered += 1

    def receipt(self, pdu: Any) -> None:
        """Count a deliver_sm; smpplib answers it."""
        self.receipts += 1


def bound(port: int, certificates: Path) -> Client:
    """Bind as a transceiver over mutual TLS."""
    context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
    context.load_cert_chain(str(certificates / "client.pem"), str(certificates / "client.key"))
    made = Client("127.0.0.1", port, 30, ssl_context=context, allow_unknown_opt_params=True)
    made.connect()
    made.bind_transceiver(system_id="center", password="secret")
    return made


def submit(peer: Client, index: int) -> None:
    """Encode and send one message and ask for its receipt."""
    parts, coding, esm_class = gsm.make_parts(TEXT.format(index))
    for part in parts:
        peer.send_message(
            source_addr_ton=consts.SMPP_TON_ALNUM,
            source_addr="Bench",
            dest_addr_ton=consts.SMPP_TON_INTL,
            dest_addr_npi=consts.SMPP_NPI_ISDN,
            destination_addr=str(NUMBER + index % 1000),
            short_message=part,
            data_coding=coding,
            esm_class=esm_class,
            registered_delivery=True,
        )


def run(peer: Client, count: int, window: int, receipts: int) -> None:
    """Keep the window full until all is answered, then wait for so many receipts."""
    tally = Tally()
    peer.set_message_sent_handler(tally.answer)
    peer.set_message_received_handler(tally.receipt)
    sent = 0
    while tally.answered < count or tally.receipts < receipts:
        while sent < count and sent - tally.answered < window:
            submit(peer, sent)
            sent += 1
        peer.read_once()


if __name__ == "__main__":
    partner = bound(int(sys.argv[1]), Path(sys.argv[2]))
    began = time.process_time()
    run(partner, int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
    print(time.process_time() - began)
    partner.unbind()
    partner.disconnect()
