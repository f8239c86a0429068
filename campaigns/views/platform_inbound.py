"""What subscribers wrote that is for no workspace alone."""

from django.http import HttpResponse
from django.views import View

from campaigns.queries.unassigned import page_of_unassigned
from campaigns.views.replies import id_from, wish_from
from workspaces.gate.request import GateRequest
from workspaces.scope import scope_everywhere
from workspaces.views.shown import show


class Unassigned(View):
    """Messages to addresses that no workspace has, or more than one; newest first."""

    permission = "platform.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """One page of them."""
        wish, before = wish_from(request.GET.get("show", "")), request.GET.get("before", "")
        with scope_everywhere("what is for no workspace is for the platform team"):
            page = page_of_unassigned(wish, before=id_from(before))
        return show(
            request,
            "replies/unassigned.html",
            page=page,
            wish=wish.value,
            is_first=not before,
        )
