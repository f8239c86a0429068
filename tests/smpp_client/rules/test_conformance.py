"""How many messages a full check may take, and how steps are written down."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_client.rules.conformance import (
    FIXED_MESSAGES,
    Step,
    StepState,
    Volumes,
    counts,
    masked,
    read_step,
    volumes,
)


@given(
    messages=st.integers(FIXED_MESSAGES, 50_000),
    rate=st.integers(1, 10_000),
    window=st.integers(1, 10_000),
    is_above_rate=st.booleans(),
)
def test_no_more_than_allowed_is_shared_out_and_whole_seconds_only(
    messages: int, rate: int, window: int, is_above_rate: bool
) -> None:
    shares = volumes(messages, rate, window, is_above_rate=is_above_rate)
    assert shares.total <= messages
    assert shares.window in {0, window}
    assert (shares.rate % rate, shares.load % rate) == (0, 0)
    assert shares.rate <= 3 * rate
    assert shares.load <= 5 * rate


@pytest.mark.parametrize(
    ("messages", "shares"),
    [
        (FIXED_MESSAGES, Volumes(0, 0, 0, 0)),
        (FIXED_MESSAGES + 50, Volumes(50, 0, 0, 0)),
        (FIXED_MESSAGES + 150, Volumes(50, 100, 0, 0)),
        (FIXED_MESSAGES + 250, Volumes(50, 100, 100, 0)),
        (FIXED_MESSAGES + 350, Volumes(50, 200, 100, 0)),
        (FIXED_MESSAGES + 9_999, Volumes(50, 300, 500, 0)),
    ],
)
def test_each_gets_a_second_before_one_gets_more(messages: int, shares: Volumes) -> None:
    assert volumes(messages, rate=100, window=50) == shares


def test_more_than_the_rate_leaves_a_second_at_it() -> None:
    assert volumes(FIXED_MESSAGES + 450, 100, 50, is_above_rate=True) == Volumes(50, 100, 0, 300)
    assert volumes(FIXED_MESSAGES + 400, 100, 50, is_above_rate=True).above == 0


def test_a_step_is_read_as_it_was_written_with_its_figures_in_order() -> None:
    step = Step("rate", "Rate", StepState.FAILED, "Too slow.", {"z": 1, "a": 2.5, "m": "x"}, 1.5)
    read = read_step(json.loads(json.dumps(step.as_json(), sort_keys=True)))
    assert (read, list(read.figures)) == (step, ["z", "a", "m"])


def test_every_end_has_its_count() -> None:
    assert counts([]) == {StepState.PASSED: 0, StepState.FAILED: 0, StepState.NOT_TRIED: 0}


def test_a_masked_number_names_nobody() -> None:
    assert masked("447700900001") == "+44770•••••01"
