"""Call records of an SMSC: uploaded, their columns named, and what they settled."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View

from campaigns.actions.records import look_at_records, start_import, take_left, take_records
from campaigns.forms.unknowns import RecordColumnsForm, RecordsForm
from campaigns.models import CallRecordImport, RecordsState
from campaigns.queries.lists import shown_cell
from campaigns.queries.settling import find_records, left_rows, reasons_of
from campaigns.queries.unknowns import Asked, connections_with_unknowns
from campaigns.rules.faults import FILE_FAULTS, FileFault
from campaigns.rules.layouts import Look, Wish
from campaigns.tasks.records import nudge_records
from campaigns.views.csv_files import csv_lines, csv_response
from campaigns.views.receiving import ReceivesFile
from campaigns.views.uploads import address
from workspaces.forms.refused import refusals_shown
from workspaces.gate.request import GateRequest
from workspaces.models import Workspace
from workspaces.scope import scope
from workspaces.views.shown import show

SHOWN_ROWS = 4
WORKING = frozenset({RecordsState.IMPORTING, RecordsState.SETTLING})


class NewRecords(ReceivesFile[RecordsForm]):
    """Takes a file in."""

    permission = "records.import"
    form_class = RecordsForm
    template = "unknowns/records_new.html"
    too_large = gettext_lazy("The file is too large. Split it.")

    def take(self, request: GateRequest, form: RecordsForm) -> HttpResponse:
        """Take it; its columns are named next."""
        file: UploadedFile[Any] = form.cleaned_data["file"]
        with refusals_shown(form):
            taken = take_records(
                by=request.me,
                file=file,  # type: ignore[arg-type]  # it reads like one
                file_name=file.name or "",
                size_bytes=file.size or 0,
                now=timezone.now(),
            )
            return redirect(address(request, "records", records_id=taken.pk))
        return self.page(request, form)


class Records(View):
    """One import: its columns, its progress, and what it settled, at one address."""

    permission = "records.import"

    def get(self, request: GateRequest, records_id: int) -> HttpResponse:
        """The page that fits its state."""
        records = _records_or_404(request, records_id)
        if records.state != RecordsState.UPLOADED:
            return _result_page(request, records)
        look = _look(records, Wish())
        if look is None:
            return _result_page(request, records)
        return _columns_page(request, records, _columns_form(request, look))

    def post(self, request: GateRequest, records_id: int) -> HttpResponse:
        """Look again with another separator, or order the import."""
        records = _records_or_404(request, records_id)
        has_header = "has_header" in request.POST
        look = _look(records, Wish(request.POST.get("delimiter", ""), has_header))
        if look is None or records.state != RecordsState.UPLOADED:
            messages.error(request, _("The import has changed meanwhile. Look at it again."))
            return redirect(address(request, "records", records_id=records_id))
        if "again" in request.POST:
            return _columns_page(request, records, _columns_form(request, look))
        form = _columns_form(request, look, request.POST)
        if form.is_valid():
            with refusals_shown(form):
                start_import(
                    by=request.me, records_id=records_id, mapped=form.mapped(), now=timezone.now()
                )
                nudge_records(records_id)
                return redirect(address(request, "records", records_id=records_id))
        return _columns_page(request, records, form)


def _records_or_404(request: GateRequest, records_id: int) -> CallRecordImport:
    found = find_records(request.me.here, records_id)
    if found is None:
        raise Http404
    return found


def _look(records: CallRecordImport, wish: Wish) -> Look | None:
    if not records.file_key:
        return None
    try:
        found = look_at_records(records, wish)
    except FileNotFoundError:
        return None
    return None if isinstance(found, FileFault) else found


def _columns_form(request: GateRequest, look: Look, data: Any = None) -> RecordColumnsForm:
    here = request.me.here
    found = connections_with_unknowns(Asked(here.pk))
    return RecordColumnsForm(look, [(pk, name) for pk, name, _n in found], here.zone, data)


def _columns_page(
    request: GateRequest, records: CallRecordImport, form: RecordColumnsForm
) -> HttpResponse:
    look = form.look
    rows = [
        (number, [shown_cell(cell, "") for cell in cells])
        for number, cells in look.rows[:SHOWN_ROWS]
    ]
    return show(request, "unknowns/columns.html", records=records, form=form, look=look, rows=rows)


def _result_page(request: GateRequest, records: CallRecordImport) -> HttpResponse:
    is_working = records.state in WORKING
    template = "unknowns/result.html" if request.headers.get("HX-Request") else None
    return show(
        request,
        template or "unknowns/records.html",
        records=records,
        is_working=is_working,
        reasons=[] if is_working else reasons_of(records),
        settled=records.accepted_count + records.absent_count,
        has_file=bool(records.file_key),
        failed=_(FILE_FAULTS[FileFault.BROKEN]) if not records.failure else records.failure,
    )


class LeftRecords(View):
    """The records that settled nothing, as a file with the reason of each."""

    permission = "records.import"

    def post(self, request: GateRequest, records_id: int) -> HttpResponseBase:
        """Record who takes it, then stream it: it holds clear numbers."""
        records = _records_or_404(request, records_id)
        take_left(by=request.me, records=records, now=timezone.now())
        lines = csv_lines([_("Row"), _("Reason")], _left(request.me.here, records))
        return csv_response(f"left-records-{records.pk}.csv", lines)


def _left(workspace: Workspace, records: CallRecordImport) -> Iterator[list[str]]:
    with scope(workspace):
        for row, reason, cells in left_rows(records):
            yield [str(row), reason, *cells]
