"""smpplib's own client over mTLS: an independent judge of the simulator."""

import socket
import ssl
import struct
from typing import Any

from smpplib.client import Client

from message_center.stack.certificates import DemoCertificates
from tests.simulator import RunningSimulator

SENDER = "NETOPS"
NUMBER = "447700900123"


class TlsClient(Client):  # type: ignore[misc]
    """smpplib's client, with the server name that it does not pass on by itself."""

    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        super().__init__(
            "127.0.0.1", port, timeout=10, ssl_context=context, allow_unknown_opt_params=True
        )

    def _create_socket(self) -> socket.socket:
        raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        raw.settimeout(self.timeout)
        if self._ssl_context is None:
            return raw
        context: ssl.SSLContext = self._ssl_context
        return context.wrap_socket(raw, server_hostname="localhost")

    def write(self, octets: bytes) -> None:
        """Send octets as they are."""
        self._socket.sendall(octets)

    def submit(self, text: bytes = b"Works tonight", **fields: Any) -> int:
        """Send a submit_sm that asks for a receipt; return its sequence number."""
        wanted = {
            "source_addr_ton": 5,
            "source_addr_npi": 0,
            "source_addr": SENDER,
            "dest_addr_ton": 1,
            "dest_addr_npi": 1,
            "destination_addr": NUMBER,
            "registered_delivery": 1,
            "short_message": text,
        }
        sequence: int = self.send_message(**(wanted | fields)).sequence
        return sequence

    def response(self, text: bytes = b"Works tonight", **fields: Any) -> Any:
        """Send a submit_sm and return the PDU that answers it."""
        self.submit(text, **fields)
        return self.read_pdu()

    def receipt(self, status: int = 0) -> Any:
        """Read a deliver_sm, answer it with the status and return it."""
        pdu = self.read_pdu()
        assert pdu.command == "deliver_sm", pdu.command
        self.write(struct.pack(">LLLLB", 17, 0x80000005, status, pdu.sequence, 0))
        return pdu

    def is_cut(self) -> bool:
        """Read to the end of the connection; False when something came instead."""
        try:
            return bool(self._socket.recv(1) == b"")
        except OSError:
            return True


def client_context(certificates: DemoCertificates) -> ssl.SSLContext:
    """Return the context of a client that verifies the server and shows its own certificate."""
    context = ssl.create_default_context(cafile=certificates.ca)
    context.load_cert_chain(certificates.client_cert, certificates.client_key)
    return context


def connected(simulator: RunningSimulator, certificates: DemoCertificates | None) -> TlsClient:
    """Connect without a bind; plain TCP without certificates."""
    client = TlsClient(simulator.port, client_context(certificates) if certificates else None)
    client.connect()
    return client
