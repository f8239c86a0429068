"""Recipient lists: all of them, and one with its import, its faults and its waterfall."""

from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from campaigns.actions import lists
from campaigns.actions.list_rejects import take_reject_file
from campaigns.models import ListState, RecipientList
from campaigns.queries.list_files import received
from campaigns.queries.lists import (
    all_faults,
    first_faults,
    list_counts,
    opted_out_count,
    page_of_lists,
    sample,
    waterfall,
)
from campaigns.rules.encodings import GUESSED, NAMES
from campaigns.views.csv_files import csv_lines, csv_response
from campaigns.views.uploads import address, list_or_404
from workspaces.gate.request import GateRequest
from workspaces.models import Workspace
from workspaces.rules.refusal import Refusal
from workspaces.scope import scope
from workspaces.views.shown import show

SAMPLE_ROWS = 5
# Who of a longer list is opted out is counted after the page is there.
COUNTED_AT_ONCE = 20_000
FINAL = frozenset({ListState.READY, ListState.FAILED})


class Lists(View):
    """All lists of the workspace, newest first."""

    permission = "list.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """One page of them; archived ones on request."""
        is_archived = request.GET.get("show") == "archived"
        before = request.GET.get("before", "")
        page = page_of_lists(
            request.me.here,
            is_archived=is_archived,
            before=int(before) if before.isascii() and before.isdigit() else 0,
        )
        in_use, archived = list_counts(request.me.here)
        return show(
            request,
            "lists/rows.html" if request.headers.get("HX-Request") else "lists/index.html",
            page=page,
            is_archived=is_archived,
            in_use_count=in_use,
            archived_count=archived,
            may_edit=request.me.may("list.edit"),
        )


class ListPage(View):
    """One list: while it is imported and afterwards, at one address."""

    permission = "list.see"

    def get(self, request: GateRequest, list_id: int) -> HttpResponse:
        """The page that fits the list's state."""
        lst = list_or_404(request, list_id)
        has_rows = lst.state in FINAL and lst.row_count > 0
        is_counted = lst.valid_count <= COUNTED_AT_ONCE or "count" in request.GET
        is_mine = lst.uploaded_by_id == request.me.user.pk
        return show(
            request,
            "lists/page.html",
            list=lst,
            arrived=received(lst) if lst.state == ListState.UPLOADING else 0,
            encoding=_(NAMES[lst.encoding]) if lst.encoding else "",
            is_guessed=lst.encoding in GUESSED,
            is_mine=is_mine,
            may_edit=request.me.may("list.edit"),
            may_take_rejects=request.me.may("list.edit")
            and (is_mine or request.me.may("number.reveal")),
            faults=first_faults(lst) if lst.fault_count else [],
            steps=waterfall(lst, opted_out_count(lst) if is_counted else None) if has_rows else [],
            is_counted=is_counted,
            people=sample(lst, SAMPLE_ROWS) if lst.state == ListState.READY else [],
        )


class ListWaterfall(View):
    """The waterfall of a long list, with the step that takes a moment to count."""

    permission = "list.see"

    def get(self, request: GateRequest, list_id: int) -> HttpResponse:
        """The card alone."""
        lst = list_or_404(request, list_id)
        steps = waterfall(lst, opted_out_count(lst))
        return show(request, "lists/waterfall.html", list=lst, steps=steps, is_counted=True)


class ListProgress(View):
    """The live part of a list's page while rows come in."""

    permission = "list.see"

    def get(self, request: GateRequest, list_id: int) -> HttpResponse:
        """The counts; when nothing will change any more, the whole page is asked for."""
        lst = list_or_404(request, list_id)
        response = show(request, "lists/progress.html", list=lst)
        if lst.state != ListState.IMPORTING:
            response["HX-Refresh"] = "true"
        return response


class KeepList(View):
    """Archives a list or takes it back out."""

    permission = "list.edit"

    def post(self, request: GateRequest, list_id: int) -> HttpResponse:
        """Do it."""
        list_or_404(request, list_id)
        try:
            if request.POST.get("act") == "restore":
                lists.restore(by=request.me, list_id=list_id, now=timezone.now())
                messages.success(request, _("The list is back. New campaigns can use it."))
            else:
                lists.archive(by=request.me, list_id=list_id, now=timezone.now())
                messages.success(request, _("The list is archived. Campaigns that use it go on."))
        except Refusal as refusal:
            messages.error(request, refusal.sentence)
        return redirect(address(request, "list_page", list_id=list_id))


class RejectFile(View):
    """The rows that were not taken, as a file."""

    permission = "list.edit"

    def post(self, request: GateRequest, list_id: int) -> HttpResponseBase:
        """Record who takes it, then stream it."""
        list_or_404(request, list_id)
        try:
            lst = take_reject_file(by=request.me, list_id=list_id, now=timezone.now())
        except Refusal as refusal:
            messages.error(request, refusal.sentence)
            return redirect(address(request, "list_page", list_id=list_id))
        lines = csv_lines([_("Row"), _("Reason"), *lst.header], _rejected(request.me.here, lst))
        return csv_response(f"rejected-rows-{lst.pk}.csv", lines)


def _rejected(workspace: Workspace, lst: RecipientList) -> Iterator[list[str]]:
    with scope(workspace):
        for row, reason, cells in all_faults(lst):
            yield [str(row), reason, *cells]
