"""Epoch lines: their bytes, their links and the heads that they fix."""

from uuid import UUID

import pytest

from audit.rules import hashes
from audit.rules.canonical import NotCanonical
from audit.rules.epochs import Epoch, Head, heads_root, next_epoch, read_epoch
from tests.audit import vectors

SECRET = b"s" * 32
HEADS = [Head(slot, UUID(int=slot), slot * 3, bytes([slot]) * 32) for slot in range(3)]


def test_the_published_epoch_has_the_published_line_and_leaf() -> None:
    epoch = read_epoch(vectors.EPOCH)
    assert (epoch.line(), epoch.leaf().hex()) == (vectors.EPOCH, vectors.EPOCH_LEAF)


def test_the_first_epoch_follows_zeros() -> None:
    assert next_epoch(None, at=vectors.AT, secret=SECRET, heads=HEADS).prev == "0" * 64


def test_an_epoch_follows_the_leaf_of_the_one_before() -> None:
    first = read_epoch(vectors.EPOCH)
    second = next_epoch(first, at=vectors.AT, secret=SECRET, heads=HEADS)
    assert (second.number, second.prev) == (1, vectors.EPOCH_LEAF)


def test_an_epoch_counts_the_chains_that_exist() -> None:
    assert next_epoch(None, at=vectors.AT, secret=SECRET, heads=HEADS).chains == 3


def test_the_heads_root_is_the_tree_over_the_heads_texts() -> None:
    leaves = [
        hashes.leaf_hash(
            hashes.head_text(
                head.slot, head.ws, head.seq, head.hash, hashes.nonce(SECRET, 4, head.slot)
            )
        )
        for head in HEADS
    ]
    assert heads_root(SECRET, 4, HEADS) == hashes.tree_root(leaves)


def test_the_same_heads_have_another_root_in_the_next_epoch() -> None:
    assert heads_root(SECRET, 4, HEADS) != heads_root(SECRET, 5, HEADS)


def test_heads_with_a_missing_slot_are_refused() -> None:
    with pytest.raises(ValueError, match="dense"):
        heads_root(SECRET, 0, [HEADS[0], HEADS[2]])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"chains":5', b'"chains": 5'),
        (b'"chains":5', b'"chains":true'),
        (b'"chains":5', b'"chains":-5'),
        (b'"v":1', b'"v":2'),
        (b'"v":1', b'"v":1,"x":1'),
        (b"3b663af7", b"3B663AF7"),
        (b"3b663af7", b""),
        (b"01:00:00.000000Z", b"01:00:00Z"),
    ],
)
def test_another_form_of_an_epoch_line_is_refused(old: bytes, new: bytes) -> None:
    with pytest.raises(NotCanonical):
        read_epoch(vectors.EPOCH.replace(old, new))


def test_an_epoch_reads_back_as_itself() -> None:
    epoch = Epoch(number=3, at=vectors.AT, chains=1, heads="ab" * 32, prev="cd" * 32)
    assert read_epoch(epoch.line()) == epoch
