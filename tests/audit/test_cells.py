"""Cells that no spreadsheet takes for a formula."""

from hypothesis import given
from hypothesis import strategies as st

from audit.rules.cells import harmless

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
