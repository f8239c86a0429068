"""The moderators' inbox, one campaign in it, and the decision."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from campaigns.actions import review
from campaigns.forms.review import DecisionForm
from campaigns.models import Campaign
from campaigns.queries import reading
from campaigns.queries import review as questions
from campaigns.queries.approvers import parts_in
from campaigns.queries.review import Item
from campaigns.rules.campaign_states import State
from campaigns.rules.text import PLACEHOLDER
from campaigns.views.campaign_address import address, campaign_or_404
from workspaces.forms.refused import show_refusal
from workspaces.gate.request import GateRequest
from workspaces.rules.refusal import Refusal
from workspaces.views.shown import show

# A refusal's code -> HTTP status; what is not here is a conflict with the state of things.
STATUS_OF = {"four_eyes": 403}
MOST_DRAWS = 1_000


@dataclass(frozen=True)
class Act:
    """A decision that may be taken now: the question before it, its effect, its button."""

    name: str
    question: str
    effect: str
    button: str
    short: str
    tone: str
    key: str
    icon: str
    url: str
    form: DecisionForm


class Inbox(View):
    """Everything that waits for a decision."""

    permission = "campaign.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """First deadline first; own work is listed and says why it is not one's own to decide."""
        items = questions.inbox(request.me, timezone.now())
        mine = sum(not one.is_own for one in items)
        return show(
            request,
            "review/inbox.html",
            items=[(one, item_url(request, one)) for one in items],
            waiting=mine,
            may_decide=request.me.may("campaign.review"),
        )


def item_url(request: GateRequest, item: Item) -> str:
    """Return where something that waits is decided."""
    slug = request.me.here.slug
    if item.kind == "sender":
        return reverse("campaigns:sender", kwargs={"workspace": slug, "sender": item.sender})
    return reverse("campaigns:review_item", kwargs={"workspace": slug, "number": item.number})


class ReviewItem(View):
    """One campaign as a moderator reads it."""

    permission = "campaign.see"

    def get(self, request: GateRequest, number: int) -> HttpResponse:
        """The page; what waits for no decision any more is on its own page."""
        campaign = campaign_or_404(request, number)
        if campaign.state != State.IN_REVIEW:
            messages.info(request, _("%(number)s is not in review.") % {"number": campaign})
            return HttpResponseRedirect(address(request, "detail", campaign))
        return item_page(request, campaign)


def item_page(
    request: GateRequest,
    campaign: Campaign,
    *,
    refusal: Refusal | None = None,
    words: str = "",
    status: int = 200,
) -> HttpResponse:
    """Draw a campaign for decision, with the refusal of what was just tried and its note."""
    now = timezone.now()
    kind, draw = _asked_texts(request)
    changes = reading.changes_of(campaign, now)
    texts = reading.texts_of(campaign, kind, draw)
    digest = review.digest_of(campaign.pk).hex()
    items = questions.inbox(request.me, now)
    here = next((one for one in items if one.number == campaign.number and one.number), None)
    part = parts_in(campaign).get(request.me.person_id, "")
    return show(
        request,
        "review/item.html",
        status=status,
        campaign=campaign,
        items=[(one, item_url(request, one)) for one in items],
        item=here,
        who=questions.who_made(campaign),
        changes=changes,
        text_pieces=_with_placeholders(changes.pieces),
        texts=texts,
        kinds=list(reading.KINDS.items()),
        draw=draw + 1,
        risks=reading.risks_of(campaign, changes, texts, now),
        plan=reading.plan_lines(campaign, now),
        audience=reading.audience_lines(campaign),
        fingerprint=" ".join(digest[at : at + 4] for at in range(0, 32, 4)),
        effect=questions.effect_of_approval(campaign, now),
        acts=acts_on(request, campaign, digest, words),
        part=part,
        refusal=refusal,
        kept=words,
    )


def _asked_texts(request: GateRequest) -> tuple[str, int]:
    kind = request.GET.get("texts", "")
    draw = request.GET.get("draw", "")
    number = int(draw[:6]) if draw.isascii() and draw.isdigit() else 0
    return kind if kind in reading.KINDS else "random", number % MOST_DRAWS


def _with_placeholders(pieces: Any) -> list[tuple[str, list[tuple[bool, str]]]]:
    """Cut the pieces of a difference at their placeholders: (kind, [(is one, words)])."""
    return [
        (
            kind,
            [(at % 2 == 1, part) for at, part in enumerate(PLACEHOLDER.split(text)) if part],
        )
        for kind, text in pieces
    ]


def acts_on(
    request: GateRequest, campaign: Campaign, digest: str, words: str = ""
) -> dict[str, Act]:
    """Return the decisions that the caller may take, by name; none on his own work."""
    is_own = request.me.person_id in parts_in(campaign)
    if is_own or not request.me.may("campaign.review") or campaign.state != State.IN_REVIEW:
        return {}
    now = timezone.now()
    name = campaign.name or str(campaign)
    approve = questions.approve_words(campaign)
    return {
        "approve": _act(
            request,
            campaign,
            "approve",
            (digest, words),
            question=_("Approve %(name)s?") % {"name": name},
            effect=questions.effect_of_approval(campaign, now)
            + " "
            + _("You approve exactly this; any change voids it."),
            button=approve,
        ),
        "return": _act(
            request,
            campaign,
            "return",
            (digest, words),
            question=_("Return %(name)s to its author?") % {"name": name},
            effect=_("It can be changed and submitted again. Nothing is sent."),
            button=_("Return to the author"),
        ),
        "reject": _act(
            request,
            campaign,
            "reject",
            (digest, words),
            question=_("Reject %(name)s for good?") % {"name": name},
            effect=_("It can be cloned, never sent. Nothing is sent."),
            button=_("Reject for good"),
        ),
    }


LOOKS: Mapping[str, tuple[str, str, str]] = {
    "approve": ("pri", "a", "check"),
    "return": ("", "r", "arrow-back-up"),
    "reject": ("dng", "x", "x"),
}


def _act(
    request: GateRequest,
    campaign: Campaign,
    name: str,
    kept: tuple[str, str],
    *,
    question: str,
    effect: str,
    button: str,
) -> Act:
    tone, key, icon = LOOKS[name]
    short = {"approve": _("Approve"), "return": _("Return"), "reject": _("Reject")}[name]
    where = {"workspace": request.me.here.slug, "number": campaign.number, "verdict": name}
    form = DecisionForm(initial={"seen": kept[0], "words": kept[1]}, auto_id=f"{name}-%s")
    form.fields["words"].required = name != "approve"
    url = reverse("campaigns:review_decide", kwargs=where)
    return Act(name, question, effect, button, short, tone, key, icon, url, form)


Do = Callable[..., Campaign]
DO: Mapping[str, Do] = {
    "approve": review.approve,
    "return": review.return_,
    "reject": review.reject,
}


class Decide(View):
    """Asks before a decision (GET, where there is no script) and takes it (POST)."""

    permission = "campaign.review"
    asks_password = True

    def get(self, request: GateRequest, number: int, verdict: str) -> HttpResponse:
        """The question as a page, or the campaign where there is nothing to ask."""
        campaign = campaign_or_404(request, number)
        _must_exist(verdict)
        digest = review.digest_of(campaign.pk).hex()
        act = acts_on(request, campaign, digest).get(verdict)
        if act is None:
            return redirect("campaigns:review_item", request.me.here.slug, number)
        return show(request, "review/act.html", campaign=campaign, act=act, form=act.form)

    def post(self, request: GateRequest, number: int, verdict: str) -> HttpResponse:
        """Decide on what was seen."""
        campaign = campaign_or_404(request, number)
        _must_exist(verdict)
        form = DecisionForm(request.POST, auto_id=f"{verdict}-%s")
        if not form.is_valid():
            return _asked_again(request, campaign, verdict, form)
        words = form.cleaned_data["words"]
        try:
            DO[verdict](
                number=number,
                by=request.me,
                seen=form.cleaned_data["seen"],
                words=words,
                now=timezone.now(),
            )
        except review.NoteMissing as refusal:
            show_refusal(form, refusal)
            return _asked_again(request, campaign, verdict, form)
        except Refusal as refusal:
            status = STATUS_OF.get(refusal.code, 409)
            again = campaign_or_404(request, number)
            return item_page(request, again, refusal=refusal, words=words, status=status)
        messages.success(request, _done(campaign, verdict))
        return redirect("campaigns:review", request.me.here.slug)


def _must_exist(verdict: str) -> None:
    if verdict not in DO:
        raise Http404


def _asked_again(
    request: GateRequest, campaign: Campaign, verdict: str, form: DecisionForm
) -> HttpResponse:
    """Show the question with what is missing, or the campaign where it waits no more."""
    digest = str(form["seen"].value() or "")
    act = acts_on(request, campaign, digest).get(verdict)
    if act is None:
        return redirect("campaigns:review_item", request.me.here.slug, campaign.number)
    form.fields["words"].required = act.form.fields["words"].required
    return show(request, "review/act.html", campaign=campaign, act=act, form=form)


def _done(campaign: Campaign, verdict: str) -> str:
    words = {"name": campaign.name or str(campaign)}
    if verdict == "approve":
        return _("%(name)s is approved.") % words
    if verdict == "return":
        return _("%(name)s is back with its author.") % words
    return _("%(name)s is rejected.") % words
