"""Sealing many values gives what sealing each gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspaces.rules.sealing import Keys, SealBroken, new_key

KEYS = Keys(new_key(), new_key())


@given(st.text(alphabet="0123456789", min_size=1, max_size=15))
def test_a_fingerprint_is_the_same_one_by_one_and_in_bulk(number: str) -> None:
    assert KEYS.fingerprinter().fingerprint(number) == KEYS.fingerprint(number)


@given(st.text(max_size=40))
def test_what_is_sealed_in_bulk_opens_one_by_one(value: str) -> None:
    assert KEYS.open(KEYS.sealer("place").seal(value), "place") == value


def test_a_number_sealed_in_bulk_opens_in_its_workspace_only() -> None:
    sealed = KEYS.number_sealer(7).seal("447700900123")
    assert KEYS.open_number(sealed, 7) == "447700900123"
    with pytest.raises(SealBroken):
        KEYS.open_number(sealed, 8)


def test_the_same_value_is_sealed_differently_each_time() -> None:
    seal = KEYS.sealer("place").seal
    assert seal("447700900123") != seal("447700900123")
