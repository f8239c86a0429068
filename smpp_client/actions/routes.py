"""Routes: named, weighted, granted to workspaces."""

import re
from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.rules.events import Diff
from smpp_client.actions.noting import Caller, note, route_obj
from smpp_client.models import (
    Connection,
    Route,
    RouteConnection,
    RouteGrant,
    RouteRange,
    RouteShift,
    ShiftState,
)
from smpp_client.queries.connection_settings import name_faults
from smpp_client.rules.shifts import HIGHEST_WEIGHT
from workspaces.models import Workspace
from workspaces.rules.refusal import Refusal

HIGHEST_TIER = 9
PREFIX = re.compile(r"[1-9][0-9]{0,14}", re.ASCII)

# Name of a connection -> its weight; 0 keeps it in the route without new traffic.
Weights = Mapping[str, int]
# Name of a connection -> its tier; 0 is primary, and so is one that is not named.
Tiers = Mapping[str, int]


class RouteRefused(Refusal):
    """A route cannot be as asked."""

    code = "route_refused"


class NoSuchRoute(RouteRefused):
    """There is no route of this name."""

    code = "not_found"


def create_route(
    *, name: str, weights: Weights, tiers: Tiers | None = None, by: Caller, now: datetime
) -> Route:
    """Make a route over connections. No workspace may use it yet. Raises RouteRefused."""
    for fault in name_faults(name):
        raise RouteRefused(fault.sentence, field=fault.field)
    connections = _connections(weights, tiers or {})
    route = Route(name=name, created_at=now)
    try:
        with transaction.atomic(durable=True):
            route.save(force_insert=True)
            _store(route, connections, weights, tiers or {})
            diff: Diff = {"name": (None, name), "weights": (None, dict(weights))}
            if any((tiers or {}).values()):
                diff = {**diff, "tiers": (None, dict(tiers or {}))}
            note(by, "route.create", route_obj(route), now=now, diff=diff)
    except IntegrityError as error:
        raise RouteRefused(_("Another route has this name."), field="name") from error
    return route


def set_weights(
    *, name: str, weights: Weights, tiers: Tiers | None = None, by: Caller, now: datetime
) -> None:
    """Say anew which connections a route has, how much of its traffic each takes, and which are
    backups.

    Raises RouteRefused, NoSuchRoute.
    """
    tiers = tiers or {}
    connections = _connections(weights, tiers)
    with transaction.atomic(durable=True):
        route = lock_route(name)
        _check_no_shift(route)
        _check_ranges_stay(route, weights)
        found = RouteConnection.objects.filter(route=route).select_related("connection")
        rows = list(found.order_by("connection__name"))
        before = {row.connection.name: row.weight for row in rows}
        before_tiers = {row.connection.name: row.tier for row in rows}
        after_tiers = {one: tiers.get(one, 0) for one in weights}
        diff: Diff = {}
        if before != dict(weights):
            diff = {"weights": (before, dict(weights))}
        if before_tiers != after_tiers:
            diff = {**diff, "tiers": (before_tiers, after_tiers)}
        if not diff:
            return
        RouteConnection.objects.filter(route=route).delete()
        _store(route, connections, weights, tiers)
        note(by, "route.edit", route_obj(route), now=now, diff=diff)


def _check_no_shift(route: Route) -> None:
    if RouteShift.objects.filter(route=route, state=ShiftState.RUNNING).exists():
        raise RouteRefused(_("A shift of traffic is under way. Stop it first."), field="weights")


def _check_ranges_stay(route: Route, weights: Weights) -> None:
    ranges = RouteRange.objects.filter(route=route).exclude(connection__name__in=list(weights))
    kept = ranges.select_related("connection").order_by("prefix").first()
    if kept is not None:
        raise RouteRefused(
            _("%(connection)s has the numbers %(prefix)s… of this route. Remove that range first.")
            % {"connection": kept.connection.name, "prefix": kept.prefix},
            field="weights",
        )


def add_range(*, name: str, prefix: str, connection: str, by: Caller, now: datetime) -> None:
    """Send numbers that begin with `prefix` over one connection of a route alone.

    Spaces and a leading "+" do not count. Raises RouteRefused, NoSuchRoute.
    """
    digits = "".join(prefix.split()).removeprefix("+")
    if not PREFIX.fullmatch(digits):
        raise RouteRefused(
            _("A range is the first digits of a number with its country code, 15 at most."),
            field="digits",
        )
    try:
        with transaction.atomic(durable=True):
            route = lock_route(name)
            part = RouteConnection.objects.filter(route=route, connection__name=connection).first()
            if part is None:
                raise RouteRefused(
                    _("Choose a connection of this route. A weight of 0 is enough."),
                    field="connection",
                )
            RouteRange.objects.create(route=route, prefix=digits, connection=part.connection)
            _note_ranges(route, now)
            diff = {"range": (None, {digits: connection})}
            note(by, "route.range_add", route_obj(route), now=now, diff=diff)
    except IntegrityError as error:
        raise RouteRefused(
            _("The numbers %(prefix)s… have a connection already.") % {"prefix": digits},
            field="digits",
        ) from error


def remove_range(*, name: str, prefix: str, by: Caller, now: datetime) -> None:
    """Let numbers go where the weights send them again. Raises RouteRefused, NoSuchRoute."""
    with transaction.atomic(durable=True):
        route = lock_route(name)
        found = RouteRange.objects.filter(route=route, prefix=prefix).select_related("connection")
        range_ = found.first()
        if range_ is None:
            raise RouteRefused(_("The route has no such range any more."))
        diff = {"range": ({prefix: range_.connection.name}, None)}
        range_.delete()
        _note_ranges(route, now)
        note(by, "route.range_remove", route_obj(route), now=now, diff=diff)


def _note_ranges(route: Route, now: datetime) -> None:
    """What waits for the connection of a range may be another's now: somebody sorts it anew."""
    Route.objects.filter(pk=route.pk).update(ranges_changed_at=now)


def grant_route(*, name: str, workspace: Workspace, by: Caller, now: datetime) -> None:
    """Let a workspace use a route. Raises RouteRefused when it may already."""
    try:
        with transaction.atomic(durable=True):
            route = lock_route(name)
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
        route = lock_route(name)
        taken, _rows = RouteGrant.objects.filter(route=route, workspace=workspace).delete()
        if not taken:
            raise RouteRefused(
                _("%(workspace)s does not have %(route)s any more.")
                % {"workspace": workspace.name, "route": name}
            )
        diff = {"workspace": (f"wsp_{workspace.pk}", None)}
        note(by, "route.revoke", route_obj(route), now=now, diff=diff)


def lock_route(name: str) -> Route:
    """Return a route, locked until the transaction ends. Raises NoSuchRoute."""
    route = Route.objects.select_for_update().filter(name=name).first()
    if route is None:
        raise NoSuchRoute(_("There is no route “%(name)s”.") % {"name": name})
    return route


def _connections(weights: Weights, tiers: Tiers) -> dict[str, Connection]:
    """Return the connections of these weights by name. Raises RouteRefused."""
    if not all(0 <= tier <= HIGHEST_TIER for tier in tiers.values()):
        raise RouteRefused(_("A tier is a number from 0 to 9."), field="weights")
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


def _store(
    route: Route, connections: Mapping[str, Connection], weights: Weights, tiers: Tiers
) -> None:
    RouteConnection.objects.bulk_create(
        RouteConnection(
            route=route, connection=connections[name], weight=weight, tier=tiers.get(name, 0)
        )
        for name, weight in weights.items()
    )
