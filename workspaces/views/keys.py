"""API keys of a workspace."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from workspaces.actions.keys import create_key, revoke_key
from workspaces.forms.refused import refusals_shown
from workspaces.forms.workspace import KeyForm
from workspaces.gate.request import GateRequest
from workspaces.models import ApiKey
from workspaces.queries.members import api_keys
from workspaces.views.shown import refusals_said, show


class Keys(View):
    """The workspace's keys, dead ones included."""

    permission = "key.edit"

    def get(self, request: GateRequest) -> HttpResponse:
        """The list."""
        found = api_keys(request.me.here)
        return show(request, "workspaces/keys.html", keys=found, now=timezone.now())


class NewKey(View):
    """Makes a key and shows its token, once."""

    permission = "key.edit"
    asks_password = True

    def get(self, request: GateRequest) -> HttpResponse:
        """The form."""
        form = KeyForm(is_platform=request.me.may("platform.see"))
        return show(request, "workspaces/new_key.html", form=form)

    def post(self, request: GateRequest) -> HttpResponse:
        """Make it. The token is in this answer and nowhere else."""
        form = KeyForm(request.POST, is_platform=request.me.may("platform.see"))
        if form.is_valid():
            with refusals_shown(form):
                new = create_key(by=request.me, **form.cleaned_data, now=timezone.now())
                return show(request, "workspaces/key_made.html", key=new.key, token=new.token)
        return show(request, "workspaces/new_key.html", form=form)


class RevokeKey(View):
    """Ends a key, after a question."""

    permission = "key.edit"

    def get(self, request: GateRequest, key_id: int) -> HttpResponse:
        """The question."""
        return show(request, "workspaces/revoke_key.html", key=self._key(request, key_id))

    def post(self, request: GateRequest, key_id: int) -> HttpResponse:
        """Revoke."""
        key = self._key(request, key_id)
        with refusals_said(request):
            revoke_key(key_id=key_id, by=request.me, now=timezone.now())
            sentence = _("The key %(name)s is revoked. Its next call is refused.")
            messages.success(request, sentence % {"name": key.name})
        return redirect("workspaces:keys", workspace=request.me.here.slug)

    def _key(self, request: GateRequest, key_id: int) -> ApiKey:
        found = next((key for key in api_keys(request.me.here) if key.pk == key_id), None)
        if found is None:
            raise Http404
        return found
