"""The theme, switched from the top bar of any page."""

from django.http import HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View

from workspaces.actions.account import AccountRefused, change_account
from workspaces.gate.request import GateRequest


class ChangeTheme(View):
    """Keeps the theme in the account, so that the server draws the next page in it."""

    permission = "signed_in"

    def post(self, request: GateRequest) -> HttpResponse:
        """204 for script, which has changed the page already; without it, the page once more."""
        user = request.me.user
        try:
            change_account(
                by=request.me,
                name=user.name,
                theme=request.POST.get("theme", ""),
                has_shortcuts=user.has_shortcuts,
                now=timezone.now(),
            )
        except AccountRefused as refusal:
            return HttpResponse(refusal.sentence, status=400, content_type="text/plain")
        if "application/json" in request.headers.get("Accept", ""):
            return HttpResponse(status=204)
        return HttpResponseRedirect(_back(request))


def _back(request: GateRequest) -> str:
    """Return the page that the reader came from, when it is ours."""
    page = request.headers.get("Referer", "")
    hosts = {request.get_host()}
    is_ours = url_has_allowed_host_and_scheme(page, hosts, require_https=request.is_secure())
    return page if is_ours else "/"
