"""What waits to be written, and the proof of what was not."""

from bisect import bisect_right
from collections import deque
from typing import Final

BLOCK: Final = 16384  # octets: one TLS record, and the most that delays an urgent PDU


class Output:
    """Two queues: answers and questions about the link go before segments, at PDU borders.

    Octets leave in blocks. A block is shown until the transport says how much of it was taken;
    segments are numbered in the order of writing, so that one number says which were taken whole.
    A PDU of which the last octet was not taken cannot have been acted on.
    """

    def __init__(self) -> None:
        self.size = 0  # octets not taken yet
        self.urgent_size = 0
        self.added = 0  # the number of the newest segment
        self.handed = 0  # the number of the newest segment shown to the transport
        self._urgent: deque[bytes] = deque()
        self._segments: deque[bytes] = deque()
        self._block = b""
        self._taken = 0
        self._edges: list[int] = []  # where each PDU of the block ends
        self._urgent_count = 0  # how many of them are urgent: they come first
        self._before = 0  # segments taken before this block

    @property
    def taken(self) -> int:
        """The number of the newest segment whose last octet was taken."""
        whole = bisect_right(self._edges, self._taken)
        return self._before + max(whole - self._urgent_count, 0)

    def add_urgent(self, pdu: bytes) -> None:
        """Queue a PDU before all segments."""
        self._urgent.append(pdu)
        self.size += len(pdu)
        self.urgent_size += len(pdu)

    def add_segment(self, pdu: bytes) -> None:
        """Queue the PDU of the segment with the next number."""
        self._segments.append(pdu)
        self.size += len(pdu)
        self.added += 1

    def peek(self) -> bytes:
        """Return the octets to write next; the same ones until they are taken."""
        if self._taken >= len(self._block):
            self._next_block()
        return self._block[self._taken :] if self._taken else self._block

    def take(self, count: int) -> None:
        """Say that the transport took this many octets and cannot give them back."""
        count = min(count, len(self._block) - self._taken)
        self._taken += count
        self.size -= count

    def drop_segments(self) -> None:
        """Throw away the segments that were not shown to the transport."""
        self.size -= sum(map(len, self._segments))
        self._segments.clear()
        self.added = self.handed

    def close(self) -> None:
        """Throw away segments that were not taken, and all of it inside a PDU cut in two."""
        whole = bisect_right(self._edges, self._taken)
        edges = [0, *self._edges]
        kept = [
            self._block[edges[place] : edges[place + 1]]
            for place in range(whole, self._urgent_count)
        ]
        is_at_border = edges[whole] == self._taken
        self._urgent = deque([*kept, *self._urgent] if is_at_border else [])
        self._before = self.taken
        self._segments.clear()
        self._block, self._taken, self._edges, self._urgent_count = b"", 0, [], 0
        self.size = self.urgent_size = sum(map(len, self._urgent))

    def _next_block(self) -> None:
        self._before = self.handed
        pdus: list[bytes] = []
        size = _move(self._urgent, pdus, 0)
        self.urgent_size -= size
        self._urgent_count = len(pdus)
        _move(self._segments, pdus, size)
        self.handed += len(pdus) - self._urgent_count
        self._block, self._taken = b"".join(pdus), 0
        edge = 0
        self._edges = [edge := edge + len(pdu) for pdu in pdus]


def _move(queue: deque[bytes], pdus: list[bytes], size: int) -> int:
    """Move PDUs until the block is full; return its size."""
    while queue and size < BLOCK:
        pdu = queue.popleft()
        pdus.append(pdu)
        size += len(pdu)
    return size
