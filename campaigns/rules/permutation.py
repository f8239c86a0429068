"""A keyed permutation of 0..n-1: any slice of positions is a fair sample of the list, and nothing
is sorted.

A Feistel network of four rounds over the smallest even-bit domain that holds n, walked until it
falls below n.
It mixes; it is not meant to hide anything.
"""

from dataclasses import dataclass
from hashlib import blake2b

ROUNDS = 4
_ALL = 0xFFFFFFFFFFFFFFFF


@dataclass(frozen=True)
class Permutation:
    """A bijection of range(n), the same for the same key (any bytes) and n."""

    n: int
    half_bits: int
    mask: int
    round_keys: tuple[int, ...]

    def position(self, index: int) -> int:
        """Return where row `index` goes; both in 0..n-1."""
        value = index
        while True:
            value = self._mix(value)
            if value < self.n:
                return value

    def _mix(self, value: int) -> int:
        left, right = value >> self.half_bits, value & self.mask
        for key in self.round_keys:
            # The finaliser of SplitMix64: one multiplication left some keys nearly in order.
            mixed = (right + key) & _ALL
            mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _ALL
            mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _ALL
            left, right = right, left ^ ((mixed ^ (mixed >> 31)) & self.mask)
        return (left << self.half_bits) | right


def permutation(key: bytes, n: int) -> Permutation:
    """Return the permutation of range(n) for a key. Raises ValueError for n < 1."""
    if n < 1:
        raise ValueError("A permutation needs at least one row.")
    half_bits = max(1, ((n - 1).bit_length() + 1) // 2)
    digest = blake2b(key, digest_size=8 * ROUNDS).digest()
    keys = tuple(int.from_bytes(digest[8 * i : 8 * i + 8], "big") for i in range(ROUNDS))
    return Permutation(n=n, half_bits=half_bits, mask=(1 << half_bits) - 1, round_keys=keys)
