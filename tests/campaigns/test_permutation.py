"""The order of an audience: every slice of it is a fair sample of the list, whatever the key."""

from statistics import pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as some

from campaigns.rules.permutation import permutation

KEYS = 300


@given(some.integers(1, 3_000), some.binary(max_size=16))
def test_every_row_has_one_position(n: int, key: bytes) -> None:
    order = permutation(key, n)
    assert sorted(map(order.position, range(n))) == list(range(n))


@pytest.mark.parametrize(("n", "taken"), [(37, 9), (400, 100), (1_500, 60)])
def test_the_first_of_any_key_are_drawn_as_by_lot(n: int, taken: int) -> None:
    spread = (n * n / 12 * (1 - taken / n) / taken) ** 0.5
    drawn = []
    for number in range(KEYS):
        order = permutation(b"key %d" % number, n)
        rows = [row for row in range(n) if order.position(row) < taken]
        drawn.append((sum(rows) / taken - (n - 1) / 2) / spread)
    assert 0.85 < pstdev(drawn) < 1.15
    assert max(map(abs, drawn)) < 5


def test_another_key_is_another_order() -> None:
    one, other = (list(map(permutation(key, 500).position, range(500))) for key in (b"1", b"2"))
    assert sum(a == b for a, b in zip(one, other, strict=True)) < 10
