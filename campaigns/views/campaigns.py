"""The list of campaigns, a new one, and what is done to one from outside the wizard."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from campaigns.actions import drafts, review
from campaigns.forms.wizard import DeleteForm
from campaigns.queries import campaigns as questions
from campaigns.queries.campaigns import Filter, Group
from campaigns.queries.senders import approved
from campaigns.views.campaign_address import address, campaign_or_404
from campaigns.views.wizard import to_step
from workspaces.forms.refused import refusals_shown
from workspaces.gate.request import GateRequest
from workspaces.rules.refusal import Refusal
from workspaces.views.shown import show


class Campaigns(View):
    """All campaigns of the workspace, newest first; the filter is the address."""

    permission = "campaign.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """One page."""
        wanted, here, now = read_filter(request.GET), request.me.here, timezone.now()
        counts = questions.group_counts(here)
        page = questions.page_of(here, wanted, now)
        is_first_use = not counts[Group.ALL] and not counts[Group.ARCHIVED]
        return show(
            request,
            "campaigns/list.html",
            wanted=wanted,
            page=page,
            pills=[(group, questions.WORDS[group], counts[group]) for group in Group],
            matching=questions.filtered_count(here, wanted, now),
            summary=questions.summary(here),
            senders=questions.senders_of(here),
            authors=questions.authors_of(here),
            periods=list(questions.PERIODS.items()),
            asked_days=request.GET.get("days", ""),
            chips=_chips(wanted, here_senders=questions.senders_of(here), request=request),
            older=_query(wanted, before=page.before),
            newest=_query(wanted, before=0),
            may_edit=request.me.may("campaign.edit"),
            is_first_use=is_first_use,
            has_sender=bool(approved(here)) if is_first_use else True,
        )


def read_filter(asked: Mapping[str, str]) -> Filter:
    """Return the filter that an address asks for; what it cannot mean is left out."""
    group = asked.get("state", "")
    days = asked.get("days", "")
    return Filter(
        group=Group(group) if group in set(Group) else Group.ALL,
        search=asked.get("q", "").replace("\0", "").strip()[: questions.LONGEST_SEARCH],
        sender=_number(asked.get("sender", "")),
        author=_number(asked.get("author", "")),
        days=int(days) if days and days in questions.PERIODS else 0,
        before=_number(asked.get("before", "")),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _query(wanted: Filter, **changed: Any) -> str:
    """Return the address of the same list with something changed."""
    values = {
        "state": "" if wanted.group is Group.ALL else wanted.group.value,
        "q": wanted.search,
        "sender": wanted.sender,
        "author": wanted.author,
        "days": wanted.days,
        "before": wanted.before,
        **changed,
    }
    return "?" + urlencode({name: value for name, value in values.items() if value})


def _chips(
    wanted: Filter, *, here_senders: list[tuple[int, str]], request: GateRequest
) -> list[tuple[str, str]]:
    """Return (words, address without it) for each filter but the pill."""
    authors = dict(questions.authors_of(request.me.here)) if wanted.author else {}
    found = [
        (f"“{wanted.search}”" if wanted.search else "", _query(wanted, q="", before=0)),
        (dict(here_senders).get(wanted.sender, ""), _query(wanted, sender=0, before=0)),
        (authors.get(wanted.author, ""), _query(wanted, author=0, before=0)),
        (
            str(questions.PERIODS[str(wanted.days)]) if wanted.days else "",
            _query(wanted, days=0, before=0),
        ),
    ]
    return [chip for chip in found if chip[0]]


class NewCampaign(View):
    """A new draft."""

    permission = "campaign.edit"

    def get(self, request: GateRequest) -> HttpResponse:
        """The question, for who comes by a link: looking at a page makes no draft."""
        return show(request, "campaigns/new.html")

    def post(self, request: GateRequest) -> HttpResponse:
        """Make it and go to its first step."""
        campaign = drafts.create_draft(by=request.me, fields={}, now=timezone.now())
        return to_step(request, campaign, "purpose")


class Withdraw(View):
    """Takes a campaign back from review."""

    permission = "campaign.edit"

    def post(self, request: GateRequest, number: int) -> HttpResponse:
        """Withdraw."""
        campaign = campaign_or_404(request, number)
        try:
            review.withdraw(number=number, by=request.me, now=timezone.now())
        except Refusal as refusal:
            messages.error(request, refusal.sentence)
            return HttpResponseRedirect(address(request, "detail", campaign))
        messages.success(request, _("It is back with you. Nobody can approve it now."))
        return to_step(request, campaign, "check")


class Clone(View):
    """Makes a draft with the content of a campaign."""

    permission = "campaign.edit"

    def post(self, request: GateRequest, number: int) -> HttpResponse:
        """Copy, and go to the copy."""
        campaign = campaign_or_404(request, number)
        copy = drafts.clone(number=number, by=request.me, now=timezone.now())
        messages.success(
            request,
            _("This is a copy of %(number)s. Times, rate and approval were not taken along.")
            % {"number": campaign},
        )
        return to_step(request, copy, "purpose")


class Archive(View):
    """Puts a campaign away."""

    permission = "campaign.edit"

    def post(self, request: GateRequest, number: int) -> HttpResponse:
        """Archive."""
        campaign = campaign_or_404(request, number)
        try:
            drafts.archive(number=number, by=request.me, now=timezone.now())
        except Refusal as refusal:
            messages.error(request, refusal.sentence)
            return HttpResponseRedirect(address(request, "detail", campaign))
        messages.success(
            request,
            _("%(name)s is archived. You find it under Archived.")
            % {"name": campaign.name or campaign},
        )
        return to_list(request)


class Restore(View):
    """Takes a campaign out of the archive."""

    permission = "campaign.edit"

    def post(self, request: GateRequest, number: int) -> HttpResponse:
        """Restore."""
        campaign = campaign_or_404(request, number)
        drafts.restore(number=number, by=request.me, now=timezone.now())
        messages.success(request, _("%(name)s is back.") % {"name": campaign.name or campaign})
        return HttpResponseRedirect(address(request, "detail", campaign))


class Delete(View):
    """Takes a campaign off every page, for ever; asked with its number typed."""

    permission = "campaign.delete"

    def get(self, request: GateRequest, number: int) -> HttpResponse:
        """The question."""
        campaign = campaign_or_404(request, number)
        form = DeleteForm(campaign)
        return show(request, "campaigns/delete.html", campaign=campaign, form=form)

    def post(self, request: GateRequest, number: int) -> HttpResponse:
        """Delete."""
        campaign = campaign_or_404(request, number)
        form = DeleteForm(campaign, request.POST)
        if form.is_valid():
            why = form.cleaned_data["why"]
            with refusals_shown(form):
                drafts.delete(number=number, by=request.me, why=why, now=timezone.now())
                messages.success(
                    request,
                    _("%(number)s is deleted. Its audit entries stay.") % {"number": campaign},
                )
                return to_list(request)
        return show(request, "campaigns/delete.html", campaign=campaign, form=form)


def to_list(request: GateRequest) -> HttpResponse:
    """Go to the list."""
    return redirect("campaigns:list", workspace=request.me.here.slug)
