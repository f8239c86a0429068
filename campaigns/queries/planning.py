"""What a plan comes to in words: the arithmetic, whether it fits its route, who else is on it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, F, OuterRef, Q, Subquery, Sum
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Campaign, Mode
from campaigns.queries.counting import Estimate
from campaigns.queries.plans import daily_of, plan_of
from campaigns.rules import calculator
from campaigns.rules.campaign_states import State
from campaigns.rules.local_times import write_duration
from smpp_client.models import Route, RouteConnection
from smpp_client.rules.pace import Plan, PlanRefused
from workspaces.models import Workspace

AT_WORK = (State.APPROVED, State.SCHEDULED, State.SENDING, State.PAUSED, State.HELD)


@dataclass(frozen=True)
class RouteOption:
    """A route that a workspace may use; `rate` is what its enabled connections carry together, in
    segments/s. Backups are not among them: they carry only while no other one is up.
    """

    pk: int
    name: str
    rate: int
    connection_count: int

    @property
    def words(self) -> str:
        """What it is, in one line."""
        if not self.rate:
            return _("No connection of it takes traffic now.")
        words = ngettext(
            "%(n)s connection, up to %(rate)s segments/s.",
            "%(n)s connections, up to %(rate)s segments/s.",
            self.connection_count,
        )
        return words % {"n": self.connection_count, "rate": f"{self.rate:,}"}


@dataclass(frozen=True)
class Other:
    """A campaign of the same workspace on the same route at the same time; `rate` is None where it
    goes as fast as it can.
    """

    number: int
    name: str
    starts_at: datetime | None
    ends_at: datetime | None
    rate: float | None


@dataclass(frozen=True)
class Fit:
    """Whether a plan fits its route; None while that cannot be said."""

    is_fitting: bool | None
    sentence: str


def routes_of(workspace: Workspace) -> list[RouteOption]:
    """Return the routes that a workspace may use, by name."""
    usable = RouteConnection.objects.filter(
        route=OuterRef("pk"), weight__gt=0, connection__is_enabled=True
    )
    taking = Q(
        route_connections__weight__gt=0,
        route_connections__connection__is_enabled=True,
        route_connections__tier=F("first_tier"),
    )
    found = (
        Route.objects.filter(grants__workspace=workspace)
        .annotate(first_tier=Subquery(usable.order_by("tier").values("tier")[:1]))
        .annotate(
            rate=Sum("route_connections__connection__rate", filter=taking),
            count=Count("route_connections", filter=taking),
        )
        .order_by("name")
    )
    return [RouteOption(one.pk, one.name, one.rate or 0, one.count) for one in found]


def others_on(campaign: Campaign, now: datetime) -> list[Other]:
    """Return the workspace's other approved campaigns whose window meets this one's, on the same
    route.
    """
    if campaign.route_id is None:
        return []
    begins = campaign.starts_at or now
    found = Campaign.objects.filter(
        workspace=campaign.workspace_id,
        route=campaign.route_id,
        state__in=[state.value for state in AT_WORK],
        deleted_at=None,
    ).exclude(pk=campaign.pk)
    found = found.filter(Q(ends_at=None) | Q(ends_at__gt=max(begins, now)))
    if campaign.ends_at is not None:
        found = found.filter(Q(starts_at=None) | Q(starts_at__lt=campaign.ends_at))
    return [_other(one) for one in found.order_by("starts_at", "pk")[:10]]


def _other(campaign: Campaign) -> Other:
    rate: float | None = None
    if campaign.mode == Mode.SPREAD:
        try:
            rate = plan_of(campaign).rate
        except PlanRefused:
            rate = None
    elif campaign.rate_ceiling is not None:
        rate = float(campaign.rate_ceiling)
    return Other(
        campaign.number,
        campaign.name or str(campaign),
        campaign.starts_at,
        campaign.ends_at,
        rate,
    )


def rate_text(rate: float) -> str:
    """Write a rate for reading."""
    return f"{rate:,.1f}" if rate >= 0.1 else f"{rate:,.3f}"


def arithmetic(known: calculator.Sum, *, is_exact: bool) -> str:
    """Return how a spread's rate came about, in words; what is missing where it did not."""
    if not known.total:
        return _("Choose the text and the recipients first: the rate follows from them.")
    plan = calculator.plan_of_sum(known)
    if plan is None:
        return _("Type two of start, finish and rate; the third follows.")
    about = "" if is_exact else _("About") + " "
    words = _(
        "%(about)s%(total)s segments in %(seconds)s s%(windows)s is %(rate)s each second,"
        " about %(minute)s a minute. After a stoppage it catches up at %(cap)s/s at most"
        " (1.25 × plan)."
    )
    return words % {
        "about": about,
        "total": f"{known.total:,}",
        "seconds": f"{plan.open.seconds:,.0f}",
        "windows": _windows(len(plan.open.starts)),
        "rate": rate_text(plan.rate),
        "minute": f"{plan.rate * 60:,.0f}",
        "cap": rate_text(plan.cap),
    }


def _windows(count: int) -> str:
    if count < 2:
        return ""
    return " " + _("of %(n)s daily windows") % {"n": count}


def at_rate(total: int, ceiling: float | None, route_rate: int) -> str:
    """Return how long a campaign without a window takes, in words."""
    if not total:
        return _("Choose the text and the recipients first: the time follows from them.")
    if not route_rate and ceiling is None:
        return _("Choose a route: the time follows from what it carries.")
    rate = min(ceiling or route_rate, route_rate or ceiling or 1)
    words = _("%(total)s segments at %(rate)s/s take about %(time)s, if the route is free.")
    return words % {
        "total": f"{total:,}",
        "rate": rate_text(rate),
        "time": write_duration(timedelta(seconds=max(total / rate, 60))),
    }


def fit_of(
    known: calculator.Sum, route: RouteOption | None, others: Sequence[Other], zone: str
) -> Fit:
    """Return whether a spread fits what its route carries beside the workspace's own campaigns."""
    if route is None:
        return Fit(None, _("Choose a route to see whether it fits."))
    if known.rate is None:
        return Fit(None, "")
    if not route.rate:
        return Fit(False, _("The route %(route)s carries nothing now.") % {"route": route.name})
    beside = sum(one.rate or 0 for one in others)
    peak = known.rate + beside
    figures = {
        "rate": rate_text(known.rate),
        "peak": rate_text(peak),
        "share": f"{100 * peak / route.rate:,.0f}"
        if peak >= route.rate / 100
        else _("less than 1"),
        "all": f"{route.rate:,}",
        "route": route.name,
    }
    if peak > route.rate:
        return Fit(False, _too_much(known, route, figures, zone, beside=beside))
    if beside:
        words = _(
            "Together with your workspace's other campaigns the peak is %(peak)s/s, %(share)s %% of"
            " the %(all)s/s that %(route)s carries."
        )
    else:
        words = _("%(rate)s/s is %(share)s %% of the %(all)s/s that %(route)s carries.")
    return Fit(True, words % figures)


def _too_much(
    known: calculator.Sum,
    route: RouteOption,
    figures: dict[str, str],
    zone: str,
    *,
    beside: float,
) -> str:
    words = _("%(peak)s/s is more than the %(all)s/s that %(route)s carries.") % figures
    free = route.rate - beside
    if free <= 0 or known.starts_at is None:
        return words + " " + _("Choose another time or route.")
    try:
        end = calculator.solved(
            calculator.Sum(
                known.total,
                starts_at=known.starts_at,
                rate=free,
                daily=known.daily,
                unknown=calculator.Unknown.END,
            )
        ).ends_at
    except PlanRefused:
        return words
    local = end.astimezone(ZoneInfo(zone)) if end else None
    when = date_format(local, "j M H:i") if local else ""
    return (
        words
        + " "
        + _("At %(free)s/s it would end at %(time)s.")
        % {
            "free": rate_text(free),
            "time": when,
        }
    )


def known_of(campaign: Campaign, estimate: Estimate | None) -> calculator.Sum:
    """Return what is known of a spread as it is saved, with its rate where that can be said."""
    known = calculator.Sum(
        estimate.segment_total if estimate else 0,
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
    )
    try:
        return calculator.solved(replace(known, daily=daily_of(campaign)))
    except PlanRefused:
        return known


def spread_of(campaign: Campaign, estimate: Estimate | None) -> Plan | None:
    """Return the plan of a spread as it is saved; None while something is missing or wrong."""
    try:
        return calculator.plan_of_sum(known_of(campaign, estimate))
    except PlanRefused:
        return None


def fit(campaign: Campaign, estimate: Estimate | None, now: datetime) -> Fit | None:
    """Return whether a spread fits its route; None for other modes and unfinished plans."""
    if campaign.mode != Mode.SPREAD or campaign.route_id is None:
        return None
    known = known_of(campaign, estimate)
    if known.rate is None:
        return None
    route = next(
        (one for one in routes_of(campaign.workspace) if one.pk == campaign.route_id), None
    )
    return fit_of(known, route, others_on(campaign, now), campaign.workspace.zone)
