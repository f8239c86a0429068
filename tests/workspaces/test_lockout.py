"""When failures lock, and until when; whose failures are counted together."""

from datetime import timedelta

import pytest

from tests.workspaces.make import NOW
from workspaces.rules.lockout import locked_until, network_of

LOCK = timedelta(minutes=15)


def ends(*minutes_ago: float) -> timedelta | None:
    """When the lock of 3 failures ends, from now; newest failure first."""
    newest = [NOW - timedelta(minutes=ago) for ago in minutes_ago]
    until = locked_until(newest, limit=3, lock=LOCK, now=NOW)
    return until - NOW if until else None


def test_fewer_failures_than_the_limit_lock_nothing() -> None:
    assert ends(0, 1) is None


def test_the_lock_lasts_from_the_failure_that_reached_the_limit() -> None:
    assert ends(1, 5, 9) == timedelta(minutes=14)


def test_the_lock_ends_to_the_second() -> None:
    assert ends(15, 16, 17) is None
    assert ends(14.99, 16, 17) is not None


def test_failures_that_are_far_apart_lock_nothing() -> None:
    assert ends(0, 5, 15) is None
    assert ends(0, 5, 14.99) == LOCK


def test_after_a_lock_the_old_failures_do_not_lock_again() -> None:
    assert ends(0, 16, 17, 18) is None


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("", "::"),
        ("unix:", "::"),
    ],
)
def test_an_ipv6_network_counts_as_one_address(address: str, counted_as: str) -> None:
    assert network_of(address) == counted_as
