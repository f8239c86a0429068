"""Connections: what was seen of them, their settings, and switching them."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from smpp_client.actions.changes import (
    add_plain_connection,
    ask_change,
    drop_change,
    make_change,
)
from smpp_client.actions.checks import check_connection
from smpp_client.actions.connections import (
    Wanted,
    add_connection,
    disable_connection,
    edit_connection,
    enable_connection,
)
from smpp_client.actions.noting import caller
from smpp_client.forms.connections import ConnectionForm
from smpp_client.models import Connection
from smpp_client.queries import connections as questions
from smpp_client.queries.reports import reports_of
from smpp_client.queries.routes import route_rows, routes_over
from workspaces.forms.refused import refusals_shown, show_refusal
from workspaces.gate.request import GateRequest
from workspaces.rules.refusal import Refusal


class Connections(View):
    """Every connection as it was seen on the wire."""

    permission = "platform.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """The list."""
        now = timezone.now()
        sights = questions.sights(now)
        certificates = questions.certificates(now)
        context = {
            "sights": sights,
            "up": [sight for sight in sights if sight.is_up],
            "due": [sight for sight in sights if sight.needs_somebody],
            "rate_now": sum(sight.rate_now or 0 for sight in sights),
            "certificates": certificates,
            "ending": [one for one in certificates if one.is_ending],
            "events": questions.newest_events(),
            "routes": [row for row in route_rows(now) if row.up_count < row.used_count],
            "now": now,
            "may_edit": request.me.may("platform.edit"),
        }
        return render(request, "connections/list.html", context)


class ConnectionPage(View):
    """One connection."""

    permission = "platform.see"

    def get(self, request: GateRequest, name: str) -> HttpResponse:
        """Its page."""
        return connection_page(request, connection_or_404(name))


def connection_page(
    request: GateRequest, connection: Connection, *, status: int = 200, **more: Any
) -> HttpResponse:
    """Draw the page of a connection, with what was just tried."""
    now = timezone.now()
    context = {
        "connection": connection,
        "sight": questions.sight_of(connection, now),
        "certificate": questions.certificate_of(connection, now),
        "routes": routes_over(connection.pk, now),
        "events": questions.events_of(connection),
        "reports": reports_of(connection),
        "change": questions.change_of(connection),
        "now": now,
        "may_edit": request.me.may("platform.edit"),
        **more,
    }
    return render(request, "connections/connection.html", context, status=status)


class NewConnection(View):
    """A new connection."""

    permission = "platform.edit"

    def get(self, request: GateRequest) -> HttpResponse:
        """An empty form."""
        return form_page(request, ConnectionForm(now=timezone.now()))

    def post(self, request: GateRequest) -> HttpResponse:
        """Add it."""
        form = ConnectionForm(request.POST, now=timezone.now())
        if form.is_valid():
            act = add_plain_connection if form.needs_another else add_connection
            with refusals_shown(form):
                connection = act(
                    name=form.cleaned_data["name"],
                    settings=form.settings(),
                    password=form.cleaned_data["password"],
                    by=caller(request.me),
                    now=timezone.now(),
                )
                waits = _(
                    "%(name)s is added, disabled: another super admin confirms the exception."
                )
                binds = _("%(name)s is added. The sender binds it within seconds.")
                said = waits if form.needs_another else binds
                messages.success(request, said % {"name": connection.name})
                return to_connection(connection)
        return form_page(request, form)


class EditConnection(View):
    """Other settings, or a new password."""

    permission = "platform.edit"

    def get(self, request: GateRequest, name: str) -> HttpResponse:
        """The form with what is stored, but for the password."""
        connection = connection_or_404(name)
        form = ConnectionForm(now=timezone.now(), connection=connection)
        return form_page(request, form, connection)

    def post(self, request: GateRequest, name: str) -> HttpResponse:
        """Change it."""
        connection, status = connection_or_404(name), 200
        form = ConnectionForm(request.POST, now=timezone.now(), connection=connection)
        if form.is_valid():
            act = ask_change if form.needs_another else edit_connection
            try:
                act(_wanted(name, form), by=caller(request.me), now=timezone.now())
            except Refusal as refusal:
                show_refusal(form, refusal)
                status = 409 if refusal.code == "stale" else 200
            else:
                waits = _("Nothing has changed yet: another super admin confirms it.")
                changed = _("%(name)s is changed.") % {"name": name}
                messages.success(request, waits if form.needs_another else changed)
                return to_connection(connection)
        return form_page(request, form, connection, status=status)


def _wanted(name: str, form: ConnectionForm) -> Wanted:
    given = form.cleaned_data
    return Wanted(name, form.settings(), given["seen"] or 0, given["password"])


class MakeChange(View):
    """Makes a change that another person asked for."""

    permission = "platform.edit"
    is_made: ClassVar[bool] = True

    def post(self, request: GateRequest, name: str, change_id: int) -> HttpResponse:
        """Make it, or drop it."""
        connection = connection_or_404(name)
        if not connection.changes.filter(pk=change_id).exists():
            raise Http404
        act = make_change if self.is_made else drop_change
        said = _("%(name)s is changed.") if self.is_made else _("The change is dropped.")
        return acted(request, connection, partial(act, change_id=change_id), said)


class DropChange(MakeChange):
    """Leaves everything as it is."""

    is_made = False


def form_page(
    request: GateRequest,
    form: ConnectionForm,
    connection: Connection | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    """Draw the form."""
    context = {"form": form, "connection": connection}
    return render(request, "connections/form.html", context, status=status)


class Check(View):
    """Tries a connection now; what it went through stands on its page."""

    permission = "platform.edit"

    def post(self, request: GateRequest, name: str) -> HttpResponse:
        """Try."""
        connection = connection_or_404(name)
        result = check_connection(name=name, by=caller(request.me), now=timezone.now())
        return connection_page(request, connection, check=result)


class Switch(View):
    """Asks, then disables or enables a connection."""

    permission = "platform.edit"
    is_on: ClassVar[bool] = False

    def get(self, request: GateRequest, name: str) -> HttpResponse:
        """The question."""
        context = {"connection": connection_or_404(name), "is_on": self.is_on}
        return render(request, "connections/switch.html", context)

    def post(self, request: GateRequest, name: str) -> HttpResponse:
        """Do it."""
        connection = connection_or_404(name)
        act = enable_connection if self.is_on else disable_connection
        said = _("%(name)s is enabled.") if self.is_on else _("%(name)s is disabled.")
        return acted(request, connection, partial(act, name=name), said)


class Enable(Switch):
    """Uses a connection again."""

    is_on = True


def acted(
    request: GateRequest, connection: Connection, act: Callable[..., object], said: str
) -> HttpResponse:
    """Do it and go to the connection's page; what refuses it is said there, as a conflict."""
    try:
        act(by=caller(request.me), now=timezone.now())
    except Refusal as refusal:
        return connection_page(request, connection, refusal=refusal, status=409)
    messages.success(request, said % {"name": connection.name})
    return to_connection(connection)


def connection_or_404(name: str) -> Connection:
    """Return a connection."""
    found = questions.connection_by(name)
    if found is None:
        raise Http404
    return found


def to_connection(connection: Connection) -> HttpResponseRedirect:
    """Go to the page of a connection."""
    return redirect("platform:connection", name=connection.name)
