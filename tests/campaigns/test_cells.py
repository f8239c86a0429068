"""Cells that no spreadsheet takes for a formula."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.rules.cells import harmless
from campaigns.rules.sizes import size_in_words

STARTS = st.sampled_from(
    ["=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠", " =", "\u00a0+"]
)


@given(STARTS, st.text())
def test_a_formula_gets_an_apostrophe(start: str, rest: str) -> None:
    assert harmless(start + rest) == f"'{start}{rest}"


@given(st.text())
def test_every_other_cell_stays_as_it_is(cell: str) -> None:
    assert harmless(cell) in {cell, f"'{cell}"}
    assert harmless(f"x{cell}") == f"x{cell}"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1_100, "1.1 kB"),
        (61_400_000, "61.4 MB"),
        (10**9, "1 GB"),
    ],
)
def test_sizes_read_as_people_write_them(size: int, words: str) -> None:
    assert size_in_words(size) == words
