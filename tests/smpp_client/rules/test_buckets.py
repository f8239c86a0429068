"""A connection's cap: never above it, and little below it."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpp_client.rules.pace import Bucket
from tests.smpp_client.rules.seconds import most_in_a_second


@settings(deadline=None)
@given(
    rate=st.floats(0.2, 5_000),
    steps=st.lists(st.tuples(st.floats(0.0001, 0.5), st.floats(0, 1)), max_size=400),
    message=st.integers(1, 4),
)
def test_no_second_is_above_the_cap_and_one_message(
    rate: float, steps: list[tuple[float, float]], message: int
) -> None:
    bucket, now, log = Bucket(rate, 0.0), 0.0, []
    for wait, appetite in steps:
        now += wait
        room = bucket.room(now)
        wanted = round(room * appetite)
        taken = -(-wanted // message) * message
        if taken:
            bucket.spend(taken, now)
            log.append((now, taken))
    assert most_in_a_second(log) <= rate + message + 1e-6


@pytest.mark.parametrize("slowest", [0.02, 0.05, 0.15])
def test_a_hungry_bucket_keeps_its_rate_at_any_tick(slowest: float) -> None:
    bucket, now, total, chance = Bucket(1_000, 0.0), 0.0, 0, random.Random(3)
    while now < 60:
        now += chance.uniform(0.001, slowest)
        room = bucket.room(now)
        bucket.spend(room, now)
        total += room
    assert total == pytest.approx(60_000, rel=slowest / 2)
    assert total <= 60_001


def test_a_stall_of_200_ms_loses_nothing() -> None:
    bucket, total = Bucket(1_000, 0.0), 0
    for step in range(1_000):
        if step % 100 in range(10, 19):
            continue
        room = bucket.room(step * 0.02)
        bucket.spend(room, step * 0.02)
        total += room
    assert total == pytest.approx(20_000, rel=0.03)


def test_after_idling_the_burst_is_20_ms_of_rate() -> None:
    bucket = Bucket(1_000, 0.0)
    assert bucket.room(10.0) == 20
    assert bucket.room(20.0) == 20


def test_a_slow_connection_may_send_one_at_once() -> None:
    bucket = Bucket(2, 0.0)
    assert bucket.room(0.0) == 1
    bucket.spend(1, 0.0)
    assert bucket.room(0.4) == 0
    assert bucket.room(0.5) == 1


def test_a_message_of_three_parts_is_paid_for_before_the_next() -> None:
    bucket = Bucket(10, 0.0)
    bucket.spend(3, 0.0)
    assert bucket.room(0.25) == 0
    assert bucket.room(0.31) == 1


def test_what_was_not_written_can_be_given_back() -> None:
    bucket = Bucket(1_000, 0.0)
    bucket.spend(bucket.room(1.0), 1.0)
    bucket.give_back(15)
    assert bucket.room(1.0) == 15


def test_a_rate_of_zero_stops() -> None:
    bucket = Bucket(100, 0.0)
    bucket.set_rate(0, 1.0)
    assert bucket.room(5.0) == 0
    assert bucket.ready_in(5.0) == float("inf")


@given(st.floats(0.5, 2_000), st.lists(st.floats(0, 0.05), min_size=1, max_size=50))
def test_waiting_as_long_as_told_brings_room(rate: float, waits: list[float]) -> None:
    bucket, now = Bucket(rate, 0.0), 0.0
    for wait in waits:
        now += wait
        bucket.spend(bucket.room(now), now)
    for _ in range(1_100):
        ready_in = bucket.ready_in(now)
        if ready_in == 0:
            break
        now += ready_in
    assert bucket.room(now) >= 1
    assert now < sum(waits) + 1.0 + 1.5 / rate + 0.01


def test_memory_is_flat() -> None:
    bucket, now = Bucket(1e9, 0.0), 0.0
    for _ in range(20_000):
        now += 0.0001
        bucket.spend(1, now)
        bucket.room(now)
    assert len(bucket._slots) <= 1_002
