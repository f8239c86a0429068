"""The proof that a longer log continues a shorter one, checked by another algorithm."""

from hashlib import sha256

import pytest

from audit.rules.consistency import consistency_proof
from audit.rules.hashes import leaf_hash, tree_root
from tests.audit.witness import is_consistent

LEAVES = [leaf_hash(b"%d" % number) for number in range(40)]


def check(old: int, size: int, proof: list[bytes]) -> bool:
    return is_consistent(old, tree_root(LEAVES[:old]), size, tree_root(LEAVES[:size]), proof)


@pytest.mark.parametrize("size", range(1, 41))
def test_every_beginning_of_a_log_has_a_proof(size: int) -> None:
    for old in range(size + 1):
        assert check(old, size, consistency_proof(LEAVES[:size], old)), old


@pytest.mark.parametrize("old", range(1, 40))
def test_a_proof_fails_for_another_log(old: int) -> None:
    proof = consistency_proof(LEAVES, old)
    forged = [leaf_hash(b"forged"), *LEAVES[1:]]
    assert not is_consistent(old, tree_root(forged[:old]), 40, tree_root(LEAVES), proof)
    damaged = [*proof[:-1], sha256(proof[-1]).digest()]
    assert not check(old, 40, damaged)


def test_the_published_example_of_the_rfc() -> None:
    """RFC 6962, 2.1.3: the proof from 3 to 7 leaves is [c, d, g, l]; from 4 it is [l]."""
    c, d = LEAVES[2], LEAVES[3]
    g, right = tree_root(LEAVES[:2]), tree_root(LEAVES[4:7])
    assert consistency_proof(LEAVES[:7], 3) == [c, d, g, right]
    assert consistency_proof(LEAVES[:7], 4) == [right]


def test_a_log_has_no_longer_beginning() -> None:
    with pytest.raises(IndexError):
        consistency_proof(LEAVES, 41)
