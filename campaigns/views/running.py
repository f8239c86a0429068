"""What a person does to a campaign after its approval: asked first, in words and numbers."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views import View

from campaigns.actions import running
from campaigns.forms.running import CancelForm, PauseForm, PlainForm, RateForm
from campaigns.models import Campaign
from campaigns.queries.live import Counts, counts_of, progress_of
from campaigns.queries.pace import in_digits, pace_of
from campaigns.queries.why import to_the_second
from campaigns.rules.campaign_states import State
from campaigns.views.campaign_address import address, campaign_or_404
from campaigns.views.live import acts_on
from workspaces.forms.refused import show_refusal
from workspaces.gate.request import GateRequest
from workspaces.queries.me import Me
from workspaces.rules.refusal import Refusal
from workspaces.views.shown import show

STALE = 409


class Question(View):
    """Asks what an act will do (GET), in a dialog or on a page of its own, and does it (POST)."""

    permission: ClassVar[str] = "campaign.run_own"
    name: ClassVar[str]
    form_class: ClassVar[Callable[..., forms.Form]] = PlainForm

    def get(self, request: GateRequest, number: int) -> HttpResponse:
        """The question with its effect; one that is no question any more says so."""
        campaign = campaign_or_404(request, number)
        is_late = self.name not in acts_on(campaign)
        return self._ask(request, campaign, self._form(campaign), is_late=is_late)

    def post(self, request: GateRequest, number: int) -> HttpResponse:
        """Do it; what was refused is asked again with the reason, and nothing typed is lost."""
        campaign = campaign_or_404(request, number)
        form = self._form(campaign, request.POST)
        if not form.is_valid():
            return self._ask(request, campaign, form)
        try:
            done = self.act(campaign, request.me, timezone.now(), form.cleaned_data)
        except Refusal as refusal:
            show_refusal(form, refusal)
            return self._ask(request, campaign_or_404(request, number), form, status=STALE)
        messages.success(request, done)
        return HttpResponseRedirect(address(request, "detail", campaign))

    def act(self, campaign: Campaign, me: Me, now: datetime, values: dict[str, Any]) -> str:
        """Do it and return what happened, for people. Raises Refusal."""
        raise NotImplementedError

    def form(self, campaign: Campaign, counts: Counts, given: QueryDict | None) -> forms.Form:
        """Return the form as it is asked first, or with what was given."""
        return self.form_class(given)

    def _form(self, campaign: Campaign, given: QueryDict | None = None) -> forms.Form:
        counts = counts_of(campaign, progress_of(campaign), timezone.now())
        return self.form(campaign, counts, given)

    def _ask(
        self,
        request: GateRequest,
        campaign: Campaign,
        form: forms.Form,
        *,
        status: int = 200,
        is_late: bool = False,
    ) -> HttpResponse:
        now = timezone.now()
        progress = progress_of(campaign)
        is_dialog = request.headers.get("HX-Request") == "true"
        part = "live/ask_late.html" if is_late else f"live/ask_{self.name}.html"
        return show(
            request,
            part if is_dialog else "live/ask.html",
            status=status,
            campaign=campaign,
            act=self.name,
            part=part,
            form=form,
            counts=counts_of(campaign, progress, now),
            pace=pace_of(campaign, progress, now),
            ceiling=in_digits(campaign.rate_ceiling) if campaign.rate_ceiling else "",
            is_dialog=is_dialog,
            now=now,
            back=address(request, "detail", campaign),
            here=address(request, self.name, campaign),
        )


class Start(Question):
    """Starts an approved campaign that waits for a person."""

    name = "start"

    def act(self, campaign: Campaign, me: Me, now: datetime, values: dict[str, Any]) -> str:
        """Start, or hold where the audience is not what was approved."""
        started = running.start(number=campaign.number, by=me, now=now)
        if started.state == State.HELD:
            return _("It is held: %(why)s") % {"why": started.hold_sentence}
        return _("Started at %(time)s.") % {"time": to_the_second(campaign, now, now)}


class Pause(Question):
    """Stops claiming at once."""

    name = "pause"
    form_class = PauseForm

    def act(self, campaign: Campaign, me: Me, now: datetime, values: dict[str, Any]) -> str:
        """Pause."""
        running.pause(number=campaign.number, by=me, why=values["why"], now=now)
        return _("Paused at %(time)s. What is in flight finishes.") % {
            "time": to_the_second(campaign, now, now)
        }


class Resume(Question):
    """Goes on after a pause, or releases what was held."""

    name = "resume"

    def act(self, campaign: Campaign, me: Me, now: datetime, values: dict[str, Any]) -> str:
        """Resume."""
        running.resume(number=campaign.number, by=me, now=now)
        return _("It goes on since %(time)s.") % {"time": to_the_second(campaign, now, now)}


class ChangeRate(Question):
    """Slows a campaign down, or lets it go faster again below what was approved."""

    name = "rate"
    form_class = RateForm

    def form(self, campaign: Campaign, counts: Counts, given: QueryDict | None) -> forms.Form:
        """The rate as it is set now."""
        return RateForm(given, initial={"rate": campaign.runtime_rate})

    def act(self, campaign: Campaign, me: Me, now: datetime, values: dict[str, Any]) -> str:
        """Change it."""
        rate = values["rate"]
        running.change_rate(number=campaign.number, by=me, rate=rate, now=now)
        if rate is None:
            return _("It goes at the plan's own rate again.")
        return _("At most %(rate)s segments/s from now on.") % {"rate": in_digits(rate)}


class Cancel(Question):
    """Ends a campaign: what is not claimed yet is not sent."""

    name = "cancel"
    form_class = CancelForm

    def form(self, campaign: Campaign, counts: Counts, given: QueryDict | None) -> forms.Form:
        """The number of messages that would not be sent, to be typed where there are many."""
        rest = counts.droppable
        return CancelForm(given, rest=rest, initial={"seen": rest})

    def act(self, campaign: Campaign, me: Me, now: datetime, values: dict[str, Any]) -> str:
        """Cancel."""
        dropped = running.cancel(number=campaign.number, by=me, why=values["why"], now=now)
        return ngettext(
            "Cancelled. %(n)s message is not sent; what is in flight finishes.",
            "Cancelled. %(n)s messages are not sent; what is in flight finishes.",
            dropped,
        ) % {"n": f"{dropped:,}"}
