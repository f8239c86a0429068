"""The chart of a campaign: what was sent each second against the plan, in at most 300 points."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil, isinf

from django.db import connection
from django.utils.translation import gettext as _

from campaigns.models import Campaign, Mode
from campaigns.queries.happenings import Happening
from campaigns.queries.pace import Pace, about
from campaigns.queries.plans import plan_of
from campaigns.rules.campaign_states import FINAL, State
from smpp_client.rules.pace import Plan, PlanRefused

POINTS = 300
TABLE_ROWS = 60
# Widths of a point in seconds: those that fall on round times.
WIDTHS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400, 604_800)
TRIGGER_HOURS = 24
# Nobody waits longer than this for a chart that moves, and none is asked for more often.
SLOWEST_SECONDS = 60
FASTEST_SECONDS = 2

CLAIMED = """
SELECT second / %(width)s * %(width)s AS at, sum(claimed)
FROM rate_sample
WHERE campaign_id = %(campaign)s AND second >= %(first)s AND second < %(last)s
GROUP BY 1
"""


@dataclass(frozen=True)
class Span:
    """What the chart shows: POSIX seconds from `first` to `last` in points of `width` seconds.

    Samples exist from `sampled_from` to `sampled_until`.
    """

    first: int
    last: int
    width: int
    sampled_from: int
    sampled_until: int

    @property
    def points(self) -> range:
        """The start of each point."""
        return range(self.first // self.width * self.width, self.last + 1, self.width)

    def covered(self, at: int) -> float:
        """Return how many seconds of the point at `at` are sampled."""
        return min(at + self.width, self.sampled_until) - max(at, self.sampled_from)


@dataclass(frozen=True)
class Point:
    """Some seconds of a campaign; rates in segments/s, None where there is none to tell."""

    at: datetime
    sent: float | None
    planned: float | None
    forecast: float | None
    segments: int

    @property
    def texts(self) -> dict[str, str]:
        """The rates of the table as people read them; "" where there is none."""
        rates = {"sent": self.sent, "planned": self.planned}
        return {name: "" if rate is None else about(rate) for name, rate in rates.items()}


@dataclass(frozen=True)
class Chart:
    """The points of a chart and what stands around them; `closed` in POSIX seconds."""

    points: Sequence[Point]
    closed: Sequence[tuple[int, int]]
    width: int
    catch_up: float | None
    by_hand: float | None
    now: datetime | None
    marks: Sequence[tuple[datetime, str, str]]

    @property
    def every(self) -> int:
        """After how many seconds the chart is asked for again; 0 when it will not change."""
        if self.now is None:
            return 0
        return min(max(self.width // 5, FASTEST_SECONDS), SLOWEST_SECONDS)


def chart_of(
    campaign: Campaign, pace: Pace, happenings: Sequence[Happening], now: datetime
) -> Chart | None:
    """Return the chart of a campaign that has started; None before."""
    span = _span(campaign, pace, now)
    if span is None:
        return None
    plan = _plan(campaign)
    is_moving = campaign.state not in FINAL
    points = list(_points(campaign, span, plan, pace if is_moving else None, now))
    has_rate = plan is not None and not isinf(plan.rate)
    return Chart(
        points=points,
        closed=_closed(plan, span),
        width=span.width,
        catch_up=plan.cap if plan is not None and plan.is_spread and has_rate else None,
        by_hand=pace.rate_by_hand,
        now=now if is_moving else None,
        marks=_marks(happenings),
    )


def _plan(campaign: Campaign) -> Plan | None:
    if campaign.mode == Mode.TRIGGER:
        return None
    try:
        return plan_of(campaign)
    except PlanRefused:
        return None


def _span(campaign: Campaign, pace: Pace, now: datetime) -> Span | None:
    if campaign.started_at is None:
        return None
    until = campaign.finished_at or now
    start = campaign.started_at
    if campaign.mode == Mode.TRIGGER:
        start = max(start, until - timedelta(hours=TRIGGER_HOURS))
    end = max(until, start + timedelta(seconds=30))
    if campaign.state not in FINAL and campaign.mode != Mode.TRIGGER:
        planned = campaign.ends_at if campaign.mode == Mode.SPREAD else None
        end = max(end, planned or end, pace.ends_at or end)
    first, last = int(start.timestamp()), ceil(end.timestamp())
    # The second under way is not whole yet.
    sampled_until = ceil(until.timestamp()) if campaign.finished_at else int(until.timestamp())
    return Span(first, last, _width(last - first), first, sampled_until)


def _width(seconds: int) -> int:
    wanted = seconds / (POINTS - 1)
    return WIDTHS[min(bisect_left(WIDTHS, wanted), len(WIDTHS) - 1)]


def _points(
    campaign: Campaign, span: Span, plan: Plan | None, pace: Pace | None, now: datetime
) -> Iterator[Point]:
    claimed = _claimed(campaign, span)
    for at in span.points:
        start = datetime.fromtimestamp(at, UTC)
        share = _open_share(plan, at, span.width)
        segments = claimed.get(at, 0)
        covered = span.covered(at)
        is_told = covered > 0 and (segments > 0 or share > 0)
        yield Point(
            at=start,
            sent=segments / covered if is_told else None,
            planned=_planned(plan, share),
            forecast=_forecast(pace, share, start, span.width, now),
            segments=segments,
        )


def _closed(plan: Plan | None, span: Span) -> list[tuple[int, int]]:
    """Return when the daily window was closed, within what the chart shows."""
    if plan is None:
        return []
    stops, starts = plan.open.stops[:-1], plan.open.starts[1:]
    gaps = [(max(a, span.first), min(b, span.last)) for a, b in zip(stops, starts, strict=True)]
    return [(int(a), int(b)) for a, b in gaps if a < b]


def _claimed(campaign: Campaign, span: Span) -> dict[int, int]:
    values = {
        "width": span.width,
        "campaign": campaign.pk,
        "first": span.first,
        "last": span.sampled_until,
    }
    with connection.cursor() as cursor:
        cursor.execute(CLAIMED, values)
        return {int(at): int(count) for at, count in cursor.fetchall()}


def _open_share(plan: Plan | None, at: int, width: int) -> float:
    """Return which part of a point lies in the open time of a plan."""
    if plan is None:
        return 1.0
    first, last = datetime.fromtimestamp(at, UTC), datetime.fromtimestamp(at + width, UTC)
    return (plan.open.until(last) - plan.open.until(first)) / width


def _planned(plan: Plan | None, share: float) -> float | None:
    if plan is None or isinf(plan.rate) or share <= 0:
        return None
    return plan.rate if share > 0.5 else None


def _forecast(
    pace: Pace | None, share: float, start: datetime, width: int, now: datetime
) -> float | None:
    """Return the rate to expect from now to the forecast's end."""
    if pace is None or pace.ends_at is None or share <= 0:
        return None
    end = start + timedelta(seconds=width)
    return pace.rate_ahead if end > now and start < pace.ends_at else None


def _marks(happenings: Sequence[Happening]) -> list[tuple[datetime, str, str]]:
    """Return the moments to draw a line at, with a short word and a colour."""
    words = {
        "campaign.pause": (_("Paused"), "warn"),
        "campaign.hold": (_("Held"), "bad"),
        "campaign.rate": (_("Rate"), "accent"),
        "lost": (_("Session lost"), "bad"),
    }
    return [(one.at, *words[one.kind]) for one in happenings if one.kind in words]


def table_of(chart: Chart) -> list[Point]:
    """Return the same numbers in at most 60 rows, without what has not happened yet."""
    told = [point for point in chart.points if point.sent is not None]
    step = max(1, ceil(len(told) / TABLE_ROWS))
    return [_merged(told[at : at + step]) for at in range(0, len(told), step)]


def _merged(points: Sequence[Point]) -> Point:
    sent = [point.sent for point in points if point.sent is not None]
    return Point(
        at=points[0].at,
        sent=sum(sent) / len(sent),
        planned=points[0].planned,
        forecast=None,
        segments=sum(point.segments for point in points),
    )


def in_words(chart: Chart, pace: Pace, state: State) -> str:
    """Return the chart as one sentence, for those who do not see it."""
    rates = [point.sent for point in chart.points if point.sent is not None]
    words = {
        "most": about(max(rates, default=0)),
        "now": about(pace.rate_now or 0),
        "plan": about(pace.rate_plan or 0),
        "mean": about(pace.rate_mean or 0),
    }
    if state in FINAL:
        return _("Segments per second: %(mean)s in the mean, at most %(most)s.") % words
    if pace.rate_plan is None:
        return _("Segments per second: %(now)s now, at most %(most)s.") % words
    return (
        _("Segments per second: %(now)s now, the plan is %(plan)s, at most %(most)s so far.")
        % words
    )
