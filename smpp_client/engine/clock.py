"""The clock that leases are kept by, and the time of what happens by the thousand."""

import time
from datetime import UTC, datetime

# Unlike the monotonic clock it goes on while the machine is suspended, as the lease does in the
# database. Systems without it have the other one.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_read = time.clock_gettime


def lease_now() -> float:
    """Return seconds since the machine started; deadlines of leases are compared with it only."""
    return _read(_CLOCK)


class Moments:
    """The time of outcomes and receipts, at most a millisecond ago.

    What one read brings is of one moment: that is as true as a time for each, and cheaper to store.
    """

    SECONDS = 0.001

    def __init__(self) -> None:
        self._now = datetime.now(UTC)
        self._until = float("-inf")

    def now(self) -> datetime:
        """Return the moment that runs."""
        at = time.monotonic()
        if at >= self._until:
            self._now, self._until = datetime.now(UTC), at + self.SECONDS
        return self._now
