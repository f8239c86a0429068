"""A TCP proxy between sender and simulator that does to the octets what bad links do.

TLS passes through it unread. It runs its own event loop in a thread, so that a test may block.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
LOOPBACK = "127.0.0.1"
CHUNK = 65_536
# Closing with this on makes the kernel send RST instead of FIN.
ABORT = struct.pack("ii", 1, 0)


@dataclass
class Link:
    """How the link is now. `piece` octets at a time (0: as they come), `rate` octets/s each way
    (0: unlimited), `is_dead`: nothing passes and nobody is told; `cut_after` octets more towards
    the SMSC and then RST (-1: never).
    """

    piece: int = 0
    rate: float = 0
    is_dead: bool = False
    cut_after: int = -1


class Proxy:
    """Listens on a free loopback port and passes everything on to `target`."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.link = Link()
        self.port = 0
        self._pairs: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.port = self._do(self._listen())

    def heal(self) -> None:
        """Make it a good link again."""
        self.link = Link()

    def reset(self) -> None:
        """Cut every connection with RST."""
        self._do(self._reset())

    def close(self) -> None:
        """Cut everything and end."""
        self.reset()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self) -> int:
        server = await asyncio.start_server(self._serve, LOOPBACK, 0)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _reset(self) -> None:
        for writer in list(self._pairs):
            _abort(writer)

    async def _serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            far, on = await asyncio.open_connection(LOOPBACK, self.target)
        except OSError:
            _abort(back)
            return
        self._pairs |= {back, on}
        for writer in (back, on):
            wire = writer.get_extra_info("socket")
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await asyncio.gather(
                self._pass(near, on, (back, on), is_out=True),
                self._pass(far, back, (back, on), is_out=False),
            )
        except OSError:
            pass
        finally:
            self._pairs -= {back, on}
            for writer in (back, on):
                writer.close()

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        both: tuple[asyncio.StreamWriter, ...],
        *,
        is_out: bool,
    ) -> None:
        while octets := await reader.read(CHUNK):
            while self.link.is_dead:
                await asyncio.sleep(0.05)
            if is_out and self.link.cut_after >= 0:
                octets, self.link.cut_after = self._last(octets)
            await self._write(writer, octets)
            if is_out and self.link.cut_after == 0:
                self.link.cut_after = -1
                for each in both:
                    _abort(each)
                return
        if writer.can_write_eof():
            writer.write_eof()

    def _last(self, octets: bytes) -> tuple[bytes, int]:
        """Return what may still pass, and how many octets after it."""
        left = self.link.cut_after - len(octets)
        return (octets[: self.link.cut_after], 0) if left <= 0 else (octets, left)

    async def _write(self, writer: asyncio.StreamWriter, octets: bytes) -> None:
        piece = self.link.piece or len(octets)
        for at in range(0, len(octets), piece):
            writer.write(octets[at : at + piece])
            await writer.drain()
            if self.link.rate:
                await asyncio.sleep(piece / self.link.rate)
            elif self.link.piece:
                await asyncio.sleep(0)


def _abort(writer: asyncio.StreamWriter) -> None:
    """Close with RST, unsent octets thrown away."""
    wire = writer.get_extra_info("socket")
    if wire is not None and wire.fileno() >= 0:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    writer.transport.abort()
