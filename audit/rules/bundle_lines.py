"""Entry lines on their way into a bundle, each recomputed before it is signed for.

The database composes a line; here it is taken apart by its fixed places and hashed again. What does
not fit is never exported.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from audit.rules.canonical import NotCanonical, read_stamp
from audit.rules.chain import Broken

# {"at":"<27>","ev": and {"at":"<27>","hash":"<64>","leaf":"<64>",
_START = b'{"at":"'
_EVENT_AT = 41
_LEAF_AT = 44 + 64 + 10
# ,"hash":"<64>"
_HASH_SIZE = 74
_LATE = timedelta(seconds=300)
MOST_LATE = 200


@dataclass(frozen=True)
class Late:
    """An entry that was numbered long before or after the time that its host claimed."""

    seq: int
    at: str
    claimed: str
    is_ingested: bool


@dataclass
class Passed:
    """What passed: the place in the chain, and what is told of it."""

    ws: UUID
    slot: int
    seq: int
    hash_hex: bytes
    at: bytes = b""
    first_at: bytes = b""
    hidden_count: int = 0
    late_count: int = 0
    late: list[Late] = field(default_factory=list)

    @property
    def hash(self) -> bytes:
        """Return the hash of the last entry that passed."""
        return bytes.fromhex(self.hash_hex.decode())


def recomputed(lines: Iterable[bytes], passed: Passed) -> Iterator[bytes]:
    """Yield lines (without line feed) that continue the chain; `passed` moves along.

    Raises Broken at the first that does not fit.
    """
    ws, prev = str(passed.ws).encode(), passed.hash_hex
    for seq, line in enumerate(lines, passed.seq + 1):
        at = line[7:34]
        tail = b',"prev":"%s","seq":%d,"ws":"%s"}' % (prev, seq, ws)
        is_hidden = line[34:42] != b'","ev":{'
        leaf = _hidden_leaf(line, passed) if is_hidden else _leaf(line, len(tail), seq, passed)
        text = b"smsc-audit-entry/v1\n%s\n%d\n%s\n%s\n%s\n" % (ws, seq, at, prev, leaf)
        prev = sha256(text).hexdigest().encode()
        # A full line's event ends with its brace, a hidden one's time with its quote.
        hashed = (
            b'","hash":"%s","leaf":"%s"' % (prev, leaf) if is_hidden else b',"hash":"%s"' % prev
        )
        if line[:7] != _START or not line.endswith(hashed + tail):
            raise _broken(passed, line, tail)
        passed.seq, passed.hash_hex, passed.at = seq, prev, at
        passed.first_at = passed.first_at or at
        yield line


def _leaf(line: bytes, tail_size: int, seq: int, passed: Passed) -> bytes:
    event = line[_EVENT_AT : -tail_size - _HASH_SIZE]
    claimed = event.rfind(b'"t":"') + 5
    if event[claimed : claimed + 16] != line[7:23]:
        _note_if_late(event, event[claimed : claimed + 27], seq, line[7:34], passed)
    return sha256(b"\0" + event).hexdigest().encode()


def _hidden_leaf(line: bytes, passed: Passed) -> bytes:
    passed.hidden_count += 1
    return line[_LEAF_AT : _LEAF_AT + 64]


def _broken(passed: Passed, line: bytes, tail: bytes) -> Broken:
    place = f"Entry {passed.seq + 1} of chain {passed.slot}"
    if line.endswith(tail):
        return Broken("C05", f"{place} was changed: its hash does not fit.")
    return Broken("C04", f"{place} is missing or does not follow the entry before it.")


def _note_if_late(event: bytes, said: bytes, seq: int, at: bytes, passed: Passed) -> None:
    claimed = said.decode("utf-8", "replace")
    try:
        apart = abs(read_stamp(at.decode()) - read_stamp(claimed))
    except NotCanonical:
        return
    if apart > _LATE:
        passed.late_count += 1
        if len(passed.late) < MOST_LATE:
            is_ingested = b',"src":{' in event
            passed.late.append(Late(seq, at.decode(), claimed, is_ingested))
