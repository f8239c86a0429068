"""The heads of every epoch with their proofs, for an exporter that must prove thousands.

The nonces change every head's leaf in every epoch, so each epoch's tree is computed from its
leaves. What stays the same from epoch to epoch is hashed once: a head's text up to its nonce, and
the key of the nonces. `hashes` and `epochs` say the same one at a time; tests compare them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import UUID

from audit.rules.chain import Broken
from audit.rules.epochs import Epoch, Head
from audit.rules.hashes import head_text

if TYPE_CHECKING:
    from hashlib import _Hash

_BLOCK = 64


@dataclass(frozen=True)
class Proved:
    """A chain's head in an epoch, with its nonce and the path from its leaf to the root."""

    epoch: int
    seq: int
    hash: bytes
    nonce: str
    proof: tuple[bytes, ...]


class HeadTrees:
    """Follows the heads of all chains from epoch to epoch. `secret` keys the nonces."""

    def __init__(self, secret: bytes) -> None:
        key = (sha256(secret).digest() if len(secret) > _BLOCK else secret).ljust(_BLOCK, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in key))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in key))
        self._heads: list[Head] = []
        self._begun: list[_Hash] = []

    def move(self, slot: int, ws: UUID, seq: int, found: bytes) -> None:
        """Take a chain's new head; raise Broken when a slot is left out or a chain goes back."""
        head = Head(slot, ws, seq, found)
        begun = sha256(b"\0" + head_text(slot, ws, seq, found, "")[:-1])
        if slot == len(self._heads):
            self._heads.append(head)
            self._begun.append(begun)
            return
        if slot > len(self._heads):
            raise Broken("E06", f"Chain {len(self._heads)} is missing among the heads.")
        if seq < self._heads[slot].seq:
            raise Broken("A04", f"Chain {slot} goes back from {self._heads[slot].seq} to {seq}.")
        self._heads[slot], self._begun[slot] = head, begun

    def prove(self, epoch: Epoch, slots: Sequence[int]) -> dict[int, Proved]:
        """Return the heads of those slots that the epoch knows.

        Raises Broken when the epoch fixed other heads.
        """
        nonces, leaves = self._leaves(epoch)
        paths: dict[int, list[bytes]] = {slot: [] for slot in slots if slot < epoch.chains}
        root = _climb(leaves, paths)
        if root.hex() != epoch.heads:
            raise Broken("A02", f"Epoch {epoch.number} fixed other heads than the chains have.")
        return {
            slot: Proved(
                epoch.number,
                self._heads[slot].seq,
                self._heads[slot].hash,
                nonces[slot],
                tuple(path),
            )
            for slot, path in paths.items()
        }

    def _leaves(self, epoch: Epoch) -> tuple[list[str], list[bytes]]:
        if len(self._heads) < epoch.chains:
            raise Broken("E06", f"Epoch {epoch.number} counts {epoch.chains} chains.")
        of_epoch = self._inner.copy()
        of_epoch.update(b"smsc-audit-nonce/v1\n%d\n" % epoch.number)
        nonces, leaves = [], []
        for slot, begun in enumerate(self._begun[: epoch.chains]):
            inner, outer, leaf = of_epoch.copy(), self._outer.copy(), begun.copy()
            inner.update(b"%d\n" % slot)
            outer.update(inner.digest())
            nonce = outer.hexdigest()
            leaf.update(nonce.encode() + b"\n")
            nonces.append(nonce)
            leaves.append(leaf.digest())
        return nonces, leaves


def _climb(level: list[bytes], paths: dict[int, list[bytes]]) -> bytes:
    """Return the root over leaves, and put the siblings on the way into `paths`."""
    places = {slot: slot for slot in paths}
    while len(level) > 1:
        for slot, place in places.items():
            if place ^ 1 < len(level):
                paths[slot].append(level[place ^ 1])
            places[slot] = place // 2
        pairs = zip(level[::2], level[1::2], strict=False)
        paired = [sha256(b"\1" + left + right).digest() for left, right in pairs]
        level = [*paired, level[-1]] if len(level) % 2 else paired
    return level[0]
