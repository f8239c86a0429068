"""The time of outcomes and receipts."""

import time
from datetime import UTC, datetime, timedelta

from smpp_client.engine.clock import Moments


def test_a_moment_is_never_much_older_than_the_clock_and_is_shared_by_what_comes_together() -> None:
    moments = Moments()
    seen = set()
    ends = time.monotonic() + 0.05
    while time.monotonic() < ends:
        before = datetime.now(UTC)
        at = moments.now()
        assert before - timedelta(seconds=2 * Moments.SECONDS) <= at <= datetime.now(UTC)
        seen.add(at)
    assert 1 < len(seen) <= 0.05 / Moments.SECONDS + 1
