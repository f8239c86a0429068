"""Routes with their connections, and who may use them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from smpp_client.models import Route, RouteConnection, RouteGrant, RouteRange, RouteShift
from smpp_client.queries.connections import Sight, sights_of
from smpp_client.rules.pace import Member, share_of
from smpp_client.rules.shifts import weights_at
from workspaces.models import Workspace


@dataclass(frozen=True)
class Part:
    """A connection in a route.

    `share` is its part of the traffic while everything is up, `part_now` (0 to 1) its part as the
    connections are seen now.
    """

    sight: Sight
    weight: int
    tier: int
    share: Fraction
    part_now: float

    @property
    def percent(self) -> int:
        """The share in whole percent."""
        return round(self.share * 100)

    @property
    def percent_now(self) -> int:
        """The part of now in whole percent."""
        return round(self.part_now * 100)

    @property
    def is_backup(self) -> bool:
        """Whether it takes traffic only while no connection of a lower tier is up."""
        return self.tier > 0


@dataclass(frozen=True)
class RouteRow:
    """A route as its page shows it; workspaces by name, ranges by prefix."""

    route: Route
    parts: list[Part]
    workspaces: list[Workspace]
    ranges: list[RouteRange]

    @property
    def up_count(self) -> int:
        """How many of its connections with a weight can send now."""
        return sum(part.sight.is_up for part in self.parts if part.weight)

    @property
    def used_count(self) -> int:
        """How many of its connections have a weight."""
        return sum(part.weight > 0 for part in self.parts)


def route_by(name: str) -> Route | None:
    """Return a route, or None."""
    return Route.objects.filter(name=name).first()


def route_rows(now: datetime) -> list[RouteRow]:
    """Return every route, by name."""
    return _rows(Route.objects.order_by("name"), now)


def route_row(route: Route, now: datetime) -> RouteRow:
    """Return one route."""
    return _rows([route], now)[0]


def routes_over(connection_id: int, now: datetime) -> list[RouteRow]:
    """Return the routes that a connection is part of, by name."""
    wanted = Route.objects.filter(route_connections__connection=connection_id).order_by("name")
    return _rows(wanted, now)


def _rows(routes: Iterable[Route], now: datetime) -> list[RouteRow]:
    listed = list(routes)
    parts = list(RouteConnection.objects.filter(route__in=listed).order_by("connection__name"))
    seen = sights_of({part.connection_id for part in parts}, now)
    grants = list(
        RouteGrant.objects.filter(route__in=listed)
        .select_related("workspace")
        .order_by("workspace__name")
    )
    ranges = list(
        RouteRange.objects.filter(route__in=listed).select_related("connection").order_by("prefix")
    )
    return [
        RouteRow(
            route,
            _shares([part for part in parts if part.route_id == route.pk], seen),
            [grant.workspace for grant in grants if grant.route_id == route.pk],
            [range_ for range_ in ranges if range_.route_id == route.pk],
        )
        for route in listed
    ]


def _shares(parts: list[RouteConnection], seen: dict[int, Sight]) -> list[Part]:
    first = min((part.tier for part in parts if part.weight), default=0)
    total = sum(part.weight for part in parts if part.tier == first) or 1
    members = [
        Member(part.connection_id, part.weight, part.tier, seen[part.connection_id].is_up)
        for part in parts
    ]
    return [
        Part(
            seen[part.connection_id],
            part.weight,
            part.tier,
            Fraction(part.weight if part.tier == first else 0, total),
            share_of(part.connection_id, members).part if seen[part.connection_id].is_up else 0.0,
        )
        for part in parts
    ]


@dataclass(frozen=True)
class Step:
    """A step of a shift: the weights it sets, by name of connection, and when."""

    percent: int
    at: datetime
    weights: list[int]
    is_made: bool


@dataclass(frozen=True)
class ShiftRow:
    """A planned shift as the page shows it; weights are in the order of `names`."""

    shift: RouteShift
    names: list[str]
    before: list[int]
    steps: list[Step]

    @property
    def is_running(self) -> bool:
        """Whether steps are still to come."""
        return self.shift.state == "running"

    @property
    def may_be_undone(self) -> bool:
        """Whether the weights can go back to where it began."""
        return self.shift.state != "undone"


def newest_shift(route: Route) -> ShiftRow | None:
    """Return the last shift of a route, or None."""
    shift = RouteShift.objects.filter(route=route).order_by("-pk").first()
    if shift is None:
        return None
    names = sorted(shift.from_weights)
    steps = []
    for index, percent in enumerate(shift.percents):
        weights = weights_at(shift.from_weights, shift.to_weights, percent)
        at = shift.begins_at + timedelta(seconds=index * shift.step_seconds)
        is_made = index < shift.applied_count
        steps.append(Step(percent, at, [weights[name] for name in names], is_made))
    return ShiftRow(shift, names, [shift.from_weights[name] for name in names], steps)


def ungranted(route: Route) -> list[Workspace]:
    """Return the workspaces that may not use a route, by name."""
    return list(Workspace.objects.exclude(route_grants__route=route).order_by("name"))
