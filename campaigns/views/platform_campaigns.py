"""The Master view: campaigns of every workspace, to look at and nothing else."""

from django.http import HttpResponse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views import View

from campaigns.queries.all_campaigns import (
    GROUPS,
    Wanted,
    group_counts,
    page_of_campaigns,
    workspaces,
)
from workspaces.gate.request import GateRequest
from workspaces.scope import scope_everywhere
from workspaces.views.shown import show

NAMES = {
    "running": _("Sending, paused, held"),
    "waiting": _("Waiting"),
    "drafts": _("Drafts"),
    "ended": _("Ended"),
}
LONGEST_WORDS = 60
LONGEST_ID = 15


class AllCampaigns(View):
    """Campaigns of all workspaces, newest first; the filter is the address."""

    permission = "platform.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """One page of them."""
        wanted = wanted_from(request)
        with scope_everywhere("the Master view"):
            page = page_of_campaigns(wanted, timezone.now())
            counts = group_counts(wanted)
            places = workspaces()
        return show(
            request,
            "platform/campaigns.html",
            page=page,
            wanted=wanted,
            total=sum(counts.values()),
            groups=[(name, NAMES[name], counts[name], url(wanted, group=name)) for name in GROUPS],
            all_url=url(wanted, group=""),
            older_url=url(wanted, before=str(page.before)) if page.before else "",
            newest_url=url(wanted) if wanted.before else "",
            workspaces=places,
            sending_count=counts["running"],
        )


def wanted_from(request: GateRequest) -> Wanted:
    """Return what the address asks for; what makes no sense asks for everything."""
    group, before = request.GET.get("group", ""), request.GET.get("before", "")
    is_number = before.isascii() and before.isdecimal() and len(before) <= LONGEST_ID
    return Wanted(
        group=group if group in GROUPS else "",
        workspace=request.GET.get("workspace", "")[:LONGEST_WORDS],
        words=request.GET.get("q", "").strip()[:LONGEST_WORDS],
        before=int(before) if is_number else 0,
    )


def url(wanted: Wanted, **changes: str) -> str:
    """Return the query string of this filter with other values, from its first page on."""
    values = {"group": wanted.group, "workspace": wanted.workspace, "q": wanted.words} | changes
    return f"?{urlencode({name: value for name, value in values.items() if value})}"
