"""A process that writes over guarded sockets, to be frozen: `python -m ... PORT CA SECONDS`.

Its lease lasts so many seconds and is prolonged all the time; when it has ended it connects
anew. A second thread keeps the interpreter busy, as a sender's database threads do.
"""

import asyncio
import hashlib
import ssl
import sys
import threading
from contextlib import suppress
from pathlib import Path

from smpp_client.engine.clock import lease_now
from smpp_client.engine.guarded import connect
from smpp_client.rules.hosts import Host

PIECE = bytes(200)
EVERY_SECONDS = 0.002


class Lease:
    """Ends some time after it was prolonged last."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.ends_at = lease_now() + seconds

    def deadline(self) -> float:
        """Return seconds of lease_now."""
        return self.ends_at

    def prolong(self, asked_at: float) -> None:
        """Take what was granted for a question of this time, unless it is over already."""
        if lease_now() < self.ends_at:
            self.ends_at = asked_at + self.seconds


class Writer(asyncio.Protocol):
    """Writes until its transport is gone."""

    def __init__(self) -> None:
        self.is_over = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end."""
        self.is_over.set()


async def write(port: int, context: ssl.SSLContext, seconds: float) -> None:
    """Write over one connection until its lease has ended."""
    lease = Lease(seconds)
    transport, writer = await asyncio.get_running_loop().create_connection(
        Writer,
        sock=await connect(Host("127.0.0.1", port), lease.deadline),
        ssl=context,
        server_hostname="localhost",
    )
    while not writer.is_over.is_set():
        asked_at = lease_now()
        await asyncio.sleep(EVERY_SECONDS)
        transport.write(PIECE)
        lease.prolong(asked_at)


async def main(port: int, ca: Path, seconds: float) -> None:
    """Connect, write, and again; a busy machine may need longer than a lease to shake hands."""
    context = ssl.create_default_context(cafile=ca)
    while True:
        with suppress(OSError):
            await write(port, context, seconds)


def _keep_busy() -> None:
    digest = b""
    while True:
        digest = hashlib.sha256(digest).digest()


if __name__ == "__main__":
    threading.Thread(target=_keep_busy, daemon=True).start()
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
