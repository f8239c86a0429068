"""When the machine's clock is no longer believed without a word, and what is overdue by it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# Below this it is the slewing of a time daemon, and `at` simply waits for the clock to catch up.
NOTICEABLE = timedelta(seconds=2)


# What lies further ahead than this was dated by a clock that has been put back since.
AHEAD = timedelta(minutes=5)


@dataclass(frozen=True)
class Reading:
    """Both clocks at one moment: `wall` can be set, `steady` (seconds) only runs."""

    wall: datetime
    steady: float


def is_ahead(moment: datetime, now: datetime) -> bool:
    """Say whether a moment that has been lies ahead. Nobody can tell how long ago it was: whoever
    waits for it to grow old would wait until the clock catches up, and nobody would be alarmed.
    """
    return moment - now > AHEAD


def is_late(last_at: datetime, *, patience: timedelta, now: datetime) -> bool:
    """Say whether what should come again is overdue; `last_at` is the last one's, or the
    beginning.
    """
    return now - last_at > patience or is_ahead(last_at, now)


def step_between(before: Reading, after: Reading) -> timedelta:
    """Return how far the wall clock was moved between two readings; zero when not noticeable."""
    passed = timedelta(seconds=after.steady - before.steady)
    return noticeable(after.wall - before.wall - passed)


def step_back_since(last_at: datetime | None, wall: datetime) -> timedelta:
    """Return how far (negative) the clock stands behind the log's last time, or zero."""
    if last_at is None or wall >= last_at:
        return timedelta(0)
    return noticeable(wall - last_at)


def noticeable(step: timedelta) -> timedelta:
    """Return the step, or zero when it is too small to tell anybody."""
    return step if abs(step) > NOTICEABLE else timedelta(0)
