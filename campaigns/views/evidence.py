"""Evidence of one message: who got what, on which day, and the file that proves it."""

from datetime import datetime, timedelta

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters

from campaigns.actions.message_evidence import Sent, find_messages, take_evidence
from campaigns.forms.evidence import DayForm, TakeForm
from campaigns.queries.sealed import last_sealed_at
from campaigns.queries.sealing_state import unsealed_since
from campaigns.views.evidence_zip import zip_name, zipped
from workspaces.forms.refused import refusals_shown
from workspaces.gate.request import GateRequest
from workspaces.queries.zones import zones
from workspaces.views.shown import show


@method_decorator(sensitive_post_parameters(), name="dispatch")
class FindEvidence(View):
    """What was sent to one number on one day; the number stays out of every address and log."""

    permission = "evidence.export"

    def get(self, request: GateRequest) -> HttpResponse:
        """The form."""
        return evidence_page(request, DayForm(initial={"zone": request.me.here.zone}))

    def post(self, request: GateRequest) -> HttpResponse:
        """The form with what was found."""
        form = DayForm(request.POST)
        if not form.is_valid():
            return evidence_page(request, form)
        found = None
        with refusals_shown(form):
            found = find_messages(**form.cleaned_data, by=request.me, now=timezone.now())
        return evidence_page(request, form, found)


@method_decorator(sensitive_post_parameters(), name="dispatch")
class TakeEvidence(View):
    """The evidence of one message as a file, for a reason that is recorded."""

    permission = "evidence.export"

    def get(self, request: GateRequest) -> HttpResponse:
        """A reader who reloads comes back to the search."""
        return redirect("campaigns:evidence", workspace=request.me.here.slug)

    def post(self, request: GateRequest) -> HttpResponse:
        """The file; or the search again with why there is none."""
        form = TakeForm(request.POST)
        if not form.is_valid():
            return evidence_page(request, form)
        given = {name: form.cleaned_data[name] for name in form.cleaned_data.keys() - _SEARCHED}
        with refusals_shown(form):
            taken = take_evidence(**given, by=request.me, now=timezone.now())
            response = HttpResponse(zipped(taken, request.me.here), content_type="application/zip")
            response["Content-Disposition"] = f'attachment; filename="{zip_name(taken)}.zip"'
            response["Cache-Control"] = "no-store"
            return response
        return evidence_page(request, form)


# What the search asks and taking does not.
_SEARCHED = frozenset({"day", "zone"})


def evidence_page(request: GateRequest, form: DayForm, found: Sent | None = None) -> HttpResponse:
    """Draw the search with what it found."""
    until, now = last_sealed_at(), timezone.now()
    hits = found.hits if found else []
    return show(
        request,
        "evidence/find.html",
        form=form,
        found=found,
        rows=[(hit, _sealing(until, hit.row.sent_at, hit.row.settled_at)) for hit in hits],
        zones=zones(),
        sealed_until=until,
        is_unsealed=unsealed_since(until, now) is not None,
        next_at=_next_hour(now),
    )


def _sealing(until: datetime | None, *times: datetime | None) -> str:
    """Say how much of a message is sealed up to then: `sealed`, `partly` or `open`."""
    known = [at for at in times if at]
    if until is None or not known or min(known) > until:
        return "open"
    return "sealed" if max(known) <= until else "partly"


def _next_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
