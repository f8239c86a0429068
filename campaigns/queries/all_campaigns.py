"""The platform team's view over the campaigns of every workspace. Needs scope_everywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from campaigns.models import Campaign
from campaigns.queries.live import Counts, counts_of
from campaigns.rules.campaign_states import RUNNING, State
from workspaces.models import Workspace

PAGE = 50
# The filter by state: its name in the address and what it holds. The first is what matters now.
GROUPS: Mapping[str, frozenset[State]] = {
    "running": frozenset(RUNNING),
    "waiting": frozenset({State.IN_REVIEW, State.APPROVED, State.SCHEDULED}),
    "drafts": frozenset(
        {State.DRAFT, State.BUILDING, State.READY, State.RETURNED, State.FAILED, State.REJECTED}
    ),
    "ended": frozenset({State.COMPLETED, State.CANCELLED, State.EXPIRED}),
}


@dataclass(frozen=True)
class Wanted:
    """What a reader looks for; empty values ask for everything. `before` is a campaign's id."""

    group: str = ""
    workspace: str = ""
    words: str = ""
    before: int = 0


@dataclass(frozen=True)
class Row:
    """A campaign with its counts, as the list tells it."""

    campaign: Campaign
    counts: Counts
    has_audience: bool

    @property
    def chip(self) -> str:
        """The state as its chip shows it: a trigger that takes messages is open."""
        is_open = self.campaign.mode == "trigger" and self.campaign.state == State.SENDING
        return "open" if is_open else self.campaign.state


@dataclass(frozen=True)
class Page:
    """Some campaigns, newest first; `before` asks for older ones, 0 at the end."""

    rows: Sequence[Row]
    before: int


def page_of_campaigns(wanted: Wanted, now: datetime) -> Page:
    """Return a page over all workspaces."""
    rows = _wanted(wanted).select_related(
        "workspace", "sender", "author__person", "progress", "route"
    )
    if wanted.before:
        rows = rows.filter(pk__lt=wanted.before)
    found = list(rows.order_by("-pk")[: PAGE + 1])
    listed = [_row(campaign, now) for campaign in found[:PAGE]]
    return Page(listed, found[PAGE - 1].pk if len(found) > PAGE else 0)


def _wanted(wanted: Wanted) -> QuerySet[Campaign]:
    rows = Campaign.objects.filter(deleted_at=None)
    if wanted.group in GROUPS:
        rows = rows.filter(state__in=[state.value for state in GROUPS[wanted.group]])
    if wanted.workspace:
        rows = rows.filter(workspace__slug=wanted.workspace)
    if wanted.words:
        rows = rows.filter(_named(wanted.words))
    return rows


def _named(words: str) -> Q:
    number = words.upper().removeprefix("C-")
    named = Q(name__icontains=words) | Q(sender__value__icontains=words)
    is_number = number.isascii() and number.isdecimal() and len(number) < 10
    return named | Q(number=int(number)) if is_number else named


def _row(campaign: Campaign, now: datetime) -> Row:
    progress = getattr(campaign, "progress", None)
    return Row(campaign, counts_of(campaign, progress, now), progress is not None)


def group_counts(wanted: Wanted) -> dict[str, int]:
    """Return how many campaigns each group holds under the same workspace and words."""
    rows = _wanted(Wanted(workspace=wanted.workspace, words=wanted.words))
    by_state = dict(rows.values_list("state").annotate(n=Count("pk")).order_by())
    return {
        group: sum(by_state.get(state.value, 0) for state in states)
        for group, states in GROUPS.items()
    }


def workspaces() -> list[Workspace]:
    """Return every workspace, for the filter."""
    return list(Workspace.objects.order_by("name", "id"))
