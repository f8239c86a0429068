"""When sending is allowed: a span of time, or a daily window of local time inside one.

Local times become instants once, here. Where a clock change makes a local time happen twice or not
at all, the window shrinks and never grows: quiet hours fail closed.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LONGEST: Final = timedelta(days=366)
EDGE: Final = 1e-3  # seconds: what rounding may add around the edge of a window


class PlanRefused(ValueError):
    """The plan cannot be kept; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Daily:
    """A daily window of local time, from `opens` up to and without `closes`.

    When it closes earlier than it opens, it runs over midnight. Raises PlanRefused when both are
    the same or the zone is unknown.
    """

    opens: time
    closes: time
    zone: str

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise PlanRefused(f"There is no time zone “{self.zone}”.") from error
        if self.opens == self.closes:
            raise PlanRefused("The daily window opens and closes at the same time.")


@dataclass(frozen=True, slots=True)
class OpenTime:
    """Instants in which sending is allowed, as disjoint [start, stop) in POSIX seconds, in order.

    `before[i]` is the open time before `starts[i]`.
    """

    starts: tuple[float, ...]
    stops: tuple[float, ...]
    before: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """All open time."""
        return self.before[-1] + self.stops[-1] - self.starts[-1]

    @property
    def starts_at(self) -> datetime:
        """The first open instant."""
        return datetime.fromtimestamp(self.starts[0], UTC)

    @property
    def ends_at(self) -> datetime:
        """The instant after the last open one."""
        return datetime.fromtimestamp(self.stops[-1], UTC)

    def contains(self, now: datetime) -> bool:
        """Say whether sending is allowed now."""
        at = now.timestamp()
        index = bisect_right(self.starts, at) - 1
        return index >= 0 and at < self.stops[index]

    def until(self, now: datetime) -> float:
        """Return the open seconds before now."""
        at = now.timestamp()
        index = bisect_right(self.starts, at) - 1
        if index < 0:
            return 0.0
        return self.before[index] + min(at, self.stops[index]) - self.starts[index]

    def instant(self, seconds: float, *, is_end: bool = False) -> datetime:
        """Return the instant at which this much open time has passed, at most the end.

        Where that is both the end of one window and the start of the next, `is_end` says which.
        """
        if is_end:
            index = bisect_left(self.before, seconds - EDGE) - 1
        else:
            index = bisect_right(self.before, seconds + EDGE) - 1
        index = max(index, 0)
        at = self.starts[index] + max(seconds - self.before[index], 0.0)
        return datetime.fromtimestamp(min(at, self.stops[index]), UTC)


def open_time(start: datetime, end: datetime, daily: Daily | None = None) -> OpenTime:
    """Return when sending is allowed between two instants, at most 366 days apart.

    Raises PlanRefused when there is no such time.
    """
    if end <= start:
        raise PlanRefused("The end is not after the start.")
    if end - start > LONGEST:
        raise PlanRefused("A plan runs for at most 366 days.")
    first, last = start.timestamp(), end.timestamp()
    spans = [(first, last)] if daily is None else list(_daily_spans(start, end, daily))
    clipped = [(max(a, first), min(b, last)) for a, b in spans]
    kept = [(a, b) for a, b in clipped if a < b]
    if not kept:
        raise PlanRefused("The daily window never opens between start and end.")
    lengths = [b - a for a, b in kept]
    return OpenTime(
        starts=tuple(a for a, _ in kept),
        stops=tuple(b for _, b in kept),
        before=tuple(accumulate(lengths[:-1], initial=0.0)),
    )


def _daily_spans(start: datetime, end: datetime, daily: Daily) -> Iterator[tuple[float, float]]:
    zone = ZoneInfo(daily.zone)
    # From the day before: its window may run over midnight into the first day.
    day = start.astimezone(zone).date() - timedelta(days=1)
    last_day = end.astimezone(zone).date()
    over_midnight = timedelta(days=int(daily.closes <= daily.opens))
    while day <= last_day:
        opens = _instant(day, daily.opens, zone, is_opening=True)
        yield opens, _instant(day + over_midnight, daily.closes, zone, is_opening=False)
        day += timedelta(days=1)


def _instant(day: date, at: time, zone: ZoneInfo, *, is_opening: bool) -> float:
    """Return the instant of a local time.

    One that happens twice opens at its second and closes at its first; one that is skipped is the
    moment of the change.
    """
    first = datetime.combine(day, at, zone).replace(fold=0)
    second = first.replace(fold=1)
    if _offset(first) < _offset(second):
        return _change_between(second.timestamp(), first.timestamp(), zone)
    return (second if is_opening else first).timestamp()


def _offset(local: datetime) -> timedelta:
    return local.utcoffset() or timedelta()


def _change_between(low: float, high: float, zone: ZoneInfo) -> float:
    """Find the second at which the zone's offset changes, by halving."""
    before = _offset(datetime.fromtimestamp(low, zone))
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(datetime.fromtimestamp(middle, zone)) == before:
            low = middle
        else:
            high = middle
    return high
