"""Ports on the loopback address."""

import json
import socket
from contextlib import closing
from pathlib import Path

LOOPBACK = "127.0.0.1"


class PortTaken(RuntimeError):
    """Somebody else listens on a port that was asked for; the sentence names it."""


def reserve() -> tuple[int, socket.socket]:
    """Return a free port and the socket that keeps it from being handed out again.

    The socket is bound and never listens: a server that sets SO_REUSEADDR (all of ours do) can
    listen on the port meanwhile, while the kernel gives it to nobody who asks for any port.
    """
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind((LOOPBACK, 0))
    return int(holder.getsockname()[1]), holder


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port now."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
        return True


def is_open(port: int) -> bool:
    """Tell whether something accepts connections on the port."""
    with closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


class Ports:
    """The ports of one data folder, remembered in `ports.json` from one start to the next."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}

    def of(self, name: str) -> int:
        """Return the port of a server: the one of last time, or another when that one is taken."""
        port = self._known.get(name)
        if port is None or not is_free(port):
            port, holder = reserve()
            holder.close()
            self._known[name] = port
            self._file.write_text(json.dumps(self._known, indent=1, sort_keys=True))
        return port
