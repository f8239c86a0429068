"""The time zones that a workspace may have."""

from functools import lru_cache
from zoneinfo import available_timezones

AREAS = (
    "Africa/",
    "America/",
    "Antarctica/",
    "Arctic/",
    "Asia/",
    "Atlantic/",
    "Australia/",
    "Europe/",
    "Indian/",
    "Pacific/",
)


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """Return the IANA names of places, sorted, after UTC. Abbreviations such as EST are left out:
    they say nothing about summer time.
    """
    return ("UTC", *sorted(name for name in available_timezones() if name.startswith(AREAS)))
