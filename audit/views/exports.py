"""Evidence of a workspace: asked for, released by a second person, taken away."""

from datetime import date
from typing import Protocol
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters

from audit.actions.exporting.run import folder
from audit.actions.exports import ExportRefused, Person, ask, download, refuse, release
from audit.forms.exports import DecisionForm, ExportForm, WishForm
from audit.queries.about import About
from audit.queries.about import about as about_object
from audit.queries.exports import Shown, export_of, exports
from audit.tasks.exports import nudge_export
from audit.views.caller import Caller


class Exporter(Caller, Person, Protocol):
    """Who asks, inside a workspace, as the verbs need him too."""


class ExportRequest(HttpRequest):
    """A request that has passed the gate."""

    me: Exporter


class Exports(View):
    """The workspace's exports, and the form that asks for one."""

    permission = "evidence.export"
    asks_password = True

    def get(self, request: ExportRequest) -> HttpResponse:
        """Draw them, with the form filled in as the address wishes."""
        about, days = _wish(request)
        return _page(request, ExportForm(initial=days), about)

    def post(self, request: ExportRequest) -> HttpResponse:
        """Ask for one."""
        about, _days = _wish(request)
        form, now = ExportForm(request.POST), timezone.now()
        if form.is_valid():
            asked = form.asked(ZoneInfo(request.me.here.zone), now)
            try:
                made = ask(by=request.me, **asked, now=now)
            except ExportRefused as refusal:
                form.add_error(refusal.field or None, refusal.sentence)
            else:
                if made.shows_values:
                    sentence = _("Another admin has to release it. It is in this list for them.")
                else:
                    nudge_export(made.pk)
                    sentence = _("The evidence is being written. It appears here when it is ready.")
                messages.success(request, sentence)
                return _back(request)
        return _page(request, form, about)


class ExportList(View):
    """The list alone, for its live region."""

    permission = "evidence.export"

    def get(self, request: ExportRequest) -> HttpResponse:
        """Draw it."""
        return render(request, "audit/export_list.html", _listed(request.me))


class OneExport(View):
    """One export: who asked for what, and the decision of the second person."""

    permission = "evidence.export"

    def get(self, request: ExportRequest, export_id: int) -> HttpResponse:
        """Draw it."""
        return _one(request, export_id, DecisionForm())


class _Decide(View):
    """The second person's answer."""

    permission = "evidence.export"
    asks_password = True

    def decide(self, request: ExportRequest, export_id: int, note: str) -> str:
        """Do it and return what happened. Raises ExportRefused."""
        raise NotImplementedError

    def post(self, request: ExportRequest, export_id: int) -> HttpResponse:
        """Decide."""
        _shown(request, export_id)
        form = DecisionForm(request.POST)
        if form.is_valid():
            try:
                sentence = self.decide(request, export_id, form.cleaned_data["note"])
            except ExportRefused as refusal:
                if not refusal.field:
                    messages.error(request, refusal.sentence)
                    return _back(request)
                form.add_error(refusal.field, refusal.sentence)
            else:
                messages.success(request, sentence)
                return _back(request)
        return _one(request, export_id, form)


class ReleaseExport(_Decide):
    """Lets personal values into a bundle."""

    def decide(self, request: ExportRequest, export_id: int, note: str) -> str:
        """Release it and nudge the worker."""
        release(export_id=export_id, by=request.me, note=note, now=timezone.now())
        nudge_export(export_id)
        return _("Released. The evidence is being written.")


class RefuseExport(_Decide):
    """Keeps personal values where they are."""

    def decide(self, request: ExportRequest, export_id: int, note: str) -> str:
        """Refuse it."""
        refuse(export_id=export_id, by=request.me, note=note, now=timezone.now())
        return _("Refused. Nothing was written.")


@method_decorator(sensitive_post_parameters(), name="dispatch")
class DownloadExport(View):
    """Hands the archive over; that somebody took it is in the log before the first byte."""

    permission = "evidence.export"
    asks_password = True

    def post(self, request: ExportRequest, export_id: int) -> HttpResponseBase:
        """Send it."""
        _shown(request, export_id)
        try:
            export = download(export_id=export_id, by=request.me, now=timezone.now())
            file = (folder() / export.file).open("rb")
        except (ExportRefused, FileNotFoundError) as refusal:
            missing = _("The file is not here any more. Ask for it again.")
            messages.error(request, getattr(refusal, "sentence", missing))
            return _back(request)
        name = f"evidence-{request.me.here.slug}-{export.pk}.zip"
        response = FileResponse(file, as_attachment=True, filename=name)
        response["Content-Type"] = "application/zip"
        response["Cache-Control"] = "no-store"
        return response


def _wish(request: ExportRequest) -> tuple[About | None, dict[str, date]]:
    """Return what the address asks for: an object, and the first and last day to begin with.

    Of an object without a period its first entry is the beginning. Raises Http404 for what this
    workspace's log knows nothing of.
    """
    form = WishForm(request.GET)
    if not form.is_valid():
        raise Http404
    said, here = form.cleaned_data, request.me.here
    found = about_object(here.uuid, said["about"]) if said["about"] else None
    if said["about"] and found is None:
        raise Http404
    since = said["since"]
    if since is None and found and found.first_at:
        since = found.first_at.astimezone(ZoneInfo(here.zone)).date()
    days = {"since": since, "until": said["until"]}
    return found, {name: day for name, day in days.items() if day}


def _page(request: ExportRequest, form: ExportForm, about: About | None) -> HttpResponse:
    context = {
        "form": form,
        "about": about,
        "days": settings.EVIDENCE_DAYS,
        **_listed(request.me),
    }
    return render(request, "audit/exports.html", context)


def _one(request: ExportRequest, export_id: int, form: DecisionForm) -> HttpResponse:
    context = {"export": _shown(request, export_id), "form": form}
    return render(request, "audit/export.html", context)


def _shown(request: ExportRequest, export_id: int) -> Shown:
    """Return an export of the workspace; one of another does not exist."""
    me = request.me
    export = export_of(me.here.uuid, export_id, person_id=me.person_id)
    if export is None:
        raise Http404
    return export


def _listed(me: Exporter) -> dict[str, object]:
    found = exports(me.here.uuid, person_id=me.person_id)
    return {"exports": found, "is_live": any(one.is_at_work for one in found)}


def _back(request: ExportRequest) -> HttpResponse:
    return redirect("evidence:list", workspace=request.me.here.slug)
