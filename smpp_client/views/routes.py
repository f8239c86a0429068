"""Routes: their connections with weights, and the workspaces that may use them."""

from typing import ClassVar

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from smpp_client.actions.noting import caller
from smpp_client.actions.routes import (
    add_range,
    create_route,
    grant_route,
    remove_range,
    revoke_route,
    set_weights,
)
from smpp_client.actions.shifts import plan_shift, stop_shift, undo_shift
from smpp_client.forms.routes import TIER, WEIGHT, GrantForm, RangeForm, RouteForm, ShiftForm
from smpp_client.models import Connection, Route
from smpp_client.queries.routes import (
    newest_shift,
    route_by,
    route_row,
    route_rows,
    ungranted,
)
from workspaces.forms.refused import refusals_shown
from workspaces.gate.request import GateRequest
from workspaces.models import Workspace
from workspaces.queries.access import workspace_by_slug
from workspaces.views.shown import refusals_said


class Routes(View):
    """Every route."""

    permission = "platform.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """The list."""
        rows = route_rows(timezone.now())
        context = {"rows": rows, "may_edit": request.me.may("platform.edit")}
        return render(request, "routes/list.html", context)


class NewRoute(View):
    """A new route."""

    permission = "platform.edit"

    def get(self, request: GateRequest) -> HttpResponse:
        """An empty form with a weight for every connection."""
        return self.page(request, RouteForm(connections=connections()))

    def post(self, request: GateRequest) -> HttpResponse:
        """Make it."""
        form = RouteForm(request.POST, connections=connections())
        if form.is_valid():
            with refusals_shown(form):
                route = create_route(
                    name=form.cleaned_data["name"],
                    weights=form.weights(),
                    tiers=form.tiers(),
                    by=caller(request.me),
                    now=timezone.now(),
                )
                said = _("The route %(name)s is there. Now say who may use it.")
                messages.success(request, said % {"name": route.name})
                return to_route(route.name)
        return self.page(request, form)

    def page(self, request: GateRequest, form: RouteForm) -> HttpResponse:
        """Draw the form."""
        return render(request, "routes/new.html", {"form": form})


class RoutePage(View):
    """One route: its weights and its workspaces."""

    permission = {"GET": "platform.see", "POST": "platform.edit"}

    def get(self, request: GateRequest, name: str) -> HttpResponse:
        """Its page."""
        return route_page(request, route_or_404(name))

    def post(self, request: GateRequest, name: str) -> HttpResponse:
        """Set the weights."""
        route = route_or_404(name)
        form = RouteForm(request.POST, connections=connections(), is_new=False)
        if form.is_valid():
            with refusals_shown(form):
                set_weights(
                    name=name,
                    weights=form.weights(),
                    tiers=form.tiers(),
                    by=caller(request.me),
                    now=timezone.now(),
                )
                messages.success(request, _("The weights of %(name)s are set.") % {"name": name})
                return to_route(name)
        return route_page(request, route, form=form)


def route_page(
    request: GateRequest,
    route: Route,
    *,
    form: RouteForm | None = None,
    grant: GrantForm | None = None,
    range_form: RangeForm | None = None,
    shift_form: ShiftForm | None = None,
) -> HttpResponse:
    """Draw the page of a route with its forms as they stand."""
    row = route_row(route, timezone.now())
    names = [part.sight.connection.name for part in row.parts]
    weights = {WEIGHT + part.sight.connection.name: part.weight for part in row.parts}
    tiers = {TIER + part.sight.connection.name: part.tier for part in row.parts}
    others = ungranted(route)
    context = {
        "row": row,
        "form": form or RouteForm(connections=connections(), is_new=False, initial=weights | tiers),
        "grant": grant or GrantForm(workspaces=others),
        "range_form": range_form or RangeForm(connections=names),
        "shift_form": shift_form or ShiftForm(connections=names, initial=weights),
        "shift": newest_shift(route),
        "others": others,
        "may_edit": request.me.may("platform.edit"),
    }
    return render(request, "routes/route.html", context)


class AddRange(View):
    """Gives numbers to one connection of a route."""

    permission = "platform.edit"

    def post(self, request: GateRequest, name: str) -> HttpResponse:
        """Add."""
        route = route_or_404(name)
        form = RangeForm(request.POST, connections=names_of(route))
        if form.is_valid():
            over = form.cleaned_data["connection"]
            with refusals_shown(form):
                add_range(
                    name=name,
                    prefix=form.cleaned_data["digits"],
                    connection=over,
                    by=caller(request.me),
                    now=timezone.now(),
                )
                said = _("These numbers go out over %(connection)s.")
                messages.success(request, said % {"connection": over})
                return to_route(name)
        return route_page(request, route, range_form=form)


class RemoveRange(View):
    """Takes numbers from a connection."""

    permission = "platform.edit"

    def post(self, request: GateRequest, name: str, prefix: str) -> HttpResponse:
        """Remove."""
        route_or_404(name)
        with refusals_said(request):
            remove_range(name=name, prefix=prefix, by=caller(request.me), now=timezone.now())
            messages.success(
                request, _("The numbers %(prefix)s… go by weight again.") % {"prefix": prefix}
            )
        return to_route(name)


class Shift(View):
    """Plans a shift of a route's traffic."""

    permission = "platform.edit"

    def post(self, request: GateRequest, name: str) -> HttpResponse:
        """Plan."""
        route = route_or_404(name)
        form = ShiftForm(request.POST, connections=names_of(route))
        if form.is_valid():
            with refusals_shown(form):
                plan_shift(
                    name=name,
                    to=form.weights(),
                    percents=form.cleaned_data["percents"],
                    step=form.step(),
                    by=caller(request.me),
                    now=timezone.now(),
                )
                messages.success(request, _("The shift is planned. Its first step is made now."))
                return to_route(name)
        return route_page(request, route, shift_form=form)


class StopShift(View):
    """Leaves the weights where a shift has brought them."""

    permission = "platform.edit"
    is_undone: ClassVar[bool] = False

    def post(self, request: GateRequest, name: str) -> HttpResponse:
        """Stop it, or undo it."""
        route_or_404(name)
        act = undo_shift if self.is_undone else stop_shift
        with refusals_said(request):
            act(name=name, by=caller(request.me), now=timezone.now())
            stopped = _("The shift is stopped. The weights stay as they are.")
            undone = _("The weights are back to where the shift began.")
            messages.success(request, undone if self.is_undone else stopped)
        return to_route(name)


class UndoShift(StopShift):
    """Puts the weights back to where a shift began."""

    is_undone = True


class Grant(View):
    """Lets a workspace use a route."""

    permission = "platform.edit"

    def post(self, request: GateRequest, name: str) -> HttpResponse:
        """Grant."""
        route = route_or_404(name)
        form = GrantForm(request.POST, workspaces=ungranted(route))
        if not form.is_valid():
            return route_page(request, route, grant=form)
        workspace = form.cleaned_data["workspace"]
        with refusals_said(request):
            grant_route(name=name, workspace=workspace, by=caller(request.me), now=timezone.now())
            messages.success(
                request,
                _("%(workspace)s may use %(route)s.")
                % {"workspace": workspace.name, "route": name},
            )
        return to_route(name)


class Revoke(View):
    """Asks, then takes a route from a workspace."""

    permission = "platform.edit"

    def get(self, request: GateRequest, name: str, slug: str) -> HttpResponse:
        """The question."""
        context = {"route": route_or_404(name), "workspace": workspace_or_404(slug)}
        return render(request, "routes/revoke.html", context)

    def post(self, request: GateRequest, name: str, slug: str) -> HttpResponse:
        """Revoke."""
        workspace = workspace_or_404(slug)
        with refusals_said(request):
            revoke_route(name=name, workspace=workspace, by=caller(request.me), now=timezone.now())
            messages.success(
                request,
                _("%(workspace)s may not use %(route)s any more.")
                % {"workspace": workspace.name, "route": name},
            )
        return to_route(name)


def connections() -> list[Connection]:
    """Return all connections, by name."""
    return list(Connection.objects.order_by("name"))


def names_of(route: Route) -> list[str]:
    """Return the names of a route's connections."""
    parts = route.route_connections.order_by("connection__name")
    return list(parts.values_list("connection__name", flat=True))


def route_or_404(name: str) -> Route:
    """Return a route."""
    found = route_by(name)
    if found is None:
        raise Http404
    return found


def workspace_or_404(slug: str) -> Workspace:
    """Return a workspace."""
    found = workspace_by_slug(slug)
    if found is None:
        raise Http404
    return found


def to_route(name: str) -> HttpResponseRedirect:
    """Go to the page of a route."""
    return redirect("platform:route", name=name)
