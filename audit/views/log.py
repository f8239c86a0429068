"""A workspace's audit log: how far it is proved, its entries, and one entry in full."""

from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views import View

from audit.forms.filter import FilterForm
from audit.queries.entries import Page, entry_of, page
from audit.queries.status import chain_status
from audit.rules.canonical import stamp
from audit.rules.shown import visible
from audit.views.caller import AuditRequest
from audit.views.lines import lines


class Entries(View):
    """The entries, newest first, refused attempts included."""

    permission = "audit.see"

    def get(self, request: AuditRequest) -> HttpResponse:
        """Draw the page; a filter that makes no sense shows its faults and no entries."""
        here = request.me.here
        zone = ZoneInfo(here.zone)
        form = FilterForm(request.GET)
        found = Page()
        if form.is_valid():
            wanted = form.wanted(zone)
            found = page(here.uuid, before=form.cleaned_data["before"], wanted=wanted)
        return render(
            request,
            "audit/entries.html",
            {
                "status": chain_status(here.uuid, now=timezone.now()),
                "lines": lines(found.rows, zone),
                "form": form,
                "is_filtered": any(request.GET.get(name) for name in form.fields),
                "older": form.address(before=found.before) if found.before else "",
                "newest": form.address() if request.GET.get("before") else "",
            },
        )


class OneEntry(View):
    """One entry: what it says, and what proves it."""

    permission = "audit.see"

    def get(self, request: AuditRequest, eid: UUID) -> HttpResponse:
        """Draw it; one of another workspace does not exist."""
        here = request.me.here
        row = entry_of(here.uuid, eid)
        if row is None:
            raise Http404
        [line] = lines([row], ZoneInfo(here.zone))
        return render(
            request,
            "audit/entry.html",
            {
                "line": line,
                "row": row,
                "raw": visible(row.body),
                "status": chain_status(here.uuid, now=timezone.now()),
                "at_text": stamp(row.at),
                "ws": here.uuid,
            },
        )
