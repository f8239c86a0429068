"""What the SMSC's "too fast" makes of a connection's rate: additive increase, multiplicative
decrease."""

from dataclasses import dataclass, replace
from typing import Final, Self

from smpp_client.rules.errors import QUEUE_FULL

CUT: Final = 0.75
CLIMB: Final = 0.02  # of the ceiling, each second
LOWEST: Final = 1.0  # segment/s
PAUSE: Final = 0.25  # seconds of silence after a throttled answer
QUEUE_PAUSE: Final = 2.0  # and after a full queue, which empties slowly


@dataclass(frozen=True, slots=True)
class Throttle:
    """The rate a connection allows itself, below its ceiling.

    `rate` held at `since`, monotonic seconds; nothing is sent before it. Answers to what was
    written before the last cut do not cut again.
    """

    ceiling: float
    rate: float
    since: float
    cut_at: float = float("-inf")

    @classmethod
    def full(cls, ceiling: float, now: float) -> Self:
        """Start at the ceiling."""
        return cls(ceiling, ceiling, now)

    def allowed(self, now: float) -> float:
        """Return the rate now, 0 during the pause."""
        if now < self.since:
            return 0.0
        return min(self.ceiling, self.rate + CLIMB * self.ceiling * (now - self.since))

    def slowed(self, status: int, now: float, *, written_at: float | None = None) -> Self:
        """Return the throttle after a negative answer of the slow-down class.

        `written_at` is when the refused segment was written, if known.
        """
        if (written_at if written_at is not None else now) <= max(self.cut_at, self.since):
            return self
        pause = QUEUE_PAUSE if status == QUEUE_FULL else PAUSE
        rate = max(min(LOWEST, self.ceiling), self.allowed(now) * CUT)
        return replace(self, rate=rate, since=now + pause, cut_at=now)

    def capped(self, ceiling: float, now: float) -> Self:
        """Return the throttle under another ceiling."""
        if now < self.since:
            return replace(self, ceiling=ceiling, rate=min(self.rate, ceiling))
        return replace(self, ceiling=ceiling, rate=min(self.allowed(now), ceiling), since=now)

    def scaled(self, ceiling: float, now: float) -> Self:
        """Return the throttle at the same part of another ceiling: a share that moves between
        sessions is nobody's complaint.
        """
        if self.ceiling <= 0:
            return replace(self, ceiling=ceiling, rate=ceiling, since=max(self.since, now))
        is_pausing = now < self.since
        rate = self.rate if is_pausing else self.allowed(now)
        since = self.since if is_pausing else now
        return replace(self, ceiling=ceiling, rate=rate * ceiling / self.ceiling, since=since)
