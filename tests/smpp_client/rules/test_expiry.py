"""When a certificate's end is told."""

from datetime import UTC, datetime, timedelta

import pytest

from smpp_client.rules.expiry import alarm_due

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "due"),
    [
        (timedelta(days=30, seconds=1), None),
        (timedelta(days=30), 30),
        (timedelta(days=14, seconds=1), 30),
        (timedelta(days=14), 14),
        (timedelta(days=7), 7),
        (timedelta(days=1), 1),
        (timedelta(seconds=1), 1),
        (timedelta(0), 0),
        (timedelta(days=-3), 0),
    ],
)
def test_the_last_day_that_has_come_is_due(left: timedelta, due: int | None) -> None:
    assert alarm_due(NOW + left, NOW) == due
