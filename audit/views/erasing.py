"""Erasing personal values of an entry, after a question."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import ngettext
from django.views import View

from audit.actions.erase import EraseRefused, erase
from audit.forms.erasing import EraseForm
from audit.queries.entries import Row, entry_of
from audit.queries.kept import kept
from audit.queries.system import every_chain
from audit.rules.events import Erased
from audit.views.caller import AuditRequest
from audit.views.lines import lines
from audit.views.log import chain_of, system_chain_or_404
from audit.views.shown import Chain


class Erase(View):
    """Erases values of an entry of the workspace."""

    permission = "audit.erase"
    asks_password = True

    def get(self, request: AuditRequest, eid: UUID) -> HttpResponse:
        """Draw the question."""
        return _ask(request, chain_of(request), eid)

    def post(self, request: AuditRequest, eid: UUID) -> HttpResponse:
        """Erase."""
        return _erase(request, chain_of(request), eid)


class EraseOfSystem(View):
    """Erases values of an entry of the system chain."""

    permission = "platform.edit"
    asks_password = True

    def get(self, request: AuditRequest, eid: UUID) -> HttpResponse:
        """Draw the question."""
        with every_chain():
            return _ask(request, system_chain_or_404(), eid)

    def post(self, request: AuditRequest, eid: UUID) -> HttpResponse:
        """Erase."""
        with every_chain():
            return _erase(request, system_chain_or_404(), eid)


def _ask(
    request: HttpRequest, chain: Chain, eid: UUID, form: EraseForm | None = None
) -> HttpResponse:
    row, names = _erasable(chain, eid)
    [line] = lines([row], chain.zone)
    context = {
        "chain": chain,
        "line": line,
        "row": row,
        "url": chain.url_of(line),
        "form": form or EraseForm(kept=names),
    }
    return render(request, "audit/erase.html", context)


def _erase(request: AuditRequest, chain: Chain, eid: UUID) -> HttpResponse:
    row, names = _erasable(chain, eid)
    form = EraseForm(request.POST, kept=names)
    if not form.is_valid():
        return _ask(request, chain, eid, form)
    chosen = form.cleaned_data["values"]
    try:
        count = erase(
            workspace=chain.ws,
            values=[Erased(row.seq or 0, name) for name in chosen],
            actor=request.me.actor,
            obj=row.obj,
            basis=form.cleaned_data["basis"],
            now=timezone.now(),
            request_id=request.me.request_id,
        )
    except EraseRefused as refused:
        form.add_error(refused.field or None, str(refused))
        return _ask(request, chain, eid, form)
    said = ngettext("%(n)d value is erased.", "%(n)d values are erased.", count) % {"n": count}
    messages.success(request, said)
    return redirect(f"{chain.url}{eid}/")


def _erasable(chain: Chain, eid: UUID) -> tuple[Row, Sequence[str]]:
    """Return an entry and what it still keeps; raise Http404 when that is nothing."""
    row = entry_of(chain.ws, eid)
    names = kept(chain.ws, eid) if row and row.seq else []
    if row is None or not names:
        raise Http404
    return row, names
