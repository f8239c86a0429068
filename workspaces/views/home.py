"""Where to begin: the last workspace, or the choice of them."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from workspaces.actions.joining import ask_to_join
from workspaces.forms.workspace import JoinForm
from workspaces.gate.request import GateRequest
from workspaces.queries.choice import first_place, open_places, open_workspace, places
from workspaces.rules.refusal import Refusal
from workspaces.scope import scope_everywhere
from workspaces.views.shown import show


class Home(View):
    """Goes where the person was last."""

    permission = "signed_in"

    def get(self, request: GateRequest) -> HttpResponse:
        """Redirect."""
        with scope_everywhere("a person's own memberships"):
            place = first_place(request.me.user)
        if place is not None:
            return redirect(f"/w/{place.slug}/")
        return redirect("platform:overview" if request.me.user.is_super_admin else CHOOSE)


CHOOSE = "workspaces:choose"


class Choose(View):
    """The person's workspaces, and those that he may ask to join."""

    permission = "signed_in"

    def get(self, request: GateRequest) -> HttpResponse:
        """The list."""
        return self._page(request, JoinForm())

    def post(self, request: GateRequest) -> HttpResponse:
        """Ask to join one of them."""
        form = JoinForm(request.POST)
        slug = str(request.POST.get("workspace", ""))
        workspace = open_workspace(slug)
        if workspace is None:
            raise Http404
        if not form.is_valid():
            return self._page(request, form, slug)
        try:
            ask_to_join(
                workspace=workspace,
                by=request.me,
                text=form.cleaned_data["note"],
                now=timezone.now(),
            )
        except Refusal as refusal:
            form.add_error("note", refusal.sentence)
            return self._page(request, form, slug)
        messages.success(
            request,
            _("You asked to join %(name)s. One of its admins decides.") % {"name": workspace.name},
        )
        return redirect(CHOOSE)

    def _page(self, request: GateRequest, form: JoinForm, asked: str = "") -> HttpResponse:
        with scope_everywhere("a person's own memberships and requests"):
            mine, others = places(request.me.user), open_places(request.me.user)
        return show(
            request,
            "workspaces/choose.html",
            places=mine,
            open_places=others,
            form=form,
            asked=asked,
        )
