"""The wizard's last step: what was checked, the audience built, the number typed, submitted."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from campaigns.actions import building, review
from campaigns.forms.wizard import SubmitForm
from campaigns.models import Campaign, Mode
from campaigns.queries.approvers import approvers_of
from campaigns.queries.blockers import blockers, content_blockers, count_to_confirm
from campaigns.queries.campaign_words import when_words
from campaigns.queries.checks import checks_of
from campaigns.queries.counting import Counted, counted
from campaigns.queries.planning import spread_of
from campaigns.queries.previews import Shown, extremes
from campaigns.rules.campaign_states import State
from campaigns.tasks.builds import build
from campaigns.views.campaign_address import address, campaign_or_404
from campaigns.views.wizard import not_here, to_step, wizard_context
from workspaces.forms.refused import show_refusal
from workspaces.gate.request import GateRequest
from workspaces.rules.refusal import Refusal
from workspaces.views.shown import refusals_said, show


class Check(View):
    """Step 5."""

    permission = "campaign.edit"

    def get(self, request: GateRequest, number: int) -> HttpResponse:
        """Everything that matters, in one place."""
        campaign = campaign_or_404(request, number)
        elsewhere = not_here(request, campaign, "check")
        return elsewhere if elsewhere is not None else check_page(request, campaign, SubmitForm())


def check_page(
    request: GateRequest, campaign: Campaign, form: SubmitForm, *, status: int = 200
) -> HttpResponse:
    """Draw the step with the form as it stands."""
    now = timezone.now()
    found = counted(campaign, campaign.text)
    context = wizard_context(request, campaign, "check")
    spread = spread_of(campaign, found.estimate) if campaign.mode == Mode.SPREAD else None
    return show(
        request,
        "campaigns/wizard.html",
        status=status,
        form=form,
        checks=checks_of(campaign, found, context["fit_of_plan"], now),
        blockers=content_blockers(campaign, now) or blockers(campaign, now),
        is_buildable=not content_blockers(campaign, now),
        texts=_texts(campaign, found),
        approvers=approvers_of(campaign, request.me),
        count=count_to_confirm(campaign),
        is_trigger=campaign.mode == Mode.TRIGGER,
        when=when_words(campaign, now),
        rate=spread.rate if spread else None,
        fingerprint=_fingerprint(campaign),
        **context,
        **progress_of_build(campaign),
    )


def _texts(campaign: Campaign, found: Counted) -> list[Shown]:
    if found.measured is None or not found.rows:
        return []
    return extremes(campaign, found.rows, found.measured)


def _fingerprint(campaign: Campaign) -> str:
    """Return the first half of the digest in groups, once there is something to approve."""
    if campaign.state != State.READY:
        return ""
    digits = review.digest_of(campaign.pk).hex()[:32]
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def progress_of_build(campaign: Campaign) -> dict[str, Any]:
    """Return how far a build is, in people."""
    wanted = campaign.recipient_list.valid_count if campaign.recipient_list else 0
    return {
        "is_building": campaign.state == State.BUILDING,
        "built": campaign.built_count,
        "wanted": wanted,
    }


class Build(View):
    """Freezes the audience; the worker does it, this page watches."""

    permission = "campaign.edit"

    def post(self, request: GateRequest, number: int) -> HttpResponse:
        """Begin."""
        campaign = campaign_or_404(request, number)
        with refusals_said(request):
            building.start_build(number=number, by=request.me, now=timezone.now())
            # The row is the work order: a lost nudge only waits for the sweep.
            transaction.on_commit(partial(build.delay, campaign.pk), robust=True)
        return to_step(request, campaign, "check")


class BuildProgress(View):
    """The live part of the step while the audience is built."""

    permission = "campaign.edit"

    def get(self, request: GateRequest, number: int) -> HttpResponse:
        """How far it is; when it is over, the whole page is asked for."""
        campaign = campaign_or_404(request, number)
        context = progress_of_build(campaign)
        response = show(request, "campaigns/building.html", campaign=campaign, **context)
        if not context["is_building"]:
            response["HX-Refresh"] = "true"
        return response


class StopBuild(View):
    """Stops building, so that the campaign can be edited again."""

    permission = "campaign.edit"

    def post(self, request: GateRequest, number: int) -> HttpResponse:
        """Stop."""
        campaign = campaign_or_404(request, number)
        with refusals_said(request):
            building.stop_build(number=number, by=request.me, now=timezone.now())
            messages.success(request, _("Building is stopped. The draft is as it was."))
        return to_step(request, campaign, "check")


class Submit(View):
    """Hands the campaign to review."""

    permission = "campaign.edit"

    def post(self, request: GateRequest, number: int) -> HttpResponse:
        """Submit what the typed number says."""
        campaign = campaign_or_404(request, number)
        elsewhere = not_here(request, campaign, "check")
        if elsewhere is not None:
            return elsewhere
        form = SubmitForm(request.POST)
        if not form.is_valid():
            return check_page(request, campaign, form)
        typed = form.cleaned_data["typed_count"]
        try:
            review.submit(number=number, by=request.me, typed_count=typed, now=timezone.now())
        except review.Blocked:
            return check_page(request, campaign_or_404(request, number), form, status=409)
        except Refusal as refusal:
            show_refusal(form, refusal)
            return check_page(request, campaign, form)
        messages.success(
            request,
            _("%(name)s is in review. You can take it back until it is decided.")
            % {"name": campaign.name},
        )
        return HttpResponseRedirect(address(request, "detail", campaign))
