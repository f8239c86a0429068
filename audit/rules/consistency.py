"""That a longer log continues a shorter one: the proof of RFC 6962, section 2.1.2."""

from collections.abc import Sequence

from audit.rules.hashes import tree_root


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """Return the proof that the first `old_size` leaf hashes begin this tree.

    It is empty for size 0 and for the whole tree. Raises IndexError for more leaves than there are.
    """
    if not 0 <= old_size <= len(leaves):
        raise IndexError(f"A tree of {len(leaves)} has no beginning of {old_size}.")
    return _subproof(leaves, old_size, is_known=True) if old_size else []


def _subproof(leaves: Sequence[bytes], old_size: int, *, is_known: bool) -> list[bytes]:
    """`is_known` says that whoever checks has this subtree's hash already: the old root itself."""
    size = len(leaves)
    if old_size == size:
        return [] if is_known else [tree_root(leaves)]
    half = 1 << (size - 1).bit_length() - 1
    if old_size <= half:
        return [*_subproof(leaves[:half], old_size, is_known=is_known), tree_root(leaves[half:])]
    right = _subproof(leaves[half:], old_size - half, is_known=False)
    return [*right, tree_root(leaves[:half])]
