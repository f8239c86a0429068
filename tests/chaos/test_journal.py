"""The verdict over a whole campaign of faults."""

import pytest

from tests.chaos.invariants import Broken
from tests.chaos.journal import KILLED, Entry, Journal
from tests.poll import TooLate


def _journal(*resumed: float, group: str = KILLED) -> Journal:
    return Journal([Entry(group, "kill -9", seconds, 0, 48, 5) for seconds in resumed])


def test_half_of_the_kills_may_take_longer() -> None:
    _journal(*[4.9] * 6, *[11.0] * 5).judge()


def test_a_median_of_kills_above_five_seconds_is_broken() -> None:
    with pytest.raises(Broken, match=r"5\.1 s in the median"):
        _journal(*[4.9] * 5, *[5.1] * 6).judge()


@pytest.mark.parametrize("group", ["database stopped", KILLED])
def test_other_faults_and_a_few_kills_have_no_median(group: str) -> None:
    count = 9 if group == KILLED else 40
    _journal(*[9.0] * count, group=group).judge()


def test_what_is_no_matter_of_time_is_told_first() -> None:
    journal = _journal(*[9.0] * 40)
    journal.broke("at 1", TooLate("late"))
    journal.broke("at 2", Broken("twice"))
    with pytest.raises(Broken, match="twice"):
        journal.judge()
