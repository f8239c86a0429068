"""What a moderator reads of a campaign: what is new in it, real texts, risks, plan and audience."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import Approval, Campaign, Mode, Priority, Verdict
from campaigns.queries.alphabets import alphabet_counted
from campaigns.queries.campaign_words import when_words
from campaigns.queries.checks import same_list
from campaigns.queries.counting import table_words
from campaigns.queries.lists import opted_out_count
from campaigns.queries.planning import rate_text
from campaigns.queries.plans import plan_of
from campaigns.queries.previews import Shown, shown
from campaigns.queries.samples import Row, sample_of_audience
from campaigns.rules.composition import Measured, letters_of, measure
from campaigns.rules.differences import WORDS, Piece, differences
from campaigns.rules.text import LINK, compile_text
from smpp_client.rules.pace import PlanRefused
from smpp_client.rules.segments import TextRefused

MANY_PEOPLE = 100_000
SHORT_LEAD = timedelta(hours=1)
LOOKED_BACK = 20
CLOSE = 0.8
RANDOM = 5
COUNTED_AT_ONCE = 20_000
KINDS = {
    "random": gettext_lazy("Random"),
    "longest": gettext_lazy("Longest"),
    "rarest": gettext_lazy("Rarest letters"),
}


@dataclass(frozen=True)
class Line:
    """A fact beside the same fact of the campaign before; `old` is None where there is none."""

    label: str
    old: str | None
    new: str

    @property
    def is_same(self) -> bool:
        """Whether nothing changed."""
        return self.old == self.new


@dataclass(frozen=True)
class Changes:
    """What is new against the approved campaign of this sender whose text is closest."""

    before: Campaign | None
    approved_at: datetime | None
    pieces: Sequence[Piece]
    lines: Sequence[Line]
    likeness: float = 0.0


@dataclass(frozen=True)
class Risk:
    """Something to look at, or good to know."""

    icon: str
    words: str
    is_good: bool = False


@dataclass(frozen=True)
class Texts:
    """What people will read. `note` says over which rows it was looked for."""

    kind: str
    texts: Sequence[Shown]
    note: str
    has_other_letters: bool


def changes_of(campaign: Campaign, now: datetime) -> Changes:
    """Compare a campaign with the one approved before."""
    before, likeness = _closest(campaign)
    if before is None:
        lines = [Line(label, None, new) for label, new in _facts(campaign, now)]
        return Changes(None, None, [("same", campaign.text)], lines)
    old = dict(_facts(before, now))
    lines = [Line(label, old[label], new) for label, new in _facts(campaign, now)]
    pieces = differences(before.text, campaign.text)
    return Changes(before, before.approved_at, pieces, lines, likeness)


def _closest(campaign: Campaign) -> tuple[Campaign | None, float]:
    """Return the approved campaign with the most similar text among the sender's last, and how
    similar it is (0 to 1).
    """
    approved = (
        Approval.objects.filter(
            workspace=campaign.workspace_id,
            verdict=Verdict.APPROVE,
            campaign__sender=campaign.sender_id,
            campaign__deleted_at=None,
        )
        .exclude(campaign=campaign)
        .select_related(
            "campaign__workspace",
            "campaign__sender",
            "campaign__sender_revision",
            "campaign__route",
        )
        .order_by("-pk")[:LOOKED_BACK]
    )
    found = [(one.campaign, _likeness(one.campaign.text, campaign.text)) for one in approved]
    return max(found, key=lambda pair: pair[1], default=(None, 0.0))


def _likeness(old: str, new: str) -> float:
    return SequenceMatcher(None, WORDS.findall(old), WORDS.findall(new), autojunk=False).ratio()


def _facts(campaign: Campaign, now: datetime) -> list[tuple[str, str]]:
    revision = campaign.sender_revision
    sender = f"{revision.value}, rev. {revision.number}" if revision else ""
    is_trigger = campaign.mode == Mode.TRIGGER
    people = (
        (_("A day at most"), f"{campaign.daily_cap or 0:,}")
        if is_trigger
        else (_("Recipients"), f"{campaign.total:,}")
    )
    return [
        people,
        (_("Rate"), rate_of(campaign)),
        (_("Sender"), sender),
        (_("Route"), campaign.route.name if campaign.route else ""),
        (_("Priority"), str(Priority(campaign.priority).label)),
    ]


def rate_of(campaign: Campaign) -> str:
    """Return the rate that was planned, in words."""
    if campaign.mode == Mode.SPREAD:
        try:
            return _("%(rate)s segments/s") % {"rate": rate_text(plan_of(campaign).rate)}
        except PlanRefused:
            return _("its window never opens")
    if campaign.rate_ceiling is None:
        return _("the route's")
    return _("at most %(rate)s segments/s") % {"rate": rate_text(float(campaign.rate_ceiling))}


def plan_lines(campaign: Campaign, now: datetime) -> list[tuple[str, str]]:
    """Return the plan as a moderator reads it."""
    hours = (
        f"{campaign.daily_from:%H:%M}–{campaign.daily_until:%H:%M}"
        if campaign.daily_from and campaign.daily_until
        else ""
    )
    by_hand = _("when a person presses start") if campaign.start_by == "hand" else _("by itself")
    lines = [
        (_("Mode"), str(Mode(campaign.mode).label)),
        (_("When"), when_words(campaign, now)),
        (_("Hours"), hours),
        (_("Rate"), rate_of(campaign)),
        (_("Segments"), f"{campaign.segment_total:,}" if campaign.segment_total else ""),
        (_("A day at most"), f"{campaign.daily_cap:,}" if campaign.daily_cap else ""),
        (_("Route"), campaign.route.name if campaign.route else ""),
        (_("Priority"), str(Priority(campaign.priority).label)),
        (_("Starts"), by_hand),
        (_("From"), campaign.recipient_list.name if campaign.recipient_list else ""),
    ]
    return [(label, value) for label, value in lines if value]


def audience_lines(campaign: Campaign) -> list[tuple[str, int]]:
    """Return how the list's rows became people, as (words, how many)."""
    lst = campaign.recipient_list
    if lst is None or campaign.mode == Mode.TRIGGER:
        return []
    lines = [
        (_("Rows in the file"), lst.row_count),
        (_("Faults"), lst.fault_count),
        (_("Duplicates"), lst.duplicate_count),
        (_("People"), campaign.total),
    ]
    if campaign.total <= COUNTED_AT_ONCE:
        lines.append((_("Opted out now, will get nothing"), opted_out_count(lst)))
    return lines


def texts_of(campaign: Campaign, kind: str, draw: int) -> Texts | None:
    """Return real texts of a frozen audience: some at random, the longest, those in rare letters.

    Positions are a shuffle, so the first thousand are a fair sample; `draw` picks other random
    ones. None for a trigger, which has no audience.
    """
    if campaign.mode == Mode.TRIGGER or not campaign.total:
        return None
    sample = sample_of_audience(campaign)
    values = [row.values for row in sample.rows]
    try:
        measured = measure(compile_text(campaign.text), values, alphabet_counted(campaign))
    except TextRefused:
        return None
    has_others = len(measured.encodings) > 1
    if kind == "random":
        start = draw * RANDOM % max(campaign.total, 1)
        rows: Sequence[Row] = sample_of_audience(campaign, start, RANDOM).rows
    else:
        rows = _picked(kind, sample.rows, measured)
    note = "" if sample.is_whole else _("Looked for in a fair sample of 1,000 people.")
    found = shown(campaign, [(row, "") for row in rows])
    return Texts(kind, found, "" if kind == "random" else note, has_others)


def _picked(kind: str, rows: Sequence[Row], measured: Measured) -> list[Row]:
    indexes = range(len(rows))
    if kind == "longest":
        order = sorted(
            indexes, key=lambda i: (-measured.counts[i].segments, -measured.counts[i].units)
        )
    else:
        rare = list(measured.encodings)[-1] if len(measured.encodings) > 1 else None
        order = [i for i in indexes if measured.counts[i].encoding == rare]
    return [rows[i] for i in order[:RANDOM]]


def risks_of(
    campaign: Campaign, changes: Changes, texts: Texts | None, now: datetime
) -> list[Risk]:
    """Return what to look at, in words; what is good to know stands last."""
    found = [
        *_size(campaign),
        *_lead(campaign, now),
        *_content(campaign, texts),
        *[Risk("history", f"{words} ({which})") for words, which in same_list(campaign, now)],
        *_likeness_risk(changes),
    ]
    return sorted(found, key=lambda risk: risk.is_good)


def _size(campaign: Campaign) -> list[Risk]:
    if campaign.total < MANY_PEOPLE:
        return []
    return [Risk("users", _("%(n)s people") % {"n": f"{campaign.total:,}"})]


def _lead(campaign: Campaign, now: datetime) -> list[Risk]:
    if campaign.starts_at is None:
        return []
    if campaign.starts_at <= now:
        return [Risk("clock", _("Its start has passed: it begins as soon as you approve"))]
    minutes = int((campaign.starts_at - now).total_seconds() // 60)
    if campaign.starts_at - now < SHORT_LEAD:
        return [Risk("clock", _("Starts soon, in %(n)s min") % {"n": minutes})]
    return []


def _content(campaign: Campaign, texts: Texts | None) -> list[Risk]:
    found = []
    if campaign.priority == Priority.PROMOTIONAL:
        found.append(Risk("flag", _("Promotional")))
    if LINK.search(campaign.text):
        found.append(Risk("link", _("A link in the text")))
    alphabet = alphabet_counted(campaign)
    table = {"table": table_words(alphabet)}
    if letters_of(campaign.text, alphabet):
        found.append(Risk("alert-triangle", _("Letters outside %(table)s") % table))
    elif texts is not None and texts.has_other_letters:
        words = _("Some people's values are outside %(table)s") % table
        found.append(Risk("alert-triangle", words))
    if campaign.mode == Mode.TRIGGER:
        found.append(Risk("bolt", _("A system fills it in later")))
    return found


def _likeness_risk(changes: Changes) -> list[Risk]:
    if changes.before is None:
        return [Risk("id-badge-2", _("The first campaign of this sender"))]
    if changes.likeness >= CLOSE:
        return [Risk("circle-check", _("Text close to an approved one"), is_good=True)]
    return [Risk("edit", _("A text unlike the approved ones"))]
