"""How often a key may call: a token bucket. Time is an argument, in monotonic seconds."""

from dataclasses import dataclass
from math import ceil

WINDOW_SECONDS = 60
# A bucket holds so many seconds of its rate: that much may come at once.
BURST_SECONDS = 10


@dataclass(frozen=True)
class Left:
    """What a call left over: whole calls that may come at once now, and seconds until one more may
    come (0 when one may already) or until all may.
    """

    is_allowed: bool
    calls: int
    wait_seconds: int
    full_seconds: int


class CallBucket:
    """A bucket of one key: `per_minute` calls in the long run."""

    def __init__(self, per_minute: int, now: float) -> None:
        self._rate = per_minute / WINDOW_SECONDS
        self._capacity = max(1.0, self._rate * BURST_SECONDS)
        self._tokens = self._capacity
        self._at = now

    def take(self, now: float) -> Left:
        """Take one call out, if there is one."""
        passed = max(now - self._at, 0.0)
        self._at = max(now, self._at)
        self._tokens = min(self._tokens + passed * self._rate, self._capacity)
        is_allowed = self._tokens >= 1.0
        if is_allowed:
            self._tokens -= 1.0
        return Left(
            is_allowed,
            int(self._tokens),
            self._seconds(1.0 - self._tokens),
            self._seconds(self._capacity - self._tokens),
        )

    def _seconds(self, tokens: float) -> int:
        return ceil(max(tokens, 0.0) / self._rate)
