"""The audit log of a workspace, and the system's for the platform team."""

from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.views import View

from audit.queries.system import every_chain, system_chain
from audit.views.caller import AuditRequest
from audit.views.shown import Chain, show_entries, show_entry


class Entries(View):
    """A workspace's entries, newest first, refused attempts included."""

    permission = "audit.see"

    def get(self, request: AuditRequest) -> HttpResponse:
        """Draw them."""
        return show_entries(request, chain_of(request))


class OneEntry(View):
    """One entry: what it says, and what proves it."""

    permission = "audit.see"

    def get(self, request: AuditRequest, eid: UUID) -> HttpResponse:
        """Draw it; one of another workspace does not exist."""
        return show_entry(request, chain_of(request), eid)


class SystemEntries(View):
    """What concerns no single workspace: accounts, connections, routes, the log's own processes."""

    permission = "platform.see"

    def get(self, request: HttpRequest) -> HttpResponse:
        """Draw them."""
        with every_chain():
            return show_entries(request, system_chain_or_404())


class OneSystemEntry(View):
    """One entry of the system chain."""

    permission = "platform.see"

    def get(self, request: AuditRequest, eid: UUID) -> HttpResponse:
        """Draw it; one of a workspace is not shown here."""
        may_erase = request.me.may("platform.edit")
        with every_chain():
            return show_entry(request, system_chain_or_404(may_erase=may_erase), eid)


def chain_of(request: AuditRequest) -> Chain:
    """Return the chain of the caller's workspace."""
    here = request.me.here
    return Chain(
        here.uuid,
        ZoneInfo(here.zone),
        here.slug,
        here.name,
        may_erase=request.me.may("audit.erase"),
        may_export=request.me.may("evidence.export"),
    )


def system_chain_or_404(*, may_erase: bool = False) -> Chain:
    """Return the system chain; raise Http404 before the installation."""
    install = system_chain()
    if install is None:
        raise Http404
    return Chain(install, ZoneInfo("UTC"), may_erase=may_erase)
