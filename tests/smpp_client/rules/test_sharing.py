"""The connections of a route on a virtual clock: weights, tiers, nothing that waits for a turn."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpp_client.rules.pace import (
    Anchor,
    Bucket,
    Demand,
    Fairness,
    Member,
    Plan,
    Ration,
    at_once,
    due,
    open_time,
    share_of,
    spread,
    steady,
)
from smpp_client.rules.pace.sharing import PATIENCE, PLACES
from tests.smpp_client.rules.seconds import most_in_a_second

TEN = datetime(2026, 11, 20, 10, tzinfo=UTC)
START = TEN.timestamp()
A, B, C = 1, 2, 3


def window(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


@dataclass
class Wire:
    """One connection as its own process sees it: a rate, a weight, and when it can send."""

    number: int
    weight: int
    rate: float = 1_000
    is_up: Callable[[float], bool] = lambda _at: True
    is_known_up: Callable[[float], bool] = lambda _at: True
    tier: int = 0
    sent: list[tuple[float, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ration = Ration()
        self.bucket = Bucket(self.rate, START)

    @property
    def count(self) -> int:
        return sum(taken for _at, taken in self.sent)

    def count_between(self, first: float, last: float) -> int:
        return sum(taken for at, taken in self.sent if first <= at - START < last)


class Run:
    """Wires that claim one campaign from one row, each when its own clock wakes it."""

    def __init__(self, plan: Plan, wires: Sequence[Wire], *, seed: int = 1) -> None:
        self.plan, self.wires, self.chance = plan, wires, random.Random(seed)
        self.claimed = 0
        self.anchor: Anchor | None = None

    def until(self, seconds: float, *, slowest: float = 0.05, message: int = 1) -> None:
        """Claim until this many seconds have passed."""
        wakes = {wire.number: START for wire in self.wires}
        while True:
            wire = min(self.wires, key=lambda one: wakes[one.number])
            at = wakes[wire.number]
            if at >= START + seconds:
                return
            wakes[wire.number] = at + self.chance.uniform(0.02, slowest)
            if wire.is_up(at - START):
                self._claim(wire, at, message)

    def _claim(self, wire: Wire, at: float, message: int) -> None:
        owed = due(
            self.plan, datetime.fromtimestamp(at, UTC), self.claimed, anchor=self.anchor, longest=20
        )
        if owed.is_moved:
            self.anchor = owed.anchor
        share = share_of(wire.number, self._members(at))
        wanted = wire.ration.wanted(owed.segments, self.claimed, share.part, owed.rate, at)
        if not share.part:
            wanted = 0
        taken = min(wanted, wire.bucket.room(at), self.plan.total - self.claimed)
        taken = -(-taken // message) * message
        if taken > 0:
            wire.bucket.spend(taken, at)
            wire.ration.took(taken)
            wire.sent.append((at, taken))
            self.claimed += taken

    def _members(self, at: float) -> list[Member]:
        return [
            Member(wire.number, wire.weight, wire.tier, wire.is_known_up(at - START))
            for wire in self.wires
        ]

    def most_in_a_second(self) -> int:
        return most_in_a_second(sorted(row for wire in self.wires for row in wire.sent))


def test_three_to_one_is_three_to_one() -> None:
    a, b = Wire(A, 3), Wire(B, 1)
    run = Run(spread(24_000, open_time(TEN, TEN + window(120))), [a, b])
    run.until(120)
    assert run.claimed == 24_000
    assert a.count / b.count == pytest.approx(3, rel=0.05)


@pytest.mark.parametrize("rate", [0.5, 3, 17, 69.4, 900])
def test_the_split_holds_at_any_rate(rate: float) -> None:
    a, b = Wire(A, 3, rate=2_000), Wire(B, 1, rate=2_000)
    seconds = max(20, 600 / rate)
    run = Run(spread(round(rate * seconds), open_time(TEN, TEN + window(seconds))), [a, b])
    run.until(seconds)
    assert run.claimed == run.plan.total
    assert a.count / run.claimed == pytest.approx(0.75, rel=0.05)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=2, max_size=4),
    st.floats(20, 400),
    st.integers(1, 3),
    st.integers(),
)
def test_any_weights_get_their_shares_and_no_second_passes_the_cap(
    weights: list[int], rate: float, message: int, seed: int
) -> None:
    wires = [Wire(number, weight) for number, weight in enumerate(weights, start=1)]
    plan = spread(round(rate * 30) // message * message, open_time(TEN, TEN + window(30)))
    run = Run(plan, wires, seed=seed)
    run.until(30, message=message)
    assert run.claimed == plan.total
    for wire in wires:
        wanted = plan.total * wire.weight / sum(weights)
        assert abs(wire.count - wanted) <= 0.05 * wanted + 10
    assert run.most_in_a_second() <= plan.cap + message * len(wires)


def test_what_a_slow_connection_cannot_take_the_other_takes() -> None:
    a, b = Wire(A, 3, rate=50), Wire(B, 1)
    run = Run(spread(12_000, open_time(TEN, TEN + window(60))), [a, b])
    run.until(60)
    assert run.claimed == 12_000
    assert a.count == pytest.approx(50 * 60, rel=0.03)


def test_nothing_waits_for_a_turn_while_a_connection_has_room() -> None:
    a, b = Wire(A, 3, rate=100), Wire(B, 1, rate=100)
    run = Run(at_once(10_000, open_time(TEN, TEN + window(100))), [a, b])
    run.until(20)
    assert run.claimed == pytest.approx(4_000, rel=0.02)


def test_the_share_of_one_that_died_moves_before_anybody_has_noticed() -> None:
    a, b = Wire(A, 3, is_up=lambda at: at < 30), Wire(B, 1)
    run = Run(spread(12_000, open_time(TEN, TEN + window(60))), [a, b])
    run.until(60)
    assert run.claimed == 12_000
    assert b.count_between(31, 60) == pytest.approx(200 * 29, rel=0.02)


def test_one_that_is_back_gets_its_share_and_no_more() -> None:
    def is_up(at: float) -> bool:
        return at < 20 or at >= 60

    a, b = Wire(A, 3, is_up=is_up, is_known_up=is_up), Wire(B, 1)
    run = Run(spread(20_000, open_time(TEN, TEN + window(100))), [a, b])
    run.until(100)
    assert run.claimed == 20_000
    assert a.count_between(61, 99) == pytest.approx(0.75 * 200 * 38, rel=0.05)


def test_half_a_million_over_two_hours_on_two_connections_with_an_outage() -> None:
    """Both are away for half an hour in the middle: never more than 1.25 times the plan."""

    def is_up(at: float) -> bool:
        return not 2_700 <= at < 4_500

    a, b = Wire(A, 3, is_up=is_up), Wire(B, 1, is_up=is_up)
    plan = spread(500_000, open_time(TEN, TEN + timedelta(hours=2)))
    run = Run(plan, [a, b])
    run.until(7_200, slowest=0.1)
    assert run.most_in_a_second() <= 1.25 * plan.rate + 1
    # 2,700 s at 1.136 times the plan do not bring back 1,800 s.
    assert run.claimed == pytest.approx(plan.rate * (2_700 + 2_700 * 1.136), rel=0.01)
    assert a.count / run.claimed == pytest.approx(0.75, rel=0.05)


def test_a_hundred_thousand_on_two_connections_are_exact() -> None:
    plan = spread(100_000, open_time(TEN, TEN + window(1_440)))
    run = Run(plan, [Wire(A, 3), Wire(B, 1)])
    run.until(1_440, slowest=0.2)
    assert run.claimed == 100_000
    assert run.most_in_a_second() <= 1.25 * plan.rate + 1


def test_a_rate_below_one_hundred_percent_of_an_approved_one_is_never_passed() -> None:
    plan = steady(100_000, open_time(TEN, TEN + timedelta(hours=2)), 100)
    run = Run(plan, [Wire(A, 1), Wire(B, 1)])
    run.until(120)
    assert run.claimed == pytest.approx(12_000, rel=0.01)
    assert run.most_in_a_second() <= plan.cap + 2


def test_two_workspaces_on_one_connection_get_their_shares() -> None:
    fairness, bucket = Fairness(), Bucket(80, START)
    taken = {"care": 0, "offers": 0}
    chance, at = random.Random(7), START
    while at < START + 60:
        at += chance.uniform(0.002, 0.05)
        room = bucket.room(at)
        wishes = [Demand("care", 1, 1e6, weight=3), Demand("offers", 2, 1e6, weight=1)]
        granted = fairness.divide(room, wishes)
        bucket.spend(sum(granted.values()), at)
        for name in taken:
            taken[name] += granted.get(name, 0)
    assert sum(taken.values()) == pytest.approx(80 * 60, rel=0.01)
    assert taken["care"] / taken["offers"] == pytest.approx(3, rel=0.05)


def test_a_change_of_rate_bites_within_a_second() -> None:
    plan = spread(36_000, open_time(TEN, TEN + timedelta(hours=1)))
    claimed, anchor, at, log = 0, None, START, []
    while at < START + 60:
        at += 0.03
        limit = 2.0 if at >= START + 30 else inf
        if anchor is None and limit == 2.0:
            anchor = Anchor(datetime.fromtimestamp(at, UTC), claimed)  # as change_rate stores it
        now = datetime.fromtimestamp(at, UTC)
        owed = due(plan, now, claimed, anchor=anchor, limit=limit)
        anchor = owed.anchor if owed.is_moved else anchor
        claimed += owed.segments
        log += [at - START] * owed.segments
    assert sum(31 <= second < 60 for second in log) <= 2 * 29 + 1
    assert sum(30 <= second < 31 for second in log) <= 3


# Who has which part


def members(*rows: tuple[int, int, int, bool]) -> list[Member]:
    return [Member(*row) for row in rows]


def test_a_backup_waits_while_a_primary_is_up() -> None:
    rows = members((A, 1, 0, True), (B, 5, 1, True))
    assert share_of(A, rows).part == 1
    share = share_of(B, rows)
    assert share.part == 0
    assert share.is_backup


def test_a_backup_takes_everything_when_no_primary_is_up() -> None:
    rows = members((A, 1, 0, False), (B, 5, 1, True), (C, 5, 2, True))
    assert share_of(B, rows).part == 1
    assert share_of(C, rows).is_backup


def test_a_connection_that_asks_is_up_whatever_was_seen_of_it() -> None:
    rows = members((A, 1, 0, False), (B, 1, 0, True))
    assert share_of(A, rows).part == 0.5


def test_a_weight_of_zero_has_no_part() -> None:
    rows = members((A, 0, 0, True), (B, 1, 0, True))
    assert share_of(A, rows).part == 0
    assert not share_of(A, rows).is_backup
    assert share_of(B, rows).part == 1


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2), st.booleans()), min_size=1, max_size=6)
)
def test_the_parts_of_those_that_are_up_cover_everything_once(
    rows: list[tuple[int, int, bool]],
) -> None:
    route = [Member(number, *row) for number, row in enumerate(rows)]
    up = [member for member in route if member.is_up and member.weight]
    shares = sorted(
        (share.start, share.stop)
        for share in (share_of(member.connection, route) for member in up)
        if share.stop > share.start
    )
    if up:
        assert shares[0][0] == 0
        assert shares[-1][1] == PLACES
        assert all(one[1] == after[0] for one, after in pairwise(shares))


def test_what_stays_due_is_anybodys_after_a_moment() -> None:
    ration = Ration()
    assert ration.wanted(1, 0, 0.25, 0.5, 10.0) == 0
    assert ration.wanted(1, 0, 0.25, 0.5, 10.0 + PATIENCE + 0.001) == 1


def test_a_clock_that_stepped_back_does_not_stop_it() -> None:
    ration = Ration()
    assert ration.wanted(1, 0, 0.25, 0.5, 100.0) == 0
    assert ration.wanted(1, 0, 0.25, 0.5, 10.0) == 0
    assert ration.wanted(1, 0, 0.25, 0.5, 10.1) == 1
