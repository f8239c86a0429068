"""How fast a campaign goes against its plan, and when it ends at today's rate."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import inf, isinf

from django.db.models import Sum
from django.utils.translation import gettext as _

from campaigns.models import Batch, Campaign, Mode, Progress, RateSample
from campaigns.queries.plans import plan_of
from campaigns.rules.campaign_states import RUNNING, State
from smpp_client.models import RouteConnection
from smpp_client.rules.pace import Anchor, Due, Plan, PlanRefused, curve, due, forecast
from smpp_client.rules.segments import MAX_PARTS

# The rate of now is a mean over this many whole seconds; of slow campaigns over the longer one.
RATE_SECONDS = 10
SLOW_RATE_SECONDS = 60
SLOW = 2.0
# What is nearer to its plan than this many seconds of it, or than this share of it, is on plan: a
# start some seconds late is made up for by the end and worries nobody.
ON_PLAN_SECONDS = 3.0
ON_PLAN_SHARE = 0.005
STARTED = RUNNING | {State.COMPLETED, State.CANCELLED, State.EXPIRED}


@dataclass(frozen=True)
class End:
    """When the last segment goes out, at which rate, and how many would not; None is not known."""

    at: datetime | None = None
    rate: float | None = None
    left_over: int = 0


@dataclass(frozen=True)
class Pace:
    """How fast it goes. Rates are in segments/s; None is not known or has no meaning.

    `behind` counts segments that the plan wanted by now and that were not claimed (negative:
    ahead). `ends_at` is a forecast at `rate_ahead`; None with `is_fitting` False says that
    `left_over` segments will not fit. `in_flight`, `window` and `total` count segments.
    """

    rate_now: float | None = None
    rate_plan: float | None = None
    rate_mean: float | None = None
    rate_by_hand: float | None = None
    behind: int | None = None
    rate_ahead: float | None = None
    ends_at: datetime | None = None
    left_over: int = 0
    in_flight: int = 0
    window: int | None = None
    total: int = 0

    @property
    def texts(self) -> dict[str, str]:
        """The rates as people read them, by what they are: now, plan, mean, by_hand."""
        rates = {
            "now": self.rate_now,
            "plan": self.rate_plan,
            "mean": self.rate_mean,
            "by_hand": self.rate_by_hand,
        }
        return {name: about(rate) for name, rate in rates.items()}

    @property
    def is_fitting(self) -> bool:
        """Whether everything goes out before the window ends."""
        return self.left_over == 0

    @property
    def is_on_plan(self) -> bool:
        """Whether it is where the plan wants it, a few seconds or half a percent aside."""
        slack = max(ON_PLAN_SECONDS * (self.rate_plan or 0), ON_PLAN_SHARE * self.total, 2)
        return self.behind is not None and abs(self.behind) <= slack

    @property
    def ahead(self) -> int:
        """Segments ahead of the plan."""
        return -(self.behind or 0)


def about(rate: float | None) -> str:
    """Write a rate as people read it: one digit behind the point, two that count below one."""
    if rate is None:
        return _("not known")
    return f"{rate:,.1f}" if rate >= 1 or rate < 0.0005 else f"{rate:.2g}"


def in_digits(rate: Decimal) -> str:
    """Write an exact rate with its thousands apart and without idle zeros."""
    return f"{rate.normalize():,f}"


def pace_of(campaign: Campaign, progress: Progress | None, now: datetime) -> Pace:
    """Return the pace of a campaign that has a frozen audience or accepts messages."""
    if progress is None:
        return Pace()
    plan = _plan(campaign)
    if campaign.mode == Mode.TRIGGER or plan is None:
        rate_now = _rate_now(campaign, None, now)
        return Pace(rate_now=rate_now, in_flight=in_flight(campaign), window=_window(campaign))
    owed = _owed(campaign, plan, progress, now)
    rate_now = _rate_now(campaign, plan.rate, now)
    end = _end(campaign, plan, progress, owed, rate_now, now)
    by_hand = campaign.runtime_rate
    return Pace(
        rate_now=rate_now,
        rate_plan=None if isinf(plan.rate) else plan.rate,
        rate_mean=_rate_mean(campaign, plan, progress, now),
        rate_by_hand=float(by_hand) if by_hand is not None else None,
        behind=_behind(campaign, plan, progress, now),
        rate_ahead=end.rate,
        ends_at=end.at,
        left_over=end.left_over,
        in_flight=in_flight(campaign),
        window=_window(campaign),
        total=plan.total,
    )


def _plan(campaign: Campaign) -> Plan | None:
    try:
        return plan_of(campaign)
    except PlanRefused:
        return None


def _owed(campaign: Campaign, plan: Plan, progress: Progress, now: datetime) -> Due:
    return due(
        plan,
        now,
        progress.claimed_segments,
        anchor=_anchor(progress),
        limit=float(campaign.runtime_rate) if campaign.runtime_rate is not None else inf,
        longest=MAX_PARTS,
    )


def _anchor(progress: Progress) -> Anchor | None:
    if progress.paced_from_at is None:
        return None
    return Anchor(progress.paced_from_at, progress.paced_from_segments)


def _rate_now(campaign: Campaign, planned: float | None, now: datetime) -> float | None:
    """Return the mean rate over the last whole seconds; 0 while nothing is sent."""
    if campaign.state != State.SENDING or campaign.started_at is None:
        return 0.0 if campaign.state in RUNNING else None
    is_slow = planned is not None and planned < SLOW
    this_second = int(now.timestamp())
    since_start = this_second - int(campaign.started_at.timestamp())
    seconds = max(1, min(SLOW_RATE_SECONDS if is_slow else RATE_SECONDS, since_start))
    claimed = RateSample.objects.filter(
        campaign=campaign, second__gte=this_second - seconds, second__lt=this_second
    ).aggregate(sum=Sum("claimed"))["sum"]
    return (claimed or 0) / seconds


def _rate_mean(campaign: Campaign, plan: Plan, progress: Progress, now: datetime) -> float | None:
    """Return the mean over the open time since the start."""
    if campaign.started_at is None:
        return None
    until = campaign.finished_at or now
    passed = plan.open.until(until) - plan.open.until(campaign.started_at)
    return progress.claimed_segments / passed if passed >= 1 else None


def _behind(campaign: Campaign, plan: Plan, progress: Progress, now: datetime) -> int | None:
    if isinf(plan.rate) or campaign.state not in RUNNING:
        return None
    return round(curve(plan, now)) - progress.claimed_segments


def _end(
    campaign: Campaign,
    plan: Plan,
    progress: Progress,
    owed: Due,
    rate_now: float | None,
    now: datetime,
) -> End:
    """Return the forecast at today's rate.

    Before the start the plan's own end is told; of a campaign that stands still nothing is known.
    """
    left = max(plan.total - progress.claimed_segments, 0)
    if campaign.state not in STARTED:
        return End(campaign.ends_at or forecast(plan, now, 0))
    if campaign.state != State.SENDING:
        return End()
    if not left or owed.rate == 0:
        return End(now, owed.rate)
    rate = _likely_rate(owed.rate, rate_now, plan, now)
    if not rate:
        return End()
    passed = plan.open.until(now)
    fitting = (plan.open.seconds - passed) * rate
    if left > fitting + 1:
        return End(None, rate, round(left - fitting))
    return End(max(now, plan.open.instant(passed + left / rate, is_end=True)), rate)


def _likely_rate(owed: float, rate_now: float | None, plan: Plan, now: datetime) -> float | None:
    """Return the rate to count on: what the plan asks for, or less where less goes out.

    In closed hours nothing goes out now, and the plan's rate is what will.
    """
    if not rate_now or not plan.open.contains(now):
        return None if isinf(owed) else owed
    return rate_now if isinf(owed) or rate_now < 0.9 * owed else owed


def in_flight(campaign: Campaign) -> int:
    """Return how many segments of a campaign are claimed and have no outcome yet."""
    found = Batch.objects.filter(campaign=campaign, closed_at=None)
    return found.aggregate(sum=Sum("open_count"))["sum"] or 0


def _window(campaign: Campaign) -> int | None:
    """Return how many segments may wait for answers over the whole route; None without one."""
    parts = RouteConnection.objects.filter(
        route=campaign.route, weight__gt=0, connection__is_enabled=True
    )
    found: int | None = parts.aggregate(sum=Sum("connection__window"))["sum"]
    return found
