"""The workspace's campaigns as lists show them: filtered, counted, a page at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from campaigns.models import ApiMessage, Campaign, Mode, Progress
from campaigns.queries.campaign_words import when_words
from campaigns.queries.counting import is_built
from campaigns.queries.deadlines import deadline_of
from campaigns.rules.campaign_states import FINAL, State
from campaigns.rules.message_states import MessageState
from workspaces.models import Workspace

PAGE = 25
LONGEST_SEARCH = 60
MOST_AUTHORS = 200


class Group(StrEnum):
    """The pills above the list; each is the states that its filter shows."""

    ALL = "all"
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    STOPPED = "stopped"
    FINISHED = "finished"
    ARCHIVED = "archived"


S = State
STATES: Mapping[Group, frozenset[State]] = {
    Group.DRAFT: frozenset({S.DRAFT, S.BUILDING, S.READY, S.RETURNED, S.FAILED}),
    Group.IN_REVIEW: frozenset({S.IN_REVIEW}),
    Group.SCHEDULED: frozenset({S.APPROVED, S.SCHEDULED}),
    Group.SENDING: frozenset({S.SENDING}),
    Group.STOPPED: frozenset({S.PAUSED, S.HELD}),
    Group.FINISHED: FINAL,
}
WORDS = {
    Group.ALL: gettext_lazy("All"),
    Group.DRAFT: gettext_lazy("Draft"),
    Group.IN_REVIEW: gettext_lazy("In review"),
    Group.SCHEDULED: gettext_lazy("Scheduled"),
    Group.SENDING: gettext_lazy("Sending"),
    Group.STOPPED: gettext_lazy("Held or paused"),
    Group.FINISHED: gettext_lazy("Finished"),
    Group.ARCHIVED: gettext_lazy("Archived"),
}
PERIODS = {
    "": gettext_lazy("Any time"),
    "7": gettext_lazy("Last 7 days"),
    "30": gettext_lazy("Last 30 days"),
    "365": gettext_lazy("Last year"),
}
STARTED = frozenset({S.SENDING, S.PAUSED, S.HELD, S.COMPLETED, S.CANCELLED, S.EXPIRED})


@dataclass(frozen=True)
class Filter:
    """What a list is asked for. `before` is a campaign number, 0 for the newest page; `sender` and
    `author` are ids as they were asked for.
    """

    group: Group = Group.ALL
    search: str = ""
    sender: int = 0
    author: int = 0
    days: int = 0
    before: int = 0

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the pill narrows the list."""
        return bool(self.search or self.sender or self.author or self.days)


@dataclass(frozen=True)
class Row:
    """A campaign as one line of a list. `counts` are messages by state; empty before it is built.

    `state` is the chip's; `sentence` is the second line below it, `is_bad` in red. `recipients`
    and `segments` are None while they are not known.
    """

    number: int
    name: str
    sender: str
    author: str
    state: str
    sentence: str
    is_bad: bool
    when: str
    recipients: int | None
    segments: int | None
    counts: Mapping[str, int] = field(default_factory=dict)
    is_trigger: bool = False
    done: int = 0
    total: int = 0
    is_started: bool = False
    is_editable: bool = False

    @property
    def percent(self) -> int:
        """The share that was taken up, in whole percent."""
        return 100 * self.done // self.total if self.total else 0


@dataclass(frozen=True)
class Page:
    """Campaigns of one page, newest first; `before` is where the next, older one begins, or 0."""

    rows: Sequence[Row]
    before: int


def page_of(workspace: Workspace, wanted: Filter, now: datetime) -> Page:
    """Return a page of the campaigns that a filter lets through."""
    found = _filtered(workspace, wanted, now)
    if wanted.before:
        found = found.filter(number__lt=wanted.before)
    rows = list(
        found.select_related(
            "workspace", "sender", "author__person", "recipient_list", "progress", "approval"
        ).order_by("-number")[: PAGE + 1]
    )
    is_more = len(rows) > PAGE
    rows = rows[:PAGE]
    today = _pushed_today(rows, now)
    return Page(
        [row(one, now, pushed_today=today.get(one.pk, 0)) for one in rows],
        rows[-1].number if is_more else 0,
    )


def _filtered(workspace: Workspace, wanted: Filter, now: datetime) -> QuerySet[Campaign]:
    found = _in_group(_of(workspace), wanted.group)
    if wanted.search:
        found = found.filter(_searched(wanted.search))
    if wanted.sender:
        found = found.filter(sender=wanted.sender)
    if wanted.author:
        found = found.filter(author=wanted.author)
    if wanted.days:
        found = found.filter(edited_at__gte=now - timedelta(days=wanted.days))
    return found


def _of(workspace: Workspace) -> QuerySet[Campaign]:
    return Campaign.objects.filter(workspace=workspace, deleted_at=None)


def _in_group(found: QuerySet[Campaign], group: Group) -> QuerySet[Campaign]:
    if group is Group.ARCHIVED:
        return found.filter(is_archived=True)
    found = found.filter(is_archived=False)
    if group is Group.ALL:
        return found
    return found.filter(state__in=[state.value for state in STATES[group]])


def _searched(text: str) -> Q:
    asked = text[:LONGEST_SEARCH]
    condition = Q(name__icontains=asked) | Q(sender__value__icontains=asked)
    digits = asked.upper().removeprefix("C-")
    if digits.isascii() and digits.isdigit() and len(digits) < 10:
        condition |= Q(number=int(digits))
    return condition


def group_counts(workspace: Workspace) -> dict[Group, int]:
    """Return how many campaigns each pill shows, whatever else narrows the list."""
    by_state = {
        (state, is_archived): count
        for state, is_archived, count in _of(workspace)
        .values_list("state", "is_archived")
        .annotate(count=Count("pk"))
        .order_by()
    }
    in_use = {State(state): n for (state, is_archived), n in by_state.items() if not is_archived}
    counts = {group: sum(in_use.get(one, 0) for one in states) for group, states in STATES.items()}
    return {
        Group.ALL: sum(in_use.values()),
        **counts,
        Group.ARCHIVED: sum(n for (_state, is_archived), n in by_state.items() if is_archived),
    }


def filtered_count(workspace: Workspace, wanted: Filter, now: datetime) -> int:
    """Return how many campaigns a filter lets through."""
    return _filtered(workspace, wanted, now).count()


def authors_of(workspace: Workspace) -> list[tuple[int, str]]:
    """Return (account id, name) of those who wrote a campaign here, by name."""
    rows = (
        _of(workspace)
        .order_by("author__person__name")
        .values_list("author_id", "author__person__name")
    )
    return list(rows.distinct()[:MOST_AUTHORS])


def senders_of(workspace: Workspace) -> list[tuple[int, str]]:
    """Return (id, name) of the sender names that a campaign here has chosen, by name."""
    rows = _of(workspace).exclude(sender=None).order_by("sender__value")
    return list(rows.values_list("sender_id", "sender__value").distinct()[:MOST_AUTHORS])


def row(campaign: Campaign, now: datetime, *, pushed_today: int = 0) -> Row:
    """Return a campaign as one line; its sender, author, list and progress should be loaded."""
    progress = progress_of(campaign)
    state = State(campaign.state)
    is_open = campaign.mode == Mode.TRIGGER and state is State.SENDING
    total = progress.total if progress else 0
    counts = counts_of(progress)
    return Row(
        number=campaign.number,
        name=campaign.name or _("No name yet"),
        is_trigger=campaign.mode == Mode.TRIGGER,
        sender=campaign.sender.value if campaign.sender else "",
        author=campaign.author.name,
        state="open" if is_open else state.value,
        sentence=_sentence(campaign, counts, total, now, pushed_today),
        is_bad=state in {State.HELD, State.FAILED},
        when=when_words(campaign, now),
        recipients=_recipients(campaign, total),
        segments=campaign.segment_total if is_built(campaign) else None,
        counts=counts,
        done=done_of(counts),
        total=total,
        is_started=campaign.started_at is not None and state in STARTED,
        is_editable=state in STATES[Group.DRAFT],
    )


def progress_of(campaign: Campaign) -> Progress | None:
    """Return the counters of a campaign; None before it is built."""
    return getattr(campaign, "progress", None)


def counts_of(progress: Progress | None) -> dict[str, int]:
    """Return the counters by message state; nothing before a campaign is built."""
    if progress is None:
        return {}
    return {state.value: getattr(progress, state.value) for state in MessageState}


def done_of(counts: Mapping[str, int]) -> int:
    """Return how many messages were taken up: neither queued nor dropped."""
    left = sum(counts.get(name, 0) for name in ("queued", "cancelled", "expired"))
    return sum(counts.values()) - left


def _recipients(campaign: Campaign, total: int) -> int | None:
    if campaign.mode == Mode.TRIGGER:
        return total if campaign.started_at else None
    if is_built(campaign):
        return campaign.total
    return campaign.recipient_list.valid_count if campaign.recipient_list else None


def _sentence(
    campaign: Campaign, counts: Mapping[str, int], total: int, now: datetime, pushed_today: int
) -> str:
    state = State(campaign.state)
    if state in {State.HELD, State.FAILED}:
        return campaign.hold_sentence
    if state is State.SENDING and campaign.mode == Mode.TRIGGER:
        return _("%(n)s today") % {"n": f"{pushed_today:,}"}
    if state in {State.SENDING, State.PAUSED}:
        return _("%(n)s %%") % {"n": 100 * done_of(counts) // total if total else 0}
    if state in {State.APPROVED, State.SCHEDULED}:
        return _before_start(campaign, now)
    if state is State.IN_REVIEW:
        return _decide_by(campaign, now)
    return _after(state, counts, campaign)


def _before_start(campaign: Campaign, now: datetime) -> str:
    if campaign.start_by == "hand":
        return _("waits for a person to press start")
    if campaign.starts_at is None or campaign.starts_at <= now:
        return _("starts within seconds")
    return ""


def _decide_by(campaign: Campaign, now: datetime) -> str:
    deadline = deadline_of(campaign)
    if deadline is None:
        return _("no deadline")
    at = deadline.astimezone(ZoneInfo(campaign.workspace.zone))
    is_today = at.date() == now.astimezone(at.tzinfo).date()
    return _("decide by %(time)s") % {"time": date_format(at, "H:i" if is_today else "j M H:i")}


def _after(state: State, counts: Mapping[str, int], campaign: Campaign) -> str:
    if state is State.COMPLETED:
        done = done_of(counts)
        share = 100 * counts.get("delivered", 0) / done if done else 0
        return _("%(share)s %% delivered") % {"share": f"{share:.1f}"}
    if state is State.EXPIRED:
        return _("%(n)s not sent in time") % {"n": f"{counts.get('expired', 0):,}"}
    if state is State.CANCELLED and counts.get("cancelled"):
        return _("%(n)s not sent") % {"n": f"{counts['cancelled']:,}"}
    if state is State.BUILDING:
        return _("%(n)s people so far") % {"n": f"{campaign.built_count:,}"}
    return ""


def _pushed_today(campaigns: Sequence[Campaign], now: datetime) -> dict[int, int]:
    """Return how many messages the open triggers among some campaigns took today."""
    open_ = [one.pk for one in campaigns if one.mode == Mode.TRIGGER and one.state == State.SENDING]
    if not open_:
        return {}
    local = now.astimezone(ZoneInfo(campaigns[0].workspace.zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    found = ApiMessage.objects.filter(campaign__in=open_, created_at__gte=midnight)
    counted = found.values_list("campaign").annotate(count=Count("pk")).order_by()
    return dict(counted)


def summary(workspace: Workspace) -> str:
    """Return the one sentence above the list."""
    counts = group_counts(workspace)
    sending = counts[Group.SENDING]
    if not sending:
        return _("Nothing is sending now.")
    return ngettext(
        "%(n)s campaign is sending now.", "%(n)s campaigns are sending now.", sending
    ) % {"n": sending}
