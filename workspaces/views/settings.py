"""A workspace's settings."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from workspaces.actions.workspaces import change_settings
from workspaces.forms.refused import refusals_shown
from workspaces.forms.workspace import SettingsForm
from workspaces.gate.request import GateRequest
from workspaces.queries.zones import zones
from workspaces.views.shown import show


class Settings(View):
    """Name, time zone, open to requests, how long replies are kept."""

    permission = "workspace.edit"

    def get(self, request: GateRequest) -> HttpResponse:
        """The form as it is."""
        here = request.me.here
        values = {
            "name": here.name,
            "zone": here.zone,
            "is_open_to_requests": here.is_open_to_requests,
            "reply_days": str(here.reply_days),
        }
        return self._page(request, SettingsForm(values))

    def post(self, request: GateRequest) -> HttpResponse:
        """Save."""
        form = SettingsForm(request.POST)
        if form.is_valid():
            with refusals_shown(form):
                change_settings(by=request.me, **form.cleaned_data, now=timezone.now())
                messages.success(request, _("Saved."))
                return redirect("workspaces:settings", workspace=request.me.here.slug)
        return self._page(request, form)

    def _page(self, request: GateRequest, form: SettingsForm) -> HttpResponse:
        return show(request, "workspaces/settings.html", form=form, zones=zones())
