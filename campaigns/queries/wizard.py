"""The wizard's steps with how each stands, and the receipt beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from campaigns.models import Campaign
from campaigns.queries.blockers import Blocker, content_blockers
from campaigns.queries.campaign_words import people_words, when_words
from campaigns.queries.counting import Estimate, estimate_of, is_built
from campaigns.queries.planning import Fit, fit
from campaigns.queries.receipts import Receipt, receipt_of
from campaigns.rules.campaign_states import State

STEPS = ("purpose", "message", "recipients", "plan", "check")
TITLES = {
    "purpose": gettext_lazy("Purpose & sender"),
    "message": gettext_lazy("Message"),
    "recipients": gettext_lazy("Recipients"),
    "plan": gettext_lazy("Plan"),
    "check": gettext_lazy("Check & submit"),
}
NEXT = {
    "purpose": gettext_lazy("Next: message"),
    "message": gettext_lazy("Next: recipients"),
    "recipients": gettext_lazy("Next: plan"),
    "plan": gettext_lazy("Next: check & submit"),
    "check": gettext_lazy("Check & submit"),
}


class Standing(StrEnum):
    """How a step stands."""

    DONE = "done"
    NEEDS_YOU = "needs_you"
    NOT_YET = "not_yet"


@dataclass(frozen=True)
class Step:
    """A step of the wizard; `words` say what is in it or what is missing."""

    number: int
    key: str
    title: str
    standing: Standing
    words: str

    @property
    def back(self) -> str:
        """The step before, or nothing."""
        return STEPS[self.number - 2] if self.number > 1 else ""

    @property
    def next(self) -> str:
        """The step after, or nothing."""
        return STEPS[self.number] if self.number < len(STEPS) else ""

    @property
    def back_title(self) -> str:
        """The title of the step before."""
        return str(TITLES.get(self.back, ""))

    @property
    def next_words(self) -> str:
        """What the button to the next step says."""
        return str(NEXT[self.key])


@dataclass(frozen=True)
class Standings:
    """Everything beside the form of a step."""

    steps: Sequence[Step]
    receipt: Receipt
    estimate: Estimate | None
    fit: Fit | None

    def step(self, key: str) -> Step:
        """Return one of the steps."""
        return self.steps[STEPS.index(key)]


def standings(campaign: Campaign, now: datetime) -> Standings:
    """Return the steps and the receipt of a campaign as it is saved."""
    found = content_blockers(campaign, now)
    estimate = estimate_of(campaign)
    found_fit = fit(campaign, estimate, now)
    return Standings(
        fit=found_fit,
        steps=_steps(campaign, found, found_fit, now),
        receipt=receipt_of(campaign, found, estimate, now),
        estimate=estimate,
    )


def _steps(
    campaign: Campaign, found: Sequence[Blocker], found_fit: Fit | None, now: datetime
) -> list[Step]:
    words = {
        "purpose": _purpose_words(campaign),
        "message": _message_words(campaign),
        "recipients": people_words(campaign),
        "plan": when_words(campaign, now),
        "check": _check_words(campaign, found),
    }
    stands = {key: _standing(key, campaign, found) for key in STEPS}
    for key in STEPS[:-1]:
        if stands[key] is not Standing.DONE:
            own = [one for one in found if one.step == key]
            is_untouched = stands[key] is Standing.NOT_YET
            words[key] = _("Not started") if is_untouched else _short(own)
    if stands["plan"] is Standing.DONE and found_fit is not None and found_fit.is_fitting is False:
        stands["plan"], words["plan"] = Standing.NEEDS_YOU, _("Does not fit the route")
    return [
        Step(number, key, str(TITLES[key]), stands[key], words[key])
        for number, key in enumerate(STEPS, start=1)
    ]


def _standing(key: str, campaign: Campaign, found: Sequence[Blocker]) -> Standing:
    if key == "check":
        if campaign.state == State.FAILED:
            return Standing.NEEDS_YOU
        is_done = not found and campaign.state == State.READY
        return Standing.DONE if is_done else Standing.NOT_YET
    if not any(one.step == key for one in found):
        return Standing.DONE
    return Standing.NOT_YET if _is_untouched(key, campaign) else Standing.NEEDS_YOU


def _is_untouched(key: str, campaign: Campaign) -> bool:
    touched: Mapping[str, object] = {
        "purpose": campaign.name or campaign.sender_id,
        "message": campaign.text,
        "recipients": campaign.recipient_list_id,
        "plan": campaign.route_id or campaign.starts_at or campaign.ends_at,
    }
    return not touched[key]


def _short(own: Sequence[Blocker]) -> str:
    if len(own) == 1:
        return own[0].sentence.split(". ")[0].removesuffix(".")
    return ngettext("%(n)s thing is missing", "%(n)s things are missing", len(own)) % {
        "n": len(own)
    }


def _purpose_words(campaign: Campaign) -> str:
    return campaign.sender.value if campaign.sender else _("Not started")


def _message_words(campaign: Campaign) -> str:
    histogram = campaign.segment_histogram if is_built(campaign) else {}
    if not histogram:
        return _("%(n)s characters") % {"n": f"{len(campaign.text):,}"}
    parts = sorted(int(part) for part in histogram)
    if len(parts) == 1:
        return ngettext("%(n)s part", "%(n)s parts", parts[0]) % {"n": parts[0]}
    return _("%(least)s to %(most)s parts") % {"least": parts[0], "most": parts[-1]}


def _check_words(campaign: Campaign, found: Sequence[Blocker]) -> str:
    if campaign.state == State.BUILDING:
        return _("Building the audience")
    if campaign.state == State.FAILED:
        return _("Building stopped")
    if found:
        return ngettext("%(n)s thing is missing", "%(n)s things are missing", len(found)) % {
            "n": len(found)
        }
    return _("Ready to submit") if campaign.state == State.READY else _("Ready to build")
