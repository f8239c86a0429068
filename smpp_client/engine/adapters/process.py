"""The process that runs a custom carrier, and the one socket by which it is talked to."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress

from audit.actions.bare_process import ROOT, bare_environment
from smpp_client.engine.adapters import frames
from smpp_client.engine.adapters.frames import LONGEST_LINE

HOST = "smpp_client.engine.adapters.host"


class CarrierProcess:
    """Starts foreign code, tells it what to do, and kills it. What it says is read elsewhere."""

    def __init__(self) -> None:
        self.child: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def start(self) -> asyncio.StreamReader:
        """Start it and return what it says. Raises OSError."""
        ours, theirs = socket.socketpair()
        try:
            self.child = _spawn(theirs.fileno())
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=LONGEST_LINE)
        return reader

    def tell(self, word: str, values: object) -> None:
        """Send an order; returns at once."""
        if self._writer is not None:
            self._writer.write(frames.order_of((word, values)))

    def kill(self) -> None:
        """End it and what it has started."""
        if self._writer is not None:
            self._writer.transport.abort()
        if self.child is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.child.pid, signal.SIGKILL)
            # It dies at once; to wait for it here would still be to wait.
            asyncio.get_running_loop().run_in_executor(None, self.child.wait)


def _spawn(wire: int) -> "subprocess.Popen[bytes]":
    """Start the process with nothing of ours but the code's paths: no database, no key file."""
    return subprocess.Popen(
        [sys.executable, "-m", HOST, str(wire)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=[wire],
        cwd=ROOT,
        env=bare_environment(),
        start_new_session=True,
    )
