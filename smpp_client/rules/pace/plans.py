"""How much of a campaign is due.

A plan is a cumulative curve over open time, so what may be claimed is the curve less what was
claimed: it holds over processes and restarts with nothing but the row. After an outage the curve
starts again from an anchor (an instant and a count, two columns of the campaign's row) with what
remains over the time that remains, and in no second more than 1.25 times the plan; what does not
fit stays.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from smpp_client.rules.pace.windows import LONGEST, Daily, OpenTime, PlanRefused, open_time

# A spread may catch up to this multiple of its rate in any second, one message aside.
CATCH_UP: Final = 1.25
# What an irregular tick may add to one second. Whoever claims more seldom than every 100 ms loses
# some of the rate while catching up, and nothing otherwise.
TICK: Final = 0.1
# By so much may the clocks of several senders differ.
STEPPED: Final = timedelta(seconds=2)
# A stall this long loses nothing, inside the cap.
STALL: Final = 0.2
# The curve ends a little before the window, so that the last claims still fall inside it, after a
# moment in which the machine stood still too: most of the percent by which a plan may end early,
# but not less than 0.3 s (a tenth in the shortest windows) nor more than 2 s.
TAIL_SHARE: Final = 0.009
TAIL_SHORTEST: Final = 0.3
TAIL_LONGEST: Final = 2.0
TAIL_LARGEST_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    """Segments to claim over open time at a rate; `cap` is the most in any second, one message
    aside. Both are infinite for a plan that sends as fast as the connection allows.

    `is_spread` plans fill their time; others keep to their rate and may end early or late.
    """

    total: int
    open: OpenTime
    rate: float
    cap: float
    is_spread: bool


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where the curve starts: at this instant it stands at this count."""

    at: datetime
    claimed: float


@dataclass(frozen=True, slots=True)
class Due:
    """How many segments may be claimed now, at which rate the curve climbs, and its anchor.

    When `is_moved`, the anchor is new and has to be stored with the claim.
    """

    segments: int
    rate: float
    anchor: Anchor
    is_moved: bool


def spread(total: int, open_: OpenTime) -> Plan:
    """Plan an even spread over all open time."""
    rate = _checked(total) / _working(open_.seconds)
    return Plan(total, open_, rate, rate * CATCH_UP, is_spread=True)


def steady(total: int, open_: OpenTime, rate: float) -> Plan:
    """Plan a rate that is never made up for: an approved rate is a ceiling."""
    return Plan(_checked(total), open_, _checked_rate(rate), rate * (1 + TICK), is_spread=False)


def at_once(total: int, open_: OpenTime) -> Plan:
    """Plan everything at the first open instant; the connection's rate decides."""
    return Plan(_checked(total), open_, math.inf, math.inf, is_spread=False)


def curve(plan: Plan, now: datetime) -> float:
    """Return how many segments the plan wants claimed by now when nothing goes wrong."""
    passed = plan.open.until(now)
    if passed <= 0:
        return 0.0
    return min(float(plan.total), plan.rate * passed)


def due(
    plan: Plan,
    now: datetime,
    claimed: int,
    *,
    anchor: Anchor | None = None,
    limit: float = math.inf,
    longest: int = 1,
) -> Due:
    """Return what may be claimed now.

    `anchor` is the stored one, None for a plan that was never late. `limit` is a rate that a person
    set for slowing down. A claim takes whole messages and may pass what is due by at most
    `longest` - 1 segments, the next ones wait for it.
    """
    kept = anchor or Anchor(plan.open.starts_at, 0.0)
    rate = _rate_from(plan, kept, limit)
    if not plan.open.contains(now):
        return Due(0, rate, kept, is_moved=False)
    if math.isinf(rate):
        return Due(max(plan.total - claimed, 0), rate, kept, is_moved=False)
    late = _height(plan, kept, rate, now) - claimed
    # An anchor in the future is from before the clock was set back: that could be hours away.
    is_ahead = anchor is not None and anchor.at - now > STEPPED
    if late > _burst(plan, rate) or late < -longest or is_ahead:
        kept = _restart(plan, now, claimed, limit, is_late=late > 0)
        rate = _rate_from(plan, kept, limit)
        late = kept.claimed - claimed
    segments = min(math.floor(late + 1e-6), plan.total - claimed)
    return Due(max(segments, 0), rate, kept, is_moved=kept not in (anchor, _first(plan)))


def forecast(
    plan: Plan,
    now: datetime,
    claimed: int,
    *,
    anchor: Anchor | None = None,
    limit: float = math.inf,
) -> datetime | None:
    """Return when the last segment will be due at today's rate; None when it does not fit."""
    rate = due(plan, now, claimed, anchor=anchor, limit=limit).rate
    left = max(plan.total - claimed, 0)
    # A rate of zero says that all of it is due already.
    passed = plan.open.until(now) + (left / rate if rate > 0 else 0.0)
    return None if passed > plan.open.seconds else max(now, plan.open.instant(passed, is_end=True))


def rate_for_end(total: int, start: datetime, end: datetime, daily: Daily | None = None) -> float:
    """Return the rate that spreads `total` from start to end. Raises PlanRefused."""
    return spread(total, open_time(start, end, daily)).rate


def end_for_rate(total: int, rate: float, start: datetime, daily: Daily | None = None) -> datetime:
    """Return the end of a plan of this rate. Raises PlanRefused beyond 366 days."""
    open_ = open_time(start, start + LONGEST, daily)
    return open_.instant(_needed(total, rate, open_), is_end=True)


def start_for_rate(total: int, rate: float, end: datetime, daily: Daily | None = None) -> datetime:
    """Return the latest start of a plan of this rate. Raises PlanRefused beyond 366 days."""
    open_ = open_time(end - LONGEST, end, daily)
    return open_.instant(open_.seconds - _needed(total, rate, open_))


def _first(plan: Plan) -> Anchor:
    return Anchor(plan.open.starts_at, 0.0)


def _rate_from(plan: Plan, anchor: Anchor, limit: float) -> float:
    """Return the rate of the curve that starts at this anchor."""
    if not plan.is_spread:
        return min(plan.rate, limit)
    left = _working(plan.open.seconds) - plan.open.until(anchor.at)
    wanted = (plan.total - anchor.claimed) / left if left > 0 else math.inf
    return min(max(wanted, 0.0), _fastest(plan, limit))


def _height(plan: Plan, anchor: Anchor, rate: float, now: datetime) -> float:
    passed = plan.open.until(now) - plan.open.until(anchor.at)
    return min(float(plan.total), anchor.claimed + rate * max(passed, 0.0))


def _burst(plan: Plan, rate: float) -> float:
    """Return what may be due at once: one message and a stall's worth, as far as the cap goes.

    With a rate of at most `_fastest` any second then carries at most the cap and one message.
    """
    return 1.0 + max(min(STALL * rate, plan.cap - rate), 0.0)


def _fastest(plan: Plan, limit: float) -> float:
    return min(plan.cap / (1 + TICK), limit)


def _restart(plan: Plan, now: datetime, claimed: int, limit: float, *, is_late: bool) -> Anchor:
    """Start the curve again from here, with one burst of what was missed."""
    burst = _burst(plan, _fastest(plan, limit)) if is_late else 0.0
    return Anchor(now.astimezone(UTC), min(claimed + burst, float(plan.total)))


def _working(seconds: float) -> float:
    """Return the open seconds without their tail."""
    tail = min(max(seconds * TAIL_SHARE, TAIL_SHORTEST), TAIL_LONGEST)
    return seconds - min(tail, seconds * TAIL_LARGEST_SHARE)


def _needed(total: int, rate: float, open_: OpenTime) -> float:
    """Return the open seconds whose working part holds `total` at `rate`: `_working` reversed."""
    work = _checked(total) / _checked_rate(rate)
    needed = max(min(work / (1 - TAIL_SHARE), work + TAIL_LONGEST), work + TAIL_SHORTEST)
    needed = min(needed, work / (1 - TAIL_LARGEST_SHARE))
    if needed > open_.seconds:
        raise PlanRefused("At this rate it would take longer than 366 days.")
    return needed


def _checked(total: int) -> int:
    if total < 1:
        raise PlanRefused("There is nothing to send.")
    return total


def _checked_rate(rate: float) -> float:
    if not 0 < rate < math.inf:
        raise PlanRefused("The rate has to be above zero.")
    return rate
