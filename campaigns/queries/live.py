"""Where a campaign stands: its counts, its pace against the plan, and what it goes out by."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Min

from campaigns.models import (
    Approval,
    Campaign,
    Mode,
    Progress,
    QueuedSegment,
    Recipient,
)
from campaigns.queries.alphabets import alphabet_counted
from campaigns.rules.campaign_states import FINAL, State
from campaigns.rules.message_states import OPEN, MessageState
from campaigns.rules.text import compile_text
from smpp_client.models import RouteConnection
from smpp_client.queries.connections import Sight, sights_of
from smpp_client.rules.segments import TextRefused, count
from workspaces.models import Workspace
from workspaces.queries.me import Me

# Not sent and never will be: neither is part of what is done.
NOT_TAKEN = (MessageState.QUEUED, MessageState.CANCELLED, MessageState.EXPIRED)

ACCEPTED_TODAY = """
WITH RECURSIVE search(low, high) AS (
    SELECT %(first)s::bigint, %(total)s::bigint
    UNION ALL
    SELECT CASE WHEN is_today THEN low ELSE middle + 1 END,
           CASE WHEN is_today THEN middle ELSE high END
    FROM (
        SELECT low, high, (low + high) / 2 AS middle, coalesce((
            SELECT a.created_at >= %(midnight)s FROM api_message a
            WHERE a.campaign_id = %(campaign)s AND a.position = (low + high) / 2
        ), false) AS is_today
        FROM search WHERE low < high) s)
SELECT %(total)s - low FROM search WHERE low >= high
"""


@dataclass(frozen=True)
class Counts:
    """How many messages are in which state, as one row said at one instant.

    `total` is the row's own sum to be; `is_right` says that the states add up to it and it is the
    approved list. `resent` of them went out again because two people said so, and count once.
    Of a trigger the total is what was accepted so far. `claimed` and
    `segment_total` are segments.
    """

    by_state: Mapping[str, int]
    total: int
    claimed: int
    segment_total: int
    is_right: bool
    counted_at: datetime
    resent: int = 0

    @property
    def done(self) -> int:
        """Messages that were taken up: neither queued nor dropped."""
        return self.total - sum(self.by_state[state] for state in NOT_TAKEN)

    @property
    def percent(self) -> int:
        """The share that was taken up in whole percent; 100 only when nothing is left."""
        return 100 * self.done // self.total if self.total else 0

    @property
    def delivered_share(self) -> float:
        """The delivered share of what was taken up, in percent with one digit."""
        return round(100 * self.by_state["delivered"] / self.done, 1) if self.done else 0.0

    @property
    def open_count(self) -> int:
        """Messages that still have to go out."""
        return sum(self.by_state[state] for state in OPEN)

    @property
    def droppable(self) -> int:
        """Messages that a cancellation would drop; what is in flight finishes."""
        return self.by_state["queued"] + self.by_state["deferred"]

    @property
    def is_moving(self) -> bool:
        """Whether answers or receipts may still change these counts."""
        return bool(self.open_count or self.by_state["submitted"])


@dataclass(frozen=True)
class Sample:
    """The text as one recipient gets it, and how many segments that takes (0: cannot be sent)."""

    text: str
    segment_count: int


@dataclass(frozen=True)
class Daily:
    """What a trigger has accepted today of its cap."""

    accepted: int
    cap: int


def find_campaign(workspace: Workspace, number: int) -> Campaign | None:
    """Return a campaign of a workspace with everything that its page names, or None."""
    return (
        Campaign.objects.select_related(
            "workspace",
            "sender",
            "sender_revision",
            "route",
            "recipient_list",
            "author__person",
            "submitter__person",
            "cloned_from",
        )
        .filter(workspace=workspace, number=number, deleted_at=None)
        .first()
    )


def may_run(me: Me, campaign: Campaign) -> bool:
    """Whether the caller may start, pause, slow or cancel this campaign."""
    is_own = campaign.author_person_id == me.person_id
    return me.may("campaign.run") or (is_own and me.may("campaign.run_own"))


def progress_of(campaign: Campaign) -> Progress | None:
    """Return the hot row of a campaign; None before its audience is frozen."""
    return Progress.objects.filter(campaign=campaign).first()


def counts_of(campaign: Campaign, progress: Progress | None, now: datetime) -> Counts:
    """Return the counts of a campaign; all are zero before its audience is frozen."""
    by_state = {state.value: getattr(progress, state.value, 0) for state in MessageState}
    total = progress.total if progress else 0
    is_whole = campaign.mode == Mode.TRIGGER or progress is None or total == campaign.total
    return Counts(
        by_state=by_state,
        total=total,
        claimed=progress.claimed_segments if progress else 0,
        segment_total=campaign.segment_total,
        is_right=is_whole and sum(by_state.values()) == total,
        counted_at=now,
        resent=progress.resent if progress else 0,
    )


def will_change(campaign: Campaign, counts: Counts) -> bool:
    """Whether anything on the campaign's page can still change by itself."""
    state = State(campaign.state)
    if state in {State.DRAFT, State.READY, State.RETURNED, State.FAILED}:
        return False
    return state not in FINAL or counts.is_moving


def connections_of(campaign: Campaign, now: datetime) -> list[Sight]:
    """Return the connections of the campaign's route that take traffic, as they were seen."""
    parts = RouteConnection.objects.filter(route=campaign.route, weight__gt=0)
    seen = sights_of(parts.values_list("connection_id", flat=True), now)
    return sorted(seen.values(), key=lambda sight: sight.connection.name)


def room_left(sights: list[Sight]) -> float:
    """Return how many segments/s the route could carry beyond what it carries now."""
    up = [sight for sight in sights if sight.is_up]
    return sum(max((one.rate_allowed or 0) - (one.rate_now or 0), 0) for one in up)


def next_try(campaign: Campaign) -> datetime | None:
    """Return when the first deferred segment goes again, or None."""
    waiting = QueuedSegment.objects.filter(campaign=campaign, batch_id=None, is_deferred=True)
    found: datetime | None = waiting.aggregate(first=Min("not_before_at"))["first"]
    return found


def approvals_of(campaign: Campaign) -> list[Approval]:
    """Return every verdict on a campaign, newest first."""
    rows = Approval.objects.filter(workspace_id=campaign.workspace_id, campaign=campaign)
    return list(rows.select_related("decided_by__person").order_by("-pk"))


def sample_of(campaign: Campaign) -> Sample | None:
    """Return the text as the first recipient of the list gets it; None where there is no list."""
    if not campaign.text or campaign.recipient_list_id is None:
        return None
    rows = Recipient.objects.filter(
        workspace_id=campaign.workspace_id, recipient_list_id=campaign.recipient_list_id
    )
    first = rows.order_by("pk").first()
    if first is None:
        return None
    text = compile_text(campaign.text).render(first.values)
    try:
        return Sample(text, count(text, alphabet=alphabet_counted(campaign)).segments)
    except TextRefused:
        return Sample(text, 0)


def daily_of_trigger(campaign: Campaign, accepted: int, now: datetime) -> Daily:
    """Return how much of a trigger's daily cap is used; days are those of its zone.

    `accepted` counts all that was accepted so far: positions have no gaps, so the first of today
    is found by halving.
    """
    local = now.astimezone(ZoneInfo(campaign.zone))
    values: dict[str, Any] = {
        "campaign": campaign.pk,
        "total": accepted,
        "first": max(accepted - (campaign.daily_cap or accepted), 0),
        "midnight": local.replace(hour=0, minute=0, second=0, microsecond=0),
    }
    with connection.cursor() as cursor:
        cursor.execute(ACCEPTED_TODAY, values)
        (count_today,) = cursor.fetchone()
    return Daily(accepted=int(count_today), cap=campaign.daily_cap or 0)


def sending_count(workspace: Workspace) -> int:
    """Return how many campaigns of a workspace are sending."""
    return Campaign.objects.filter(
        workspace=workspace, state=State.SENDING, deleted_at=None, is_archived=False
    ).count()
