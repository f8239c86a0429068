"""Plans on a virtual clock: exact, never above the cap, and honest about what does not fit."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpp_client.rules.pace import (
    Anchor,
    Daily,
    Plan,
    PlanRefused,
    at_once,
    curve,
    due,
    end_for_rate,
    forecast,
    open_time,
    rate_for_end,
    spread,
    start_for_rate,
    steady,
)
from tests.smpp_client.rules.seconds import most_in_a_second

TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


@dataclass
class Row:
    """What a campaign's row keeps: everything else dies with the process."""

    claimed: int = 0
    anchor: Anchor | None = None
    moves: int = 0
    log: list[tuple[float, int]] = field(default_factory=list)

    def claim(self, plan: Plan, now: datetime, message: int = 1) -> None:
        """Claim whole messages, as the claim does: the last one may pass what is due."""
        answer = due(plan, now, self.claimed, anchor=self.anchor, longest=message)
        if answer.is_moved and answer.anchor != self.anchor:
            self.anchor, self.moves = answer.anchor, self.moves + 1
        taken = min(-(-answer.segments // message) * message, plan.total - self.claimed)
        if taken:
            self.claimed += taken
            self.log.append((now.timestamp(), taken))

    def most_in_a_second(self) -> int:
        return most_in_a_second(self.log)


def ticks(
    start: datetime, end: datetime, seed: int = 1, slowest: float = 0.05
) -> Iterator[datetime]:
    chance = random.Random(seed)
    now = start
    while now < end:
        yield now
        now += timedelta(seconds=chance.uniform(0.02, slowest))


def run(
    plan: Plan,
    *,
    is_up: Callable[[float], bool] = lambda seconds: True,
    message: int = 1,
    slowest: float = 0.05,
) -> Row:
    row = Row()
    start = plan.open.starts_at
    for now in ticks(start, plan.open.ends_at, slowest=slowest):
        if is_up((now - start).total_seconds()):
            row.claim(plan, now, message)
    return row


def test_half_a_million_over_two_hours_is_exact() -> None:
    plan = spread(500_000, open_time(TEN, TEN + hours(2)))
    row = run(plan, slowest=0.2)
    assert row.claimed == 500_000
    assert row.moves == 0
    assert row.log[-1][0] == pytest.approx(plan.open.stops[-1] - 2, abs=0.2)
    halfway = sum(taken for at, taken in row.log if at < (TEN + hours(1)).timestamp())
    assert halfway == pytest.approx(250_000, rel=0.001)


def test_every_second_of_a_spread_is_within_ten_percent_or_one_message() -> None:
    plan = spread(5_000, open_time(TEN, TEN + timedelta(seconds=100)))
    row = run(plan)
    seconds: Counter[int] = Counter()
    for at, taken in row.log:
        seconds[int(at - TEN.timestamp())] += taken
    assert row.claimed == 5_000
    for second in range(99):
        assert abs(seconds[second] - 50) <= 5 + 1


def test_the_curve_is_what_an_undisturbed_plan_wants() -> None:
    plan = spread(7_200, open_time(TEN, TEN + hours(2)))
    assert curve(plan, TEN) == 0
    assert curve(plan, TEN + hours(1)) == pytest.approx(3_600, rel=0.001)
    assert curve(plan, TEN + hours(2)) == 7_200
    assert curve(plan, TEN - hours(1)) == 0


def test_nothing_is_due_outside_the_window() -> None:
    plan = spread(1_000, open_time(TEN, TEN + hours(1)))
    assert due(plan, TEN - hours(1), 0).segments == 0
    assert due(plan, TEN + hours(1), 10).segments == 0


def test_a_spread_catches_up_after_an_outage_without_a_spike() -> None:
    plan = spread(72_000, open_time(TEN, TEN + hours(2)))
    row = run(plan, is_up=lambda seconds: not 1200 <= seconds < 1500)
    assert row.claimed == 72_000
    assert row.most_in_a_second() <= 1.25 * plan.rate + 1
    assert row.moves == 1


def test_after_thirty_minutes_of_outage_what_does_not_fit_stays() -> None:
    plan = spread(72_000, open_time(TEN, TEN + hours(2)))
    row = run(plan, is_up=lambda seconds: not 3600 <= seconds < 5400)
    assert row.most_in_a_second() <= 1.25 * plan.rate + 1
    assert 36_000 + 18_000 < row.claimed < 36_000 + 18_000 * 1.25
    assert forecast(plan, TEN + hours(1.5), 36_000) is None


def test_a_plan_that_starts_late_does_not_burst() -> None:
    plan = spread(10_000, open_time(TEN, TEN + hours(1)))
    answer = due(plan, TEN + hours(0.1), 0)
    assert answer.segments <= 2
    assert answer.is_moved
    assert answer.rate == pytest.approx(10_000 / (0.9 * 3600), rel=0.01)


def test_a_restart_needs_only_the_row() -> None:
    plan = spread(10_000, open_time(TEN, TEN + hours(1)))
    row = Row()
    for now in ticks(TEN, TEN + hours(1)):
        fresh = Row(row.claimed, row.anchor, row.moves, row.log)
        fresh.claim(plan, now)
        row = fresh
    assert row.claimed == 10_000


def test_a_short_stall_is_made_up_for_and_moves_no_anchor() -> None:
    plan = spread(10_000, open_time(TEN, TEN + timedelta(seconds=100)))
    row = run(plan, is_up=lambda seconds: (seconds % 5) > 0.12)
    assert row.claimed == 10_000
    assert row.moves == 0
    assert row.most_in_a_second() <= 1.25 * plan.rate + 1


def test_messages_of_several_segments_are_paid_for_later() -> None:
    plan = spread(9_000, open_time(TEN, TEN + timedelta(seconds=300)))
    row = run(plan, message=3)
    assert row.claimed == 9_000
    assert row.moves == 0
    assert row.most_in_a_second() <= plan.cap + 3


def test_a_steady_plan_never_makes_up_for_an_outage() -> None:
    plan = steady(10_000, open_time(TEN, TEN + timedelta(seconds=100)), rate=50)
    row = run(plan, is_up=lambda seconds: not 10 <= seconds < 40)
    assert row.most_in_a_second() <= 55 + 1
    assert row.claimed == pytest.approx(70 * 50, abs=10)


def test_a_steady_plan_ends_when_everything_is_claimed() -> None:
    plan = steady(1_000, open_time(TEN, TEN + hours(1)), rate=50)
    row = run(plan)
    assert row.claimed == 1_000
    assert row.log[-1][0] - TEN.timestamp() == pytest.approx(20, abs=0.1)


def test_all_of_a_plan_without_a_rate_is_due_at_once() -> None:
    plan = at_once(1_000, open_time(TEN, TEN + hours(1)))
    assert due(plan, TEN, 0).segments == 1_000
    assert due(plan, TEN, 990).segments == 10
    assert due(plan, TEN - hours(1), 0).segments == 0


def test_a_person_can_slow_a_plan_down_and_back_without_a_jump() -> None:
    plan = steady(100_000, open_time(TEN, TEN + hours(1)), rate=50)
    row = Row()
    for now in ticks(TEN, TEN + timedelta(seconds=60)):
        elapsed = (now - TEN).total_seconds()
        limit = 5.0 if 20 <= elapsed < 40 else float("inf")
        answer = due(plan, now, row.claimed, anchor=row.anchor, limit=limit)
        row.anchor = answer.anchor
        row.claimed += answer.segments
        row.log.append((now.timestamp(), answer.segments))
    assert row.claimed == pytest.approx(20 * 50 + 20 * 5 + 20 * 50, abs=15)
    assert row.most_in_a_second() <= 55 + 1


def test_a_limit_slows_a_plan_that_has_no_rate() -> None:
    plan = at_once(1_000, open_time(TEN, TEN + hours(1)))
    assert due(plan, TEN + timedelta(seconds=0.11), 0, limit=20).segments == 2


def test_a_clock_that_stepped_back_gives_nothing_twice() -> None:
    plan = spread(3_600, open_time(TEN, TEN + hours(1)))
    answer = due(plan, TEN + hours(0.25), 1_800)
    assert answer.segments == 0
    assert answer.anchor.claimed == 1_800


def test_a_clock_that_stepped_forward_and_back_again_stops_nothing() -> None:
    plan, row = spread(7_200, open_time(TEN, TEN + hours(2))), Row()
    for second in range(60):
        row.claim(plan, TEN + timedelta(seconds=second))
    for second in range(60):
        row.claim(plan, TEN + timedelta(minutes=30, seconds=second))
    before = row.claimed
    for second in range(120, 180):
        row.claim(plan, TEN + timedelta(seconds=second))
    assert 45 <= row.claimed - before <= 75


def test_a_spread_over_days_keeps_to_its_daily_window_over_a_clock_change() -> None:
    start = datetime(2026, 10, 30, tzinfo=UTC)
    daily = Daily(time(20), time(2), "America/New_York")
    plan = spread(4_000, open_time(start, start + timedelta(days=4), daily))
    row = Row()
    now = start
    while now < start + timedelta(days=4):
        row.claim(plan, now)
        now += timedelta(seconds=2)
    assert row.claimed == 4_000
    assert all(plan.open.contains(datetime.fromtimestamp(at, UTC)) for at, _ in row.log)
    nights = Counter((int(at) - 12 * 3600) // 86400 for at, _ in row.log)
    assert len(nights) == 4


def test_a_forecast_is_the_end_of_the_window_for_a_spread_in_time() -> None:
    plan = spread(72_000, open_time(TEN, TEN + hours(2)))
    end = forecast(plan, TEN + hours(1), 36_000)
    assert end is not None
    assert (TEN + hours(2) - end).total_seconds() == pytest.approx(2, abs=1)


def test_a_forecast_of_a_plan_without_a_rate_is_now() -> None:
    plan = at_once(10, open_time(TEN, TEN + hours(2)))
    assert forecast(plan, TEN + hours(1), 0) == TEN + hours(1)


def test_the_calculator_gives_the_third_from_any_two() -> None:
    rate = rate_for_end(500_000, TEN, TEN + hours(2))
    assert rate == pytest.approx(69.46, abs=0.01)
    assert end_for_rate(500_000, rate, TEN) == TEN + hours(2)
    assert start_for_rate(500_000, rate, TEN + hours(2)) == TEN


@given(st.integers(1, 10**7), st.integers(60, 20 * 86400), st.booleans())
def test_rate_and_end_belong_together(total: int, seconds: int, is_daily: bool) -> None:
    daily = Daily(time(9), time(18), "America/New_York") if is_daily else None
    end = TEN + timedelta(days=1, seconds=seconds)
    if daily:
        end = open_time(TEN, end, daily).ends_at
    rate = rate_for_end(total, TEN, end, daily)
    found = end_for_rate(total, rate, TEN, daily)
    assert abs((found - end).total_seconds()) < 0.01
    assert rate_for_end(total, TEN, found, daily) == pytest.approx(rate, rel=1e-6)


@pytest.mark.parametrize(
    ("total", "rate", "sentence"),
    [(0, 1.0, "nothing to send"), (1, 0.0, "above zero"), (10**9, 0.1, "longer than 366 days")],
)
def test_a_plan_without_sense_is_refused(total: int, rate: float, sentence: str) -> None:
    with pytest.raises(PlanRefused, match=sentence):
        end_for_rate(total, rate, TEN)


@settings(deadline=None, max_examples=30)
@given(
    total=st.integers(1, 6_000),
    seconds=st.integers(5, 60),
    message=st.sampled_from([1, 1, 1, 2, 5]),
    outages=st.lists(st.tuples(st.floats(0, 60), st.floats(0, 20)), max_size=4),
    slowest=st.sampled_from([0.03, 0.05, 0.1]),
)
def test_no_second_is_ever_above_the_cap_and_one_message(
    total: int,
    seconds: int,
    message: int,
    outages: list[tuple[float, float]],
    slowest: float,
) -> None:
    plan = spread(total, open_time(TEN, TEN + timedelta(seconds=seconds)))
    row = run(
        plan,
        is_up=lambda at: not any(start <= at < start + length for start, length in outages),
        message=message,
        slowest=slowest,
    )
    assert row.most_in_a_second() <= plan.cap + message + 1e-6
    assert row.claimed <= total
    if not outages:
        assert row.claimed == total
