"""People who want no messages of the workspace: listed, found, added, imported, lifted."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.debug import sensitive_post_parameters

from campaigns.actions.opt_outs import (
    MOST_IMPORT_BYTES,
    add_opt_out,
    import_opt_outs,
    lift_opt_out,
)
from campaigns.forms.opt_outs import AddForm, ImportForm, LiftForm, NumberForm
from campaigns.queries.lists import shown_cell
from campaigns.queries.opt_outs import (
    ShownOptOut,
    find_opt_out,
    opt_out_count,
    opt_outs_of,
    page_of_opt_outs,
)
from campaigns.rules.faults import FAULTS, Fault
from campaigns.views.receiving import ReceivesFile
from campaigns.views.uploads import address
from workspaces.forms.refused import refusals_shown
from workspaces.gate.request import GateRequest
from workspaces.views.shown import show


class OptOuts(View):
    """Who is opted out, newest first."""

    permission = "list.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """One page of them; lifted ones on request."""
        return opt_outs_page(request, NumberForm())


def opt_outs_page(
    request: GateRequest, form: NumberForm, found: list[ShownOptOut] | None = None
) -> HttpResponse:
    """Draw the page, with the rows of a number that was looked for, if any."""
    is_lifted = request.GET.get("show") == "lifted"
    before = request.GET.get("before", "")
    page = page_of_opt_outs(
        request.me.here,
        is_lifted=is_lifted,
        before=int(before) if before.isascii() and before.isdigit() else 0,
    )
    return show(
        request,
        "opt_outs/index.html",
        page=page,
        form=form,
        found=found,
        is_lifted=is_lifted,
        count=opt_out_count(request.me.here),
        may_edit=request.me.may("opt_out.edit"),
    )


@method_decorator(sensitive_post_parameters(), name="dispatch")
class FindOptOut(View):
    """Looks for one number; it comes in the body and stays out of every address and log."""

    permission = "list.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """A reader who reloads comes back to the list."""
        return redirect(address(request, "opt_outs"))

    def post(self, request: GateRequest) -> HttpResponse:
        """The page with what was found."""
        form = NumberForm(request.POST)
        if not form.is_valid():
            return opt_outs_page(request, form)
        data = form.cleaned_data
        found = opt_outs_of(request.me.here, data["number"], data["country"])
        if isinstance(found, Fault):
            form.add_error("number", _(FAULTS[found]))
            return opt_outs_page(request, form)
        return opt_outs_page(request, form, found)


@method_decorator(sensitive_post_parameters(), name="dispatch")
class AddOptOut(View):
    """Opts one number out."""

    permission = "opt_out.edit"

    def get(self, request: GateRequest) -> HttpResponse:
        """The form."""
        return show(request, "opt_outs/add.html", form=AddForm())

    def post(self, request: GateRequest) -> HttpResponse:
        """Add it."""
        form = AddForm(request.POST)
        if form.is_valid():
            data = form.cleaned_data
            with refusals_shown(form):
                add_opt_out(
                    by=request.me,
                    text=data["number"],
                    country=data["country"],
                    words=data["words"],
                    now=timezone.now(),
                )
                messages.success(
                    request, _("The number is opted out. Campaigns under way leave it out too.")
                )
                return redirect(address(request, "opt_outs"))
        return show(request, "opt_outs/add.html", form=form)


@method_decorator(sensitive_post_parameters(), name="dispatch")
class ImportOptOuts(ReceivesFile[ImportForm]):
    """Opts out every number of a file or of a pasted text."""

    permission = "opt_out.edit"
    form_class = ImportForm
    template = "opt_outs/import.html"
    too_large = gettext_lazy("A file of opt-outs may have 10 MB. Split it.")

    def most_bytes(self) -> int:
        """Return how long the file may be."""
        return MOST_IMPORT_BYTES

    def take(self, request: GateRequest, form: ImportForm) -> HttpResponse:
        """Import, and say what could not be read."""
        country = form.cleaned_data["country"]
        with refusals_shown(form):
            done = import_opt_outs(
                by=request.me,
                data=form.data_bytes,
                country=country,
                words=form.cleaned_data["words"],
                now=timezone.now(),
            )
            faults = [(one, shown_cell(one.text, country)) for one in done.faults]
            return show(request, "opt_outs/imported.html", done=done, faults=faults)
        return self.page(request, form)


class LiftOptOut(View):
    """Lets a person get messages again, after asking why."""

    permission = "opt_out.edit"

    def get(self, request: GateRequest, opt_out_id: int) -> HttpResponse:
        """The question."""
        return self._page(request, opt_out_id, LiftForm())

    def post(self, request: GateRequest, opt_out_id: int) -> HttpResponse:
        """Lift it."""
        form = LiftForm(request.POST)
        if form.is_valid():
            with refusals_shown(form):
                lift_opt_out(
                    by=request.me,
                    opt_out_id=opt_out_id,
                    reason=form.cleaned_data["reason"],
                    now=timezone.now(),
                )
                messages.success(request, _("The opt-out is lifted."))
                return redirect(address(request, "opt_outs"))
        return self._page(request, opt_out_id, form)

    def _page(self, request: GateRequest, opt_out_id: int, form: LiftForm) -> HttpResponse:
        shown = find_opt_out(request.me.here, opt_out_id)
        if shown is None:
            raise Http404
        return show(request, "opt_outs/lift.html", shown=shown, form=form)
