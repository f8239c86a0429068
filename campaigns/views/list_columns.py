"""What the columns of an uploaded file mean."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from campaigns.actions import lists
from campaigns.forms.lists import ABROAD, ColumnsForm, LayoutForm
from campaigns.models import ListState, RecipientList
from campaigns.queries.list_files import look_at
from campaigns.queries.lists import shown_cell
from campaigns.rules.encodings import GUESSED, NAMES
from campaigns.rules.faults import FILE_FAULTS, FileFault
from campaigns.rules.layouts import Look, Wish
from campaigns.rules.number_plans import is_country
from campaigns.tasks.lists import nudge_import
from campaigns.views.uploads import address, list_or_404
from workspaces.forms.refused import refusals_shown
from workspaces.gate.request import GateRequest
from workspaces.views.shown import show

SAMPLE_ROWS = 5


class ListColumns(View):
    """The first rows of the file, and a use for each column."""

    permission = "list.edit"

    def get(self, request: GateRequest, list_id: int) -> HttpResponse:
        """The file as we see it."""
        lst = list_or_404(request, list_id)
        if lst.state != ListState.UPLOADED:
            return redirect(address(request, "list_page", list_id=list_id))
        look = _look(lst, settings.DEFAULT_COUNTRY, Wish())
        if isinstance(look, FileFault):
            return redirect(address(request, "list_page", list_id=list_id))
        return columns_page(request, lst, ColumnsForm(look, settings.DEFAULT_COUNTRY))

    def post(self, request: GateRequest, list_id: int) -> HttpResponse:
        """Look again with a corrected separator or header, or order the import."""
        lst = list_or_404(request, list_id)
        if lst.state != ListState.UPLOADED:
            messages.error(request, _("The list has changed meanwhile. Look at it again."))
            return redirect(address(request, "list_page", list_id=list_id))
        country = _country(request.POST.get("country", ""))
        layout = LayoutForm(request.POST)
        look = _look(lst, country, layout.wish)
        if isinstance(look, FileFault):
            messages.error(request, _(FILE_FAULTS[look]))
            return redirect(address(request, "list_columns", list_id=list_id))
        if "again" in request.POST:
            return columns_page(request, lst, ColumnsForm(look, country))
        return self._order(request, lst, ColumnsForm(look, country, request.POST), layout.wish)

    def _order(
        self, request: GateRequest, lst: RecipientList, form: ColumnsForm, wish: Wish
    ) -> HttpResponse:
        if form.is_valid():
            with refusals_shown(form):
                lists.choose_columns(
                    by=request.me, list_id=lst.pk, choice=form.choice(wish), now=timezone.now()
                )
                nudge_import(lst.pk)
                return redirect(address(request, "list_page", list_id=lst.pk))
        return columns_page(request, lst, form)


def _country(code: str) -> str:
    """Return the country by which the rows are looked at; the form judges what was chosen."""
    if code == ABROAD:
        return ""
    return code if code and is_country(code) else settings.DEFAULT_COUNTRY


def _look(lst: RecipientList, country: str, wish: Wish) -> Look | FileFault:
    """Return what the file looks like; a file that is gone is as good as an empty one."""
    try:
        return look_at(lst, country, wish)
    except FileNotFoundError:
        return FileFault.EMPTY


def columns_page(request: GateRequest, lst: RecipientList, form: ColumnsForm) -> HttpResponse:
    """Draw the page with what is chosen so far."""
    look = form.look
    rows = [
        (row, [_cell(cells, column, lst) for column in range(len(look.header))])
        for row, cells in look.rows[:SAMPLE_ROWS]
    ]
    samples = [[cells[column] for _row, cells in rows] for column in range(len(look.header))]
    layout = {"delimiter": look.layout.delimiter, "has_header": look.has_header}
    return show(
        request,
        "lists/columns.html",
        list=lst,
        form=form,
        layout=LayoutForm(initial=layout),
        lines=list(form.lines(samples)),
        look=look,
        rows=rows,
        encoding=_(NAMES[lst.encoding]),
        is_guessed=lst.encoding in GUESSED,
        is_mine=lst.uploaded_by_id == request.me.user.pk,
    )


def _cell(cells: list[str], column: int, lst: RecipientList) -> str:
    if column >= len(cells):
        return ""
    return shown_cell(cells[column], lst.country or settings.DEFAULT_COUNTRY)
