"""Whose number it is: the longest prefix wins."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_client.rules.ranges import connection_for

RANGES = {"44": 1, "447700": 2, "4477009001": 3}


@pytest.mark.parametrize(
    ("number", "connection"),
    [
        ("447700900100", 3),
        ("+447700900100", 3),
        ("447700900200", 2),
        ("442079460000", 1),
        ("15550100", None),
    ],
)
def test_the_longest_prefix_wins(number: str, connection: int | None) -> None:
    assert connection_for(number, RANGES) == connection


def test_without_ranges_nobody_owns_a_number() -> None:
    assert connection_for("447700900100", {}) is None


@given(
    st.dictionaries(st.from_regex(r"[1-9][0-9]{0,5}", fullmatch=True), st.integers(1, 5)),
    st.from_regex(r"[1-9][0-9]{5,14}", fullmatch=True),
)
def test_it_is_what_a_look_at_every_range_finds(ranges: dict[str, int], number: str) -> None:
    fitting = [prefix for prefix in ranges if number.startswith(prefix)]
    wanted = ranges[max(fitting, key=len)] if fitting else None
    assert connection_for(number, ranges) == wanted
