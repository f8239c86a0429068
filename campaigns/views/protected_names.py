"""The platform team's list of names that no sender name may pass for."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from campaigns.actions.protected_names import lift_protection, protect_name
from campaigns.forms.senders import LiftForm, ProtectedNameForm
from campaigns.models import ProtectedName
from campaigns.queries.protected_names import protected_name, protected_names
from workspaces.forms.refused import show_refusal
from workspaces.gate.request import GateRequest
from workspaces.rules.refusal import Refusal


class ProtectedNames(View):
    """The list, and the form that adds to it."""

    permission = {"GET": "platform.see", "POST": "platform.edit"}

    def get(self, request: GateRequest) -> HttpResponse:
        """The list."""
        return self.page(request, ProtectedNameForm())

    def post(self, request: GateRequest) -> HttpResponse:
        """Protect a name."""
        form = ProtectedNameForm(request.POST)
        if not form.is_valid():
            return self.page(request, form)
        try:
            name = protect_name(value=form.cleaned_data["value"], by=request.me, now=timezone.now())
        except Refusal as refusal:
            show_refusal(form, refusal)
            return self.page(request, form)
        messages.success(request, _("“%(name)s” is protected.") % {"name": name.value})
        return redirect("platform:senders")

    def page(self, request: GateRequest, form: ProtectedNameForm) -> HttpResponse:
        """Draw the page."""
        context = {"names": protected_names(), "form": form}
        return render(request, "senders/protected.html", context)


class LiftProtection(View):
    """Asks why, and takes a name from the list."""

    permission = "platform.edit"

    def get(self, request: GateRequest, name_id: int) -> HttpResponse:
        """The question."""
        return self.page(request, name_or_404(name_id), LiftForm())

    def post(self, request: GateRequest, name_id: int) -> HttpResponse:
        """Lift it."""
        name, form = name_or_404(name_id), LiftForm(request.POST)
        if not form.is_valid():
            return self.page(request, name, form)
        try:
            lift_protection(
                name_id=name_id, by=request.me, why=form.cleaned_data["why"], now=timezone.now()
            )
        except Refusal as refusal:
            show_refusal(form, refusal)
            return self.page(request, name, form)
        messages.success(request, _("“%(name)s” is not protected any more.") % {"name": name.value})
        return redirect("platform:senders")

    def page(self, request: GateRequest, name: ProtectedName, form: LiftForm) -> HttpResponse:
        """Draw the question."""
        return render(request, "senders/lift_protection.html", {"name": name, "form": form})


def name_or_404(name_id: int) -> ProtectedName:
    """Return a protected name."""
    found = protected_name(name_id)
    if found is None:
        raise Http404
    return found
