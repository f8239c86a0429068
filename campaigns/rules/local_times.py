"""What people type as days, times and durations, in the workspace's zone."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_PART = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*(days?|d|hours?|h|minutes?|min|m)\s*", re.IGNORECASE)
_CLOCK = re.compile(r"\s*(\d{1,4}):([0-5]\d)\s*")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
MINUTE = timedelta(minutes=1)


class TimeRefused(ValueError):
    """A local time or a duration that does not exist; the sentence says why."""


def to_utc(day: date, at: time, zone: str) -> datetime:
    """Return the instant of a local time. One that happens twice is its first.

    Raises TimeRefused for a time that the change of clocks leaves out.
    """
    local = datetime.combine(day, at, ZoneInfo(zone))
    instant = local.astimezone(UTC)
    if instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise TimeRefused(
            f"On {day:%-d %b %Y} the clocks go forward and {at:%H:%M} does not happen."
            " Choose another time."
        )
    return instant


def whole_minute(at: datetime, *, is_up: bool) -> datetime:
    """Return the minute at or after an instant, or the one at or before it."""
    floor = at.replace(second=0, microsecond=0)
    return floor + MINUTE if is_up and floor < at else floor


def read_duration(text: str) -> timedelta:
    """Return the duration in `2:30`, `2 h 30 min`, `1 d` or `150 min`. Raises TimeRefused."""
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        found = timedelta(hours=int(clock[1]), minutes=int(clock[2]))
    else:
        found = sum((_part(match) for match in _parts(text)), timedelta())
    if found <= timedelta():
        raise TimeRefused("Type a duration such as 2 h 30 min.")
    return found


def _parts(text: str) -> list[re.Match[str]]:
    matches = list(_PART.finditer(text))
    if "".join(match[0] for match in matches) != text:
        raise TimeRefused(f"“{text}” is no duration. Type it as 2 h 30 min or 2:30.")
    return matches


def _part(match: re.Match[str]) -> timedelta:
    return float(match[1].replace(",", ".")) * _UNITS[match[2][0].lower()]


def write_duration(duration: timedelta) -> str:
    """Write a duration as `read_duration` reads it, to the minute."""
    minutes = round(duration.total_seconds() / 60)
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    return " ".join(f"{n} {unit}" for n, unit in parts if n) or "0 min"
