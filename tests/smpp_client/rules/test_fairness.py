"""Who gets the room: classes, workspaces by weight, campaigns alike, and nobody forgotten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_client.rules.pace import Demand, Fairness, Priority, shares

URGENT, OPERATIONAL, BULK = Priority

demands = st.lists(
    st.builds(
        Demand,
        name=st.integers(0, 50),
        workspace=st.integers(0, 4),
        wanted=st.floats(0, 2_000),
        priority=st.sampled_from(Priority),
        weight=st.just(1.0),
    ),
    max_size=12,
    unique_by=lambda demand: demand.name,
)


def test_an_urgent_message_passes_a_bulk_campaign() -> None:
    given_ = shares(100, [Demand("offer", "m", 1e6, BULK), Demand("pin", "v", 5, URGENT)])
    assert given_ == {"pin": 5, "offer": 95}


def test_a_class_that_wants_everything_leaves_something_to_the_others() -> None:
    given_ = shares(
        120,
        [
            Demand("pins", "v", 1e6, URGENT),
            Demand("outage", "n", 1e6, OPERATIONAL),
            Demand("offer", "m", 1e6, BULK),
        ],
    )
    assert given_["pins"] == pytest.approx(36 + 84 * 8 / 12)
    assert given_["offer"] == pytest.approx(84 / 12)


def test_workspaces_share_by_weight_whatever_the_number_of_their_campaigns() -> None:
    given_ = shares(
        90,
        [
            Demand("a1", "a", 1e6, weight=2),
            Demand("a2", "a", 1e6, weight=2),
            Demand("b1", "b", 1e6),
        ],
    )
    assert given_ == {"a1": 30, "a2": 30, "b1": 30}


def test_what_one_does_not_want_goes_to_the_others() -> None:
    given_ = shares(90, [Demand("a", "a", 10), Demand("b", "b", 1e6), Demand("c", "c", 1e6)])
    assert given_ == {"a": 10, "b": 40, "c": 40}


@given(st.floats(0, 3_000), demands)
def test_shares_use_the_room_and_no_more_than_is_wanted(
    capacity: float, wanted: list[Demand]
) -> None:
    given_ = shares(capacity, wanted)
    assert set(given_) == {demand.name for demand in wanted}
    assert all(0 <= given_[demand.name] <= demand.wanted + 1e-6 for demand in wanted)
    total = sum(demand.wanted for demand in wanted)
    assert sum(given_.values()) == pytest.approx(min(capacity, total), abs=1e-3)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=20), demands)
def test_whole_segments_use_the_room_and_no_more_than_is_wanted(
    rooms: list[int], wanted: list[Demand]
) -> None:
    fairness = Fairness()
    limits = {demand.name: int(demand.wanted) for demand in wanted}
    for room in rooms:
        granted = fairness.divide(room, wanted)
        assert all(0 <= count <= limits[name] for name, count in granted.items())
        assert sum(granted.values()) == min(room, sum(limits.values()))


def test_a_room_of_one_goes_round() -> None:
    fairness = Fairness()
    wanted = [Demand(name, name, 1_000) for name in "abcdefg"]
    total = dict.fromkeys("abcdefg", 0)
    for _ in range(700):
        for name, count in fairness.divide(1, wanted).items():
            total[str(name)] += count
    assert all(98 <= count <= 102 for count in total.values())


def test_whole_messages_are_charged_to_those_who_finish_them() -> None:
    fairness = Fairness()
    wanted = [Demand("long", "a", 9_000), Demand("short", "b", 9_000)]
    total = {"long": 0, "short": 0}
    for _ in range(1_000):
        granted = fairness.divide(2, wanted)
        total["short"] += granted["short"]
        parts = -(-granted["long"] // 5) * 5
        total["long"] += parts
        fairness.passed("long", parts - granted["long"])
    assert total["long"] == pytest.approx(total["short"], rel=0.2)
