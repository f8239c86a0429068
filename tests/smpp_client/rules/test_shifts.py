"""A shift of traffic in steps: from one division to another, by the clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_client.rules.shifts import are_steps_wrong, due_count, weights_at

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
STEP = timedelta(minutes=10)
OLD, NEW = {"a": 1, "b": 0}, {"a": 0, "b": 1}


def test_the_ends_are_exact() -> None:
    assert weights_at({"a": 7, "b": 0}, {"a": 0, "b": 3}, 0) == {"a": 7, "b": 0}
    assert weights_at({"a": 7, "b": 0}, {"a": 0, "b": 3}, 100) == {"a": 0, "b": 3}


def test_a_step_is_a_part_of_the_way() -> None:
    assert weights_at(OLD, NEW, 5) == {"a": 950, "b": 50}
    assert weights_at({"a": 3, "b": 1}, {"a": 1, "b": 3}, 50) == {"a": 500, "b": 500}


weights = st.lists(st.integers(0, 1_000), min_size=2, max_size=4).filter(any)


@given(weights, weights, st.integers(0, 100))
def test_every_step_divides_all_of_the_traffic(
    before: list[int], after: list[int], percent: int
) -> None:
    size = min(len(before), len(after))
    one, two = dict(enumerate(before[:size])), dict(enumerate(after[:size]))
    if not any(one.values()) or not any(two.values()):
        return
    found = weights_at(
        {str(name): weight for name, weight in one.items()},
        {str(name): weight for name, weight in two.items()},
        percent,
    )
    assert any(found.values())
    assert all(0 <= weight <= 1_000 for weight in found.values())
    if 0 < percent < 100:
        assert 990 <= sum(found.values()) <= 1_010


def test_one_step_is_due_at_once_and_one_after_each_interval() -> None:
    steps = [5, 25, 100]
    assert due_count(NOON, STEP, steps, NOON - timedelta(seconds=1)) == 0
    assert due_count(NOON, STEP, steps, NOON) == 1
    assert due_count(NOON, STEP, steps, NOON + STEP) == 2
    assert due_count(NOON, STEP, steps, NOON + 99 * STEP) == 3


@pytest.mark.parametrize(
    ("steps", "is_wrong"),
    [
        ([5, 25, 50, 100], False),
        ([100], False),
        ([], True),
        ([5, 25], True),
        ([0, 100], True),
        ([25, 5, 100], True),
        ([50, 50, 100], True),
        ([50, 100, 120], True),
        (list(range(80, 101)), True),
    ],
)
def test_steps_climb_to_all_of_it(steps: list[int], is_wrong: bool) -> None:
    assert are_steps_wrong(steps) is is_wrong
