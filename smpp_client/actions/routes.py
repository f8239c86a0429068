"""Routes: named, weighted, granted to workspaces."""

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from smpp_client.actions.noting import Caller, note, route_obj
from smpp_client.models import Connection, Route, RouteConnection, RouteGrant
from smpp_client.queries.connection_settings import name_faults
from workspaces.models import Workspace
from workspaces.rules.refusal import Refusal

HIGHEST_WEIGHT = 1_000

# Name of a connection -> its weight; 0 keeps it in the route without new traffic.
Weights = Mapping[str, int]


class RouteRefused(Refusal):
    """A route cannot be as asked."""

    code = "route_refused"


class NoSuchRoute(RouteRefused):
    """There is no route of this name."""

    code = "not_found"


def create_route(*, name: str, weights: Weights, by: Caller, now: datetime) -> Route:
    """Make a route over connections. No workspace may use it yet. Raises RouteRefused."""
    for fault in name_faults(name):
        raise RouteRefused(fault.sentence, field=fault.field)
    connections = _connections(weights)
    route = Route(name=name, created_at=now)
    try:
        with transaction.atomic(durable=True):
            route.save(force_insert=True)
            _store(route, connections, weights)
            diff = {"name": (None, name), "weights": (None, dict(weights))}
            note(by, "route.create", route_obj(route), now=now, diff=diff)
    except IntegrityError as error:
        raise RouteRefused(_("Another route has this name."), field="name") from error
    return route


def set_weights(*, name: str, weights: Weights, by: Caller, now: datetime) -> None:
    """Say anew which connections a route has, and how much of its traffic each takes.

    Raises RouteRefused, NoSuchRoute.
    """
    connections = _connections(weights)
    with transaction.atomic(durable=True):
        route = _lock(name)
        before = dict(
            RouteConnection.objects.filter(route=route).values_list("connection__name", "weight")
        )
        if before == dict(weights):
            return
        RouteConnection.objects.filter(route=route).delete()
        _store(route, connections, weights)
        diff = {"weights": (before, dict(weights))}
        note(by, "route.edit", route_obj(route), now=now, diff=diff)


def grant_route(*, name: str, workspace: Workspace, by: Caller, now: datetime) -> None:
    """Let a workspace use a route. Raises RouteRefused when it may already."""
    try:
        with transaction.atomic(durable=True):
            route = _lock(name)
            RouteGrant.objects.create(route=route, workspace=workspace, created_at=now)
            diff = {"workspace": (None, f"wsp_{workspace.pk}")}
            note(by, "route.grant", route_obj(route), now=now, diff=diff)
    except IntegrityError as error:
        raise RouteRefused(
            _("%(workspace)s may use %(route)s already.")
            % {"workspace": workspace.name, "route": name},
            field="workspace",
        ) from error


def revoke_route(*, name: str, workspace: Workspace, by: Caller, now: datetime) -> None:
    """Take a route from a workspace: from the next claim on its campaigns are held.

    Raises RouteRefused when it may not use it anyway.
    """
    with transaction.atomic(durable=True):
        route = _lock(name)
        taken, _rows = RouteGrant.objects.filter(route=route, workspace=workspace).delete()
        if not taken:
            raise RouteRefused(
                _("%(workspace)s does not have %(route)s any more.")
                % {"workspace": workspace.name, "route": name}
            )
        diff = {"workspace": (f"wsp_{workspace.pk}", None)}
        note(by, "route.revoke", route_obj(route), now=now, diff=diff)


def _lock(name: str) -> Route:
    route = Route.objects.select_for_update().filter(name=name).first()
    if route is None:
        raise NoSuchRoute(_("There is no route “%(name)s”.") % {"name": name})
    return route


def _connections(weights: Weights) -> dict[str, Connection]:
    """Return the connections of these weights by name. Raises RouteRefused."""
    found = {one.name: one for one in Connection.objects.filter(name__in=list(weights))}
    for name, weight in weights.items():
        if name not in found:
            raise RouteRefused(
                _("There is no connection “%(name)s”.") % {"name": name}, field="weights"
            )
        if not 0 <= weight <= HIGHEST_WEIGHT:
            raise RouteRefused(_("A weight is a number from 0 to 1000."), field="weights")
    if not any(weights.values()):
        raise RouteRefused(_("Give at least one connection a weight above 0."), field="weights")
    return found


def _store(route: Route, connections: Mapping[str, Connection], weights: Weights) -> None:
    RouteConnection.objects.bulk_create(
        RouteConnection(route=route, connection=connections[name], weight=weight)
        for name, weight in weights.items()
    )
