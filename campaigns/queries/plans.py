"""A campaign's plan as arithmetic: what smpp_client.rules.pace makes of its columns."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import ROUND_UP, Decimal

from campaigns.models import Campaign, Mode
from smpp_client.rules.pace import Daily, OpenTime, Plan, at_once, open_time, spread, steady

LONGEST = timedelta(days=365)
MILLI = Decimal("0.001")


@dataclass(frozen=True)
class PlanRow:
    """A plan's columns by value, for the calculator of a draft and for the sender's own query."""

    mode: str
    starts_at: datetime | None
    ends_at: datetime | None
    started_at: datetime | None
    approved_at: datetime | None
    created_at: datetime
    daily_from: time | None
    daily_until: time | None
    zone: str
    segment_total: int
    rate_ceiling: Decimal | None


def daily_of(row: Campaign | PlanRow) -> Daily | None:
    """Return the daily window, or None.

    Raises PlanRefused when it opens and closes at the same time.
    """
    if row.daily_from is None or row.daily_until is None:
        return None
    return Daily(row.daily_from, row.daily_until, row.zone)


def open_of(row: Campaign | PlanRow) -> OpenTime:
    """Return when a campaign may send. Raises PlanRefused where its window is never open."""
    start = row.starts_at or row.started_at or row.approved_at or row.created_at
    return open_time(start, row.ends_at or start + LONGEST, daily_of(row))


def plan_of(row: Campaign | PlanRow) -> Plan:
    """Return the plan of a campaign with at least one segment. Raises PlanRefused.

    A spread fills its window; a ceiling on any other mode is a rate that is never made up for;
    without one the
    connection's rate decides. A trigger's messages are due when they come.
    """
    open_ = open_of(row)
    total = max(row.segment_total, 1)
    if row.mode == Mode.SPREAD:
        return spread(total, open_)
    if row.rate_ceiling is not None and row.mode != Mode.TRIGGER:
        return steady(total, open_, float(row.rate_ceiling))
    return at_once(total, open_)


def ceiling_of(row: Campaign | PlanRow) -> Decimal | None:
    """Return the rate that an approval covers: a spread's catch-up limit, or the author's own
    ceiling.
    """
    if row.mode != Mode.SPREAD:
        return row.rate_ceiling
    return Decimal(repr(plan_of(row).cap)).quantize(MILLI, rounding=ROUND_UP)
