"""The SMSC's complaints slow a connection and it climbs back."""

from hypothesis import given
from hypothesis import strategies as st

from smpp_client.rules.pace import Throttle

THROTTLED, QUEUE_FULL = 0x58, 0x14


def test_a_throttled_answer_pauses_and_cuts_the_rate() -> None:
    throttle = Throttle.full(100, 0.0).slowed(THROTTLED, 10.0)
    assert throttle.allowed(10.1) == 0
    assert throttle.allowed(10.25) == 75


def test_a_full_queue_pauses_longer() -> None:
    throttle = Throttle.full(100, 0.0).slowed(QUEUE_FULL, 10.0)
    assert throttle.allowed(11.9) == 0
    assert throttle.allowed(12.0) == 75


def test_the_rate_climbs_back_to_the_ceiling_and_no_higher() -> None:
    throttle = Throttle.full(100, 0.0).slowed(THROTTLED, 10.0)
    assert throttle.allowed(15.25) == 85
    assert throttle.allowed(1000.0) == 100


def test_answers_to_what_was_written_before_the_cut_do_not_cut_again() -> None:
    throttle = Throttle.full(100, 0.0).slowed(THROTTLED, 10.0)
    assert throttle.slowed(THROTTLED, 10.1) == throttle
    assert throttle.slowed(THROTTLED, 10.5, written_at=9.9) == throttle
    assert throttle.slowed(THROTTLED, 10.5, written_at=10.4) != throttle


def test_another_ceiling_holds_at_once() -> None:
    throttle = Throttle.full(100, 0.0)
    assert throttle.capped(40, 5.0).allowed(5.0) == 40
    assert throttle.capped(200, 5.0).allowed(5.0) == 100
    paused = throttle.slowed(QUEUE_FULL, 10.0).capped(40, 10.5)
    assert paused.allowed(10.6) == 0
    assert paused.allowed(12.0) == 40


def test_a_rate_settles_below_what_the_smsc_takes() -> None:
    throttle, now, sent = Throttle.full(1_000, 0.0), 0.0, 0.0
    while now < 300:
        now += 0.05
        rate = throttle.allowed(now)
        sent += min(rate, 400) * 0.05
        if rate > 400:
            throttle = throttle.slowed(THROTTLED, now)
    assert 0.8 * 400 < sent / 300 < 400


@given(st.floats(0.5, 10_000), st.lists(st.tuples(st.floats(0, 5), st.sampled_from([0x58, 0x14]))))
def test_the_rate_stays_between_one_and_the_ceiling(
    ceiling: float, complaints: list[tuple[float, int]]
) -> None:
    throttle, now = Throttle.full(ceiling, 0.0), 0.0
    for wait, status in complaints:
        now += wait
        throttle = throttle.slowed(status, now)
    assert min(1.0, ceiling) <= throttle.allowed(now + 10) <= ceiling
