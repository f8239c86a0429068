"""An epoch: the one line that fixes the heads of all chains at a moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from audit.rules import hashes
from audit.rules.canonical import NotCanonical, decode, encode, read_stamp

_KEYS = {"at", "chains", "epoch", "heads", "prev", "v"}


@dataclass(frozen=True)
class Head:
    """Where a chain stands: `seq` 0 and the genesis before its first entry."""

    slot: int
    ws: UUID
    seq: int
    hash: bytes


@dataclass(frozen=True)
class Epoch:
    """One epoch; `at` is a stamp, `heads` and `prev` are hex, `chains` is the number of slots."""

    number: int
    at: str
    chains: int
    heads: str
    prev: str

    def line(self) -> bytes:
        """Return the canonical line, without its line feed."""
        return encode(
            {
                "at": self.at,
                "chains": self.chains,
                "epoch": self.number,
                "heads": self.heads,
                "prev": self.prev,
                "v": 1,
            }
        )

    def leaf(self) -> bytes:
        """Return the leaf hash: the next epoch's `prev`, and a leaf of the signed tree."""
        return hashes.leaf_hash(self.line())


def read_epoch(line: bytes) -> Epoch:
    """Read an epoch line; raise NotCanonical for unknown keys or another form."""
    fields = decode(line)
    if not isinstance(fields, dict) or set(fields) != _KEYS or fields["v"] != 1:
        raise NotCanonical("An epoch line has at, chains, epoch, heads, prev and v = 1.")
    epoch = Epoch(
        number=_count(fields["epoch"]),
        at=str(fields["at"]),
        chains=_count(fields["chains"]),
        heads=_digest(fields["heads"]),
        prev=_digest(fields["prev"]),
    )
    read_stamp(epoch.at)
    return epoch


def heads_root(secret: bytes, epoch: int, heads: Sequence[Head]) -> bytes:
    """Return the tree hash over the heads' texts; `heads` stand in slot order, dense from 0."""
    if [head.slot for head in heads] != list(range(len(heads))):
        raise ValueError("The slots of the chains are not dense from 0.")
    return hashes.tree_root(
        [
            hashes.leaf_hash(
                hashes.head_text(
                    head.slot, head.ws, head.seq, head.hash, hashes.nonce(secret, epoch, head.slot)
                )
            )
            for head in heads
        ]
    )


def next_epoch(last: Epoch | None, *, at: str, secret: bytes, heads: Sequence[Head]) -> Epoch:
    """Return the epoch that follows `last` (None before the first) and fixes these heads."""
    number = last.number + 1 if last else 0
    return Epoch(
        number=number,
        at=at,
        chains=len(heads),
        heads=heads_root(secret, number, heads).hex(),
        prev=(last.leaf() if last else hashes.ZERO).hex(),
    )


def is_due(last: Epoch | None, at: datetime, seconds: float) -> bool:
    """Say whether another period has begun since the last epoch; the first is due at once.

    Periods are counted from 1970, so that hourly epochs fall on the hour.
    """
    if last is None:
        return True
    return at.timestamp() // seconds > read_stamp(last.at).timestamp() // seconds


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise NotCanonical(f"{value!r} is not a count.")
    return value


def _digest(value: object) -> str:
    try:
        is_digest = isinstance(value, str) and bytes.fromhex(value).hex() == value
    except ValueError:
        is_digest = False
    if not is_digest or len(str(value)) != 64:
        raise NotCanonical(f"{value!r} is not 64 lower-case hex digits.")
    return str(value)
