"""Every hash of the audit log. All are SHA-256 and each kind has a prefix of its own.

Text framing lets anyone repeat a hash with `printf` and `sha256sum`. Trees are those of RFC 6962,
section 2.1: a leaf is H(0x00 || data), a node is H(0x01 || left || right).
"""

import hmac
from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from uuid import UUID

ZERO = bytes(32)


class WrongProof(ValueError):
    """An inclusion proof whose length does not fit its place in the tree."""


def leaf_hash(data: bytes) -> bytes:
    """Return the RFC 6962 leaf of an event, a head text or an epoch line."""
    return sha256(b"\0" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the RFC 6962 node over two hashes."""
    return sha256(b"\1" + left + right).digest()


def _framed(*lines: object) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def genesis(install: UUID, ws: UUID, slot: int, created: str) -> bytes:
    """Return what the first entry of a chain follows; `created` is a stamp."""
    return sha256(_framed("smsc-audit-genesis/v1", install, ws, slot, created)).digest()


def entry_hash(ws: UUID, seq: int, at: str, prev: bytes, leaf: bytes) -> bytes:
    """Return the hash of entry `seq` (from 1) of a chain; `at` is a stamp."""
    framed = _framed("smsc-audit-entry/v1", ws, seq, at, prev.hex(), leaf.hex())
    return sha256(framed).digest()


def fallback_genesis(install: UUID, src: str, after: str) -> bytes:
    """Return what the first line of a fallback file follows; `after` is the hash of the last
    checkpoint note, in hex.
    """
    return sha256(_framed("smsc-audit-fallback-genesis/v1", install, src, after)).digest()


def fallback_hash(src: str, n: int, prev: bytes, leaf: bytes) -> bytes:
    """Return the hash of line `n` (from 1) of a fallback file."""
    return sha256(_framed("smsc-audit-fallback/v1", src, n, prev.hex(), leaf.hex())).digest()


def nonce(secret: bytes, epoch: int, slot: int) -> str:
    """Return 64 hex digits that change a head's text in every epoch.

    Without it, the proofs of two epochs would show whether the neighbouring chains wrote anything.
    """
    framed = _framed("smsc-audit-nonce/v1", epoch, slot)
    return hmac.new(secret, framed, sha256).hexdigest()


def head_text(slot: int, ws: UUID, seq: int, head: bytes, nonce: str) -> bytes:
    """Return the leaf data of a chain's head; `head` is the genesis while `seq` is 0."""
    return _framed("smsc-audit-head/v1", slot, ws, seq, head.hex(), nonce)


def commitment(salt: bytes, field: str, value: str) -> str:
    """Return 64 hex digits that bind an erasable personal value; `salt` is 32 random bytes."""
    return hmac.new(salt, f"smsc-audit-pd/v1\n{field}\n{value}".encode(), sha256).hexdigest()


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle tree hash over leaf hashes; that of no leaf is SHA-256 of nothing."""
    if not leaves:
        return sha256().digest()
    level = list(leaves)
    while len(level) > 1:
        level = _next_level(level)
    return level[0]


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the path from leaf `index` to the root; raise IndexError outside the tree."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"There is no leaf {index} in a tree of {len(leaves)}.")
    path: list[bytes] = []
    level = list(leaves)
    while len(level) > 1:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        level = _next_level(level)
        index //= 2
    return path


def root_of_proof(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that a proof leads to; raise WrongProof when its length does not fit."""
    steps = iter(proof)
    found = leaf
    try:
        while size > 1:
            if index % 2:
                found = node_hash(next(steps), found)
            elif index + 1 < size:
                found = node_hash(found, next(steps))
            index //= 2
            size = (size + 1) // 2
    except StopIteration:
        raise WrongProof("The proof is too short.") from None
    if next(steps, None) is not None:
        raise WrongProof("The proof is too long.")
    return found


def _next_level(level: list[bytes]) -> list[bytes]:
    """Pair neighbours; a last one without a neighbour moves up: that is RFC 6962's split."""
    paired = [node_hash(left, right) for left, right in list(pairwise(level))[::2]]
    return [*paired, level[-1]] if len(level) % 2 else paired


class Tree:
    """A Merkle tree that grows by leaves and knows its root at any time, in little memory.

    It keeps the roots of the full subtrees, largest first, with their sizes.
    """

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[tuple[int, bytes]] = []

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash."""
        self.size += 1
        width, top = 1, leaf
        while self._peaks and self._peaks[-1][0] == width:
            top = node_hash(self._peaks.pop()[1], top)
            width *= 2
        self._peaks.append((width, top))

    def root(self) -> bytes:
        """Return the tree hash over all leaves so far."""
        if not self._peaks:
            return tree_root([])
        root = self._peaks[-1][1]
        for _, peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root
