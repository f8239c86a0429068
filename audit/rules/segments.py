"""Sealed segments of message outcomes: the salts of their lines, and paths through their trees.

A segment is a file of lines; the entry that seals it holds the root over the lines' leaves. One
line is proved by its path to that root. All commitments of a line hang on one salt, derived from
the segment's key: to answer for one message, that salt is disclosed and no other.
"""

import hmac
from collections.abc import Iterable
from hashlib import sha256

from audit.rules.hashes import node_hash, tree_root

# How long a message can be proved: three years, the usual limit for claims. No setting: what is
# pruned early is gone for good. The database's audit_prune spares the sealing entries as long.
TERM_DAYS = 1_096

NUMBER = "number"
TEXT = "text"


def line_salt(key: bytes, n: int) -> bytes:
    """Return the salt of line `n` (from 1) under the segment's key of 32 bytes."""
    return hmac.digest(key, b"smsc-segment-salt/v1\n%d\n" % n, "sha256")


def text_value(text: str) -> str:
    """Return what a line commits to for a text: SHA-256 of its UTF-8 form, in hex.

    A commitment's value is one line; a text may have several.
    """
    return sha256(text.encode()).hexdigest()


class Paths:
    """A tree that grows by leaves, knows its root, and remembers the paths of chosen leaves.

    It keeps the roots of the full subtrees with the chosen leaves below them, largest first.
    """

    def __init__(self, chosen: Iterable[int]) -> None:
        self.size = 0
        self._paths: dict[int, list[bytes]] = {index: [] for index in chosen}
        self._peaks: list[tuple[int, bytes, tuple[int, ...]]] = []

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash."""
        below = (self.size,) if self.size in self._paths else ()
        self.size += 1
        width, top = 1, leaf
        while self._peaks and self._peaks[-1][0] == width:
            _, left, left_below = self._peaks.pop()
            self._pass(left_below, top)
            self._pass(below, left)
            below = (*left_below, *below)
            top = node_hash(left, top)
            width *= 2
        self._peaks.append((width, top, below))

    def finish(self) -> tuple[bytes, dict[int, list[bytes]]]:
        """Return the root, and index -> path from leaf to root; append nothing afterwards.

        Raises IndexError when a chosen leaf is not there.
        """
        if not self._peaks:
            return tree_root([]), {}
        _, root, below = self._peaks[-1]
        for _, peak, peak_below in reversed(self._peaks[:-1]):
            self._pass(peak_below, root)
            self._pass(below, peak)
            below = (*peak_below, *below)
            root = node_hash(peak, root)
        if len(below) < len(self._paths):
            raise IndexError(f"There are {self.size} lines only.")
        return root, self._paths

    def _pass(self, below: tuple[int, ...], sibling: bytes) -> None:
        for index in below:
            self._paths[index].append(sibling)
