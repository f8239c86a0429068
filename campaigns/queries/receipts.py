"""The receipt: what a campaign comes to as it is saved, always beside the form."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from campaigns.models import Campaign, Mode
from campaigns.queries.blockers import Blocker
from campaigns.queries.campaign_words import day_form, local, people_words, segment_words
from campaigns.queries.counting import Estimate, is_built
from campaigns.queries.planning import rate_text, spread_of


@dataclass(frozen=True)
class Line:
    """A line of the receipt; `is_missing` is set in amber."""

    label: str
    value: str
    is_missing: bool = False


@dataclass(frozen=True)
class Receipt:
    """What the campaign comes to as it is saved."""

    lines: Sequence[Line]
    people: str
    segments: str
    missing: Sequence[Blocker]


def receipt_of(
    campaign: Campaign, found: Sequence[Blocker], estimate: Estimate | None, now: datetime
) -> Receipt:
    """Return the receipt; `found` are the campaign's blockers."""
    segments = segment_words(estimate)
    people = people_words(campaign)
    is_trigger = campaign.mode == Mode.TRIGGER
    lines = [
        _line(_("Sender"), _sender_words(campaign)),
        _line(_("Recipients"), _people_value(campaign)),
        None if is_trigger else _line(_("Segments"), segments),
        Line(_("A day at most"), f"{campaign.daily_cap:,}") if campaign.daily_cap else None,
        _line(_("Start"), _start_words(campaign, now)),
        _end_line(campaign, now),
        _hours_line(campaign),
        *_rate_lines(campaign, estimate),
        _line(_("Route"), campaign.route.name if campaign.route else ""),
        Line(_("Approvals"), _("1 other person")),
    ]
    return Receipt([line for line in lines if line], people, segments, found)


def _line(label: str, value: str) -> Line:
    return Line(label, value) if value else Line(label, _("not chosen yet"), is_missing=True)


def _sender_words(campaign: Campaign) -> str:
    sender = campaign.sender
    if sender is None:
        return ""
    revision = campaign.sender_revision if is_built(campaign) else sender.approved_revision
    if revision is None:
        return _("%(name)s, not approved") % {"name": sender.value}
    return _("%(name)s, rev. %(n)s") % {"name": sender.value, "n": revision.number}


def _people_value(campaign: Campaign) -> str:
    if campaign.mode == Mode.TRIGGER:
        return _("pushed by a system")
    if campaign.recipient_list is None:
        return ""
    count = campaign.total if is_built(campaign) else campaign.recipient_list.valid_count
    return f"{count:,}"


def _start_words(campaign: Campaign, now: datetime) -> str:
    if campaign.mode in {Mode.ON_DEMAND, Mode.TRIGGER}:
        return _("after approval")
    at = campaign.starts_at
    return local(campaign, at, day_form(campaign, at, now) + "H:i") if at else ""


def _end_line(campaign: Campaign, now: datetime) -> Line | None:
    at = campaign.ends_at
    if at is not None:
        return Line(_("End"), local(campaign, at, day_form(campaign, at, now) + "H:i"))
    if campaign.mode in {Mode.SPREAD, Mode.TRIGGER}:
        return _line(_("End"), "")
    return Line(_("End"), _("when all is sent"))


def _hours_line(campaign: Campaign) -> Line | None:
    if campaign.daily_from is None or campaign.daily_until is None:
        return None
    return Line(_("Hours"), f"{campaign.daily_from:%H:%M}–{campaign.daily_until:%H:%M}")


def _rate_lines(campaign: Campaign, estimate: Estimate | None) -> list[Line]:
    if campaign.mode != Mode.SPREAD:
        ceiling = campaign.rate_ceiling
        words = f"{rate_text(float(ceiling))}/s" if ceiling else _("the route's")
        return [Line(_("Rate at most"), words)]
    plan = spread_of(campaign, estimate)
    if plan is None:
        return [_line(_("Rate"), "")]
    return [
        Line(_("Rate"), f"{rate_text(plan.rate)}/s"),
        Line(_("Catch-up limit"), f"{rate_text(plan.cap)}/s"),
    ]
