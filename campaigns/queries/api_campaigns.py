"""Campaigns as the API shows them: state, counts that add up, plan, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal

from django.db.models import QuerySet

from campaigns.models import Campaign
from campaigns.rules.message_states import MessageState
from campaigns.rules.text import Slot
from workspaces.models import Workspace

CAMPAIGNS = "/api/v1/campaigns"


@dataclass(frozen=True)
class ShownPlan:
    """When and how fast. Times of day (HH:MM) are in `zone`; rates are segments a second."""

    starts_at: datetime | None
    ends_at: datetime | None
    daily_from: str | None
    daily_until: str | None
    zone: str
    rate_ceiling: Decimal | None
    rate: Decimal | None
    daily_cap: int | None


@dataclass(frozen=True)
class ShownCampaign:
    """A campaign. `counts` has every message state and adds up to `total`; `why` is one sentence
    about what it does or waits for (empty on pages, where it would be asked hundreds of times).
    """

    id: str
    name: str
    mode: str
    state: str
    state_since_at: datetime
    is_archived: bool
    sender: str | None
    total: int
    counts: Mapping[str, int]
    plan: ShownPlan
    slots: Sequence[Slot]
    why: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def links(self) -> Mapping[str, str]:
        """Where the campaign is."""
        return {"self": f"{CAMPAIGNS}/{self.id}"}


@dataclass(frozen=True)
class CampaignPage:
    """A page, newest first, and the number that its next page lies behind (0: there is none)."""

    campaigns: Sequence[ShownCampaign]
    after: int


def campaign_by_number(here: Workspace, number: int) -> Campaign | None:
    """Return a campaign of this workspace, or None."""
    return _mine(here).filter(number=number).first()


def page_of_campaigns(here: Workspace, *, limit: int, before: int = 0) -> CampaignPage:
    """Return the campaigns of this workspace with a smaller number than `before`, newest first."""
    rows = _mine(here).order_by("-number")
    if before:
        rows = rows.filter(number__lt=before)
    found = list(rows[: limit + 1])
    after = found[limit - 1].number if len(found) > limit else 0
    return CampaignPage([shown_campaign(row) for row in found[:limit]], after)


def _mine(here: Workspace) -> QuerySet[Campaign]:
    return Campaign.objects.filter(workspace=here, deleted_at=None).select_related(
        "progress", "recipient_list", "route", "sender", "workspace"
    )


def shown_campaign(campaign: Campaign, why: str = "") -> ShownCampaign:
    """Return a campaign as the API shows it."""
    progress = getattr(campaign, "progress", None)
    return ShownCampaign(
        id=str(campaign),
        name=campaign.name,
        mode=campaign.mode,
        state=campaign.state,
        state_since_at=campaign.state_since_at,
        is_archived=campaign.is_archived,
        sender=campaign.sender.value if campaign.sender else None,
        total=progress.total if progress else 0,
        counts={state.value: getattr(progress, state.value, 0) for state in MessageState},
        plan=_plan(campaign),
        slots=[Slot(**row) for row in campaign.slots],
        why=why,
        created_at=campaign.created_at,
        started_at=campaign.started_at,
        finished_at=campaign.finished_at,
    )


def _plan(campaign: Campaign) -> ShownPlan:
    return ShownPlan(
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        daily_from=_minute(campaign.daily_from),
        daily_until=_minute(campaign.daily_until),
        zone=campaign.zone,
        rate_ceiling=campaign.rate_ceiling,
        rate=campaign.runtime_rate,
        daily_cap=campaign.daily_cap,
    )


def _minute(at: time | None) -> str | None:
    return f"{at:%H:%M}" if at is not None else None
