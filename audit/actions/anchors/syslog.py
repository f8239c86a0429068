"""A log collector of another owner (RFC 5424 over UDP or TCP), say the security department's."""

import base64
import os
import socket
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from audit.rules.anchoring import AnchorRefused, Given, Last, SignedCheckpoint, Unreachable
from audit.rules.canonical import stamp

# Facility 13 is the log audit, severity 5 a notice.
_PRIORITY = 13 * 8 + 5
_SECONDS = 10


@dataclass(frozen=True)
class SyslogAnchor:
    """Sends a line to `url` (udp://host:514, tcp://host:601); the receipt is the line.

    Syslog answers nothing, so that the receipt says what was sent and no more.
    """

    url: str
    name: str = "syslog"
    kind: str = "syslog"
    period: timedelta = timedelta(0)

    def send(self, checkpoint: SignedCheckpoint, last: Last | None) -> Given:
        """Send the line; raise AnchorRefused or Unreachable."""
        line = _line(checkpoint)
        try:
            self._send(line)
        except OSError as failure:
            raise Unreachable(f"{self.url}: {failure.strerror or failure}.") from failure
        return Given(line + b"\n")

    def _send(self, line: bytes) -> None:
        scheme, host, port = _address(self.url)
        if scheme == "tcp":
            with socket.create_connection((host, port), _SECONDS) as connection:
                # Octet counting (RFC 6587): no character of the text can end it.
                connection.sendall(b"%d %s" % (len(line), line))
                connection.shutdown(socket.SHUT_WR)
            return
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        family, kind, protocol, _name, address = found[0]
        with socket.socket(family, kind, protocol) as udp:
            udp.connect(address)
            udp.send(line)


def _address(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        if parts.scheme in {"udp", "tcp"} and parts.hostname:
            return parts.scheme, parts.hostname, parts.port or (514, 601)[parts.scheme == "tcp"]
    except ValueError as bad_port:
        raise AnchorRefused(f"{url} is not an address: {bad_port}.") from bad_port
    raise AnchorRefused(f"{url} is not an address: udp://host:514 or tcp://host:601.")


def _line(checkpoint: SignedCheckpoint) -> bytes:
    """Return the whole note on one line: readable up to the root, then in base64 to the byte."""
    origin, size, root = checkpoint.note.split("\n")[:3]
    note = base64.b64encode(checkpoint.note.encode()).decode()
    head = f"<{_PRIORITY}>1 {stamp(checkpoint.at)} {socket.gethostname()} message-center"
    return f"{head} {os.getpid()} checkpoint - {origin} {size} {root} note={note}".encode()
