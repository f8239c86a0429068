"""Bytes to PDUs. However the stream is split, the result is the same (SMPP 3.4, 3.2)."""

from dataclasses import dataclass
from struct import Struct
from typing import Final

HEADER: Final = Struct(">LLLL")
HEADER_SIZE: Final = 16
LARGEST: Final = 65536
_LENGTH: Final = Struct(">L")

# command_id, command_status, sequence_number, body. A tuple, since there may be 100,000 a second.
Frame = tuple[int, int, int, bytes]


@dataclass(frozen=True, slots=True)
class FramingFault:
    """The stream cannot be read on: a command_length outside 16 to 65,536 octets."""

    length: int
    sentence: str


class Framer:
    """Cuts a byte stream into PDUs and keeps the incomplete rest.

    After a fault nothing more is read or kept: there is no way to find the next PDU but guessing.
    """

    def __init__(self) -> None:
        self.fault: FramingFault | None = None
        self._rest = bytearray()
        self._needed = 4

    @property
    def pending(self) -> int:
        """Octets of the incomplete PDU."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[Frame]:
        """Return the PDUs that are complete now, in order; look at `fault` afterwards."""
        if self.fault is not None:
            return []
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return []
            data = bytes(self._rest)
        return self._cut(data)

    def _cut(self, data: bytes) -> list[Frame]:
        frames: list[Frame] = []
        position, end = 0, len(data)
        unpack = HEADER.unpack_from
        while end - position >= HEADER_SIZE:
            length, command, status, sequence = unpack(data, position)
            stop = position + length
            if not HEADER_SIZE <= length <= LARGEST or stop > end:
                break
            frames.append((command, status, sequence, data[position + HEADER_SIZE : stop]))
            position = stop
        self._keep(data[position:])
        return frames

    def _keep(self, rest: bytes) -> None:
        self._rest = bytearray(rest)
        self._needed = 4
        if len(rest) < 4:
            return
        (length,) = _LENGTH.unpack_from(rest)
        if HEADER_SIZE <= length <= LARGEST:
            self._needed = length
            return
        self.fault = FramingFault(length, _sentence(length, rest))
        self._rest = bytearray()


def _sentence(length: int, rest: bytes) -> str:
    start = rest[:12]
    if all(32 <= octet < 127 or octet in b"\r\n\t" for octet in start):
        return f"The peer does not speak SMPP: it sent “{start.decode('ascii').strip()}”."
    return f"The peer sent a PDU with an impossible length of {length} octets."
