"""Full checks of a connection: asked for, watched, read, downloaded."""

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views import View

from smpp_client.actions.noting import caller
from smpp_client.actions.reports import ask_report, options_of
from smpp_client.forms.reports import ReportForm
from smpp_client.models import Connection
from smpp_client.queries.connections import connection_by, sight_of
from smpp_client.queries.reports import ReadReport, html_of, json_of, report_of
from smpp_client.rules.conformance import FIXED_MESSAGES, masked, volumes
from smpp_client.tasks import nudge_check
from workspaces.forms.refused import refusals_shown
from workspaces.gate.request import GateRequest

# What the form offers: the single messages, the window, and one second of rate and load each.
SECONDS_OFFERED = 2


class NewReport(View):
    """Asks what may be sent, then asks again with the number, then begins."""

    permission = "platform.edit"

    def get(self, request: GateRequest, name: str) -> HttpResponse:
        """The form."""
        connection = _connection_or_404(name)
        offered = FIXED_MESSAGES + connection.window + SECONDS_OFFERED * connection.rate
        return _form_page(request, connection, ReportForm(initial={"messages": offered}))

    def post(self, request: GateRequest, name: str) -> HttpResponse:
        """The question, and with its answer the check."""
        connection = _connection_or_404(name)
        form = ReportForm(request.POST)
        if form.is_valid():
            with refusals_shown(form):
                if "sure" not in request.POST:
                    return _question(request, connection, form)
                report = ask_report(
                    name=name, asked=form.asked(), by=caller(request.me), now=timezone.now()
                )
                nudge_check(report.pk)
                return _to_report(connection, report.pk)
        return _form_page(request, connection, form)


class Report(View):
    """One report, as far as it is."""

    permission = "platform.see"

    def get(self, request: GateRequest, name: str, report_id: int) -> HttpResponse:
        """Its page."""
        context = {"read": _report_or_404(name, report_id), "now": timezone.now()}
        return render(request, "connections/report.html", context)


class ReportFile(View):
    """One report as a file to keep, print or hand on."""

    permission = "platform.see"

    def get(self, request: GateRequest, name: str, report_id: int, kind: str) -> HttpResponse:
        """The file; `kind` is html or json."""
        read = _report_or_404(name, report_id)
        make = {"html": html_of, "json": json_of}.get(kind)
        if make is None:
            raise Http404
        content_type = {"html": "text/html; charset=utf-8", "json": "application/json"}[kind]
        response = HttpResponse(make(read), content_type=content_type)
        file = f"{name}-{report_id}.{kind}"
        response["Content-Disposition"] = f'attachment; filename="{file}"'
        return response


def _form_page(request: GateRequest, connection: Connection, form: ReportForm) -> HttpResponse:
    context = {
        "connection": connection,
        "form": form,
        "sight": sight_of(connection, timezone.now()),
        "fixed": FIXED_MESSAGES,
    }
    return render(request, "connections/report_form.html", context)


def _question(request: GateRequest, connection: Connection, form: ReportForm) -> HttpResponse:
    """Say what it costs before anything is sent. Raises ReportRefused."""
    options = options_of(form.asked())
    shares = volumes(
        options.messages, connection.rate, connection.window, is_above_rate=options.is_above_rate
    )
    context = {
        "connection": connection,
        "form": form,
        "options": options,
        "numbers": [masked(number) for number in options.numbers],
        "fixed": FIXED_MESSAGES,
        "shares": shares,
        "sight": sight_of(connection, timezone.now()),
    }
    return render(request, "connections/report_question.html", context)


def _connection_or_404(name: str) -> Connection:
    found = connection_by(name)
    if found is None:
        raise Http404
    return found


def _report_or_404(name: str, report_id: int) -> ReadReport:
    found = report_of(_connection_or_404(name), report_id)
    if found is None:
        raise Http404
    return found


def _to_report(connection: Connection, report_id: int) -> HttpResponseRedirect:
    return redirect("platform:connection_report", name=connection.name, report_id=report_id)
