"""What feeds the sessions of one connection in a process, and what receipts said of their pace."""

import time
from typing import Protocol
from weakref import WeakSet

from smpp_client.rules.errors import THROTTLED

# A receipt does not say to the second when its segment was written: so long ago, it is taken to be.
# What was on its way when the rate was cut must not cut it again; so long it is told to others.
WAY_SECONDS = 5.0


class Slows(Protocol):
    """Who sends more slowly when the peer complains."""

    def slow_down(self, status: int, written_at: float) -> None:
        """Take a complaint about a segment written at this monotonic time."""


class Crew:
    """All of them slow down together: a receipt comes over any session of the system id, and over
    a receiver where binds are pairs. Other processes hear of it through the leases.
    """

    def __init__(self) -> None:
        self._feeders: WeakSet[Slows] = WeakSet()
        self._heard_at = float("-inf")

    def add(self, feeder: Slows) -> None:
        """Let a feeder slow down with the others, as long as its slot lives."""
        self._feeders.add(feeder)

    def hear(self) -> None:
        """Slow down: a receipt came here that asks for it."""
        self._heard_at = time.monotonic()
        self._slow_down(self._heard_at)

    def is_told(self, seconds_ago: float | None) -> None:
        """Slow down if another process heard so so many seconds ago, and it is still news."""
        if seconds_ago is not None and seconds_ago <= WAY_SECONDS:
            self._slow_down(time.monotonic() - seconds_ago)

    @property
    def heard_ago(self) -> float | None:
        """Return how many seconds ago a receipt said so here, None when it is no news."""
        ago = time.monotonic() - self._heard_at
        return ago if ago <= WAY_SECONDS else None

    def _slow_down(self, heard_at: float) -> None:
        for feeder in self._feeders:
            feeder.slow_down(THROTTLED, heard_at - WAY_SECONDS)
