"""Routes with their connections, and who may use them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from smpp_client.models import Route, RouteConnection, RouteGrant
from smpp_client.queries.connections import Sight, sights_of
from workspaces.models import Workspace


@dataclass(frozen=True)
class Part:
    """A connection in a route. `share` is its part of the traffic while everything is up."""

    sight: Sight
    weight: int
    share: Fraction

    @property
    def percent(self) -> int:
        """The share in whole percent."""
        return round(self.share * 100)


@dataclass(frozen=True)
class RouteRow:
    """A route as its page shows it; workspaces by name."""

    route: Route
    parts: list[Part]
    workspaces: list[Workspace]

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
    return [
        RouteRow(
            route,
            _shares([part for part in parts if part.route_id == route.pk], seen),
            [grant.workspace for grant in grants if grant.route_id == route.pk],
        )
        for route in listed
    ]


def _shares(parts: list[RouteConnection], seen: dict[int, Sight]) -> list[Part]:
    total = sum(part.weight for part in parts) or 1
    return [
        Part(seen[part.connection_id], part.weight, Fraction(part.weight, total)) for part in parts
    ]


def ungranted(route: Route) -> list[Workspace]:
    """Return the workspaces that may not use a route, by name."""
    return list(Workspace.objects.exclude(route_grants__route=route).order_by("name"))
