"""Start, finish and rate of a spread: any two make the third."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from campaigns.rules.local_times import whole_minute
from smpp_client.rules.pace import (
    Daily,
    Plan,
    PlanRefused,
    end_for_rate,
    open_time,
    spread,
    start_for_rate,
)


class Unknown(StrEnum):
    """What is worked out from the other two."""

    RATE = "rate"
    END = "end"
    START = "start"


@dataclass(frozen=True)
class Sum:
    """What is known of a plan. `total` and `rate` are in segments and segments/s.

    `unknown` names what is worked out; what it holds before counts for nothing.
    """

    total: int
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    duration: timedelta | None = None
    rate: float | None = None
    daily: Daily | None = None
    unknown: Unknown = Unknown.RATE


def after_change(known: Sum, changed: str) -> Sum:
    """Return what is unknown once a person has typed into `changed`: start, end, duration, rate.

    What somebody types is not worked out any more; a duration moves the finish.
    """
    if changed == "rate" and known.unknown is Unknown.RATE:
        return replace(known, unknown=Unknown.END)
    if changed == "end" and known.unknown is Unknown.END:
        return replace(known, unknown=Unknown.RATE)
    if changed == "start" and known.unknown is Unknown.START:
        return replace(known, unknown=Unknown.RATE)
    if changed == "duration" and known.duration is not None:
        return _with_duration(known, known.duration)
    return known


def _with_duration(known: Sum, duration: timedelta) -> Sum:
    if known.starts_at is not None:
        end = known.starts_at + duration
        return replace(known, ends_at=end, unknown=Unknown.RATE)
    if known.ends_at is not None:
        return replace(known, starts_at=known.ends_at - duration, unknown=Unknown.RATE)
    return known


def solved(known: Sum) -> Sum:
    """Return the sum with the third worked out; times to the minute, on the side of being slower.

    Returns it as it is while one of the other two is missing. Raises PlanRefused.
    """
    if known.unknown is Unknown.RATE:
        known = _with_rate(known)
    elif known.unknown is Unknown.END:
        known = _with_end(known)
    else:
        known = _with_start(known)
    if known.starts_at is None or known.ends_at is None:
        return replace(known, duration=None)
    return replace(known, duration=known.ends_at - known.starts_at)


def _with_rate(known: Sum) -> Sum:
    plan = plan_of_sum(known)
    return replace(known, rate=plan.rate if plan else None)


def _with_end(known: Sum) -> Sum:
    if known.starts_at is None or known.rate is None or not known.total:
        return replace(known, ends_at=None)
    end = end_for_rate(known.total, known.rate, known.starts_at, known.daily)
    return replace(known, ends_at=whole_minute(end, is_up=True))


def _with_start(known: Sum) -> Sum:
    if known.ends_at is None or known.rate is None or not known.total:
        return replace(known, starts_at=None)
    start = start_for_rate(known.total, known.rate, known.ends_at, known.daily)
    return replace(known, starts_at=whole_minute(start, is_up=False))


def plan_of_sum(known: Sum) -> Plan | None:
    """Return the spread of a sum; None while something is missing. Raises PlanRefused."""
    if known.starts_at is None or known.ends_at is None:
        return None
    open_ = open_time(known.starts_at, known.ends_at, known.daily)
    return spread(known.total, open_) if known.total else None


__all__ = ["PlanRefused", "Sum", "Unknown", "after_change", "plan_of_sum", "solved"]
