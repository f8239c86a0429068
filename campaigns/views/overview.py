"""The workspace's first page."""

from django.http import HttpResponse
from django.utils import timezone
from django.views import View

from campaigns.queries.overview import glance
from workspaces.gate.request import GateRequest
from workspaces.views.shown import show

SENDING_SECONDS = 5


class Overview(View):
    """Five seconds to know: is anything wrong, does anything wait for me."""

    permission = "workspace.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """The page; htmx gets the part that moves."""
        found = glance(request.me, timezone.now())
        is_part = request.headers.get("HX-Request") == "true"
        return show(
            request,
            "campaigns/overview_now.html" if is_part else "campaigns/overview.html",
            glance=found,
            may_edit=request.me.may("campaign.edit"),
            every=SENDING_SECONDS if found.is_moving else 0,
        )
