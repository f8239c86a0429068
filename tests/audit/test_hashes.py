"""The hash rules against their published vectors, against RFC 6962, and against each other."""

import hmac
import subprocess
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.rules import hashes
from tests.audit import vectors


def test_the_genesis_of_the_published_chain() -> None:
    genesis = hashes.genesis(vectors.INSTALL, vectors.WORKSPACE, vectors.SLOT, vectors.CREATED)
    assert genesis.hex() == vectors.GENESIS


def test_the_leaf_of_the_published_event() -> None:
    assert hashes.leaf_hash(vectors.EVENT).hex() == vectors.LEAF


def test_the_hash_of_the_published_entry() -> None:
    found = hashes.entry_hash(
        vectors.WORKSPACE,
        1,
        vectors.AT,
        bytes.fromhex(vectors.GENESIS),
        bytes.fromhex(vectors.LEAF),
    )
    assert found.hex() == vectors.ENTRY


def test_the_text_and_leaf_of_the_published_head() -> None:
    text = hashes.head_text(
        2, vectors.WORKSPACE, 2, bytes.fromhex(vectors.HEAD_HASH), vectors.NONCE
    )
    assert (text, hashes.leaf_hash(text).hex()) == (vectors.HEAD_TEXT, vectors.HEAD_LEAF)


def test_the_commitment_to_the_published_number() -> None:
    assert hashes.commitment(bytes(32), "msisdn", "+447700900008") == vectors.COMMITMENT


def test_the_leaf_and_the_entry_can_be_repeated_with_coreutils() -> None:
    script = (
        "{ printf '\\0'; printf '%s' \"$1\"; } | sha256sum; shift;"
        "printf 'smsc-audit-entry/v1\\n%s\\n%s\\n%s\\n%s\\n%s\\n' \"$@\" | sha256sum"
    )
    words = [vectors.EVENT.decode(), str(vectors.WORKSPACE), "1", vectors.AT, vectors.GENESIS]
    shell = ["/bin/sh", "-c", script, "sh", *words, vectors.LEAF]
    printed = subprocess.run(shell, capture_output=True, check=True, text=True).stdout
    assert printed.split()[::2] == [vectors.LEAF, vectors.ENTRY]


def test_a_nonce_is_keyed_by_the_sites_secret_and_differs_in_every_epoch() -> None:
    secret = b"s" * 32
    expected = hmac.new(secret, b"smsc-audit-nonce/v1\n7\n2\n", sha256).hexdigest()
    assert hashes.nonce(secret, 7, 2) == expected != hashes.nonce(secret, 8, 2)


# RFC 6962 has no vectors; these leaves and roots are those of Certificate Transparency's tests.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(1, 9))
def test_a_tree_has_the_root_that_certificate_transparency_expects(size: int) -> None:
    leaves = [hashes.leaf_hash(data) for data in CT_LEAVES[:size]]
    assert hashes.tree_root(leaves).hex() == CT_ROOTS[size - 1]


def test_the_tree_without_a_leaf_is_the_hash_of_nothing() -> None:
    assert hashes.tree_root([]) == sha256().digest()


def split_root(leaves: list[bytes]) -> bytes:
    """RFC 6962's own words: split at the largest power of two below the size."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashes.node_hash(split_root(leaves[:split]), split_root(leaves[split:]))


leaf_lists = st.integers(1, 70).map(lambda n: [sha256(bytes([i])).digest() for i in range(n)])


@given(leaf_lists)
def test_the_root_is_the_one_that_the_rfc_defines(leaves: list[bytes]) -> None:
    assert hashes.tree_root(leaves) == split_root(leaves)


@given(leaf_lists, st.data())
def test_every_leaf_is_proved_by_its_path(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = hashes.inclusion_proof(leaves, index)
    found = hashes.root_of_proof(leaves[index], index, len(leaves), proof)
    assert found == hashes.tree_root(leaves)


@given(leaf_lists, st.data())
def test_a_path_of_another_length_is_refused(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = hashes.inclusion_proof(leaves, index)
    for wrong in (proof[1:] if proof else [b"x" * 32], [*proof, b"x" * 32]):
        with pytest.raises(hashes.WrongProof):
            hashes.root_of_proof(leaves[index], index, len(leaves), wrong)


def test_there_is_no_path_outside_the_tree() -> None:
    with pytest.raises(IndexError):
        hashes.inclusion_proof([bytes(32)], 1)
