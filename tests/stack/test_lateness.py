"""What CI may try once more: what only came too late, never a promise that was broken."""

from types import SimpleNamespace

import pytest

from tests.chaos.invariants import Broken
from tests.chaos.journal import Journal
from tests.plugin import are_late, is_late
from tests.poll import TooLate, poll

LATE = SimpleNamespace(user_properties=[["is_late", True]])
WRONG = SimpleNamespace(user_properties=[])


def test_what_was_polled_for_in_vain_is_late() -> None:
    with pytest.raises(AssertionError) as vain:
        poll(lambda: False, 0)
    assert is_late(vain.value)


def test_a_tests_own_time_limit_is_late() -> None:
    assert is_late(pytest.fail.Exception("Timeout (>300.0s) from pytest-timeout."))


@pytest.mark.parametrize(
    "error", [Broken("I1: accepted twice"), AssertionError(), pytest.fail.Exception("no")], ids=str
)
def test_nothing_else_is_late(error: BaseException) -> None:
    assert not is_late(error)


def test_one_failure_that_is_more_than_late_forbids_another_try() -> None:
    assert are_late([LATE, LATE])
    assert not are_late([LATE, WRONG])
    assert not are_late([LATE, SimpleNamespace()])  # a file that could not be collected
    assert not are_late([])


def test_a_campaign_of_faults_fails_with_what_is_more_than_late() -> None:
    journal = Journal()
    journal.judge()
    journal.broke("1: Kill", TooLate("I8: it took long"))
    with pytest.raises(TooLate, match="1: Kill: I8"):
        journal.judge()
    journal.broke("2: Kill", Broken("I1: accepted twice"))
    with pytest.raises(Broken, match="2: Kill: I1"):
        journal.judge()
