"""The one way a campaign changes its state: compare and set, inside the caller's transaction.

Also what the moves share that nobody asks for: they look for campaigns that meet a condition, lock
each if it still does, and note it under the name of a machine's part.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import F, Q
from django.utils.translation import gettext as _

from audit.actions.record import record
from audit.rules.events import Actor, Obj
from campaigns.models import Campaign, Progress
from campaigns.rules.campaign_states import State
from workspaces.models import Workspace
from workspaces.rules.refusal import Refusal

SWEEP = Actor(kind="system", id="sweep")


class CampaignRefused(Refusal):
    """A campaign cannot do this now."""


class WrongState(CampaignRefused):
    """Somebody or something moved the campaign first, or the act does not fit its state."""

    code = "wrong_state"


class NoSuchCampaign(CampaignRefused):
    """There is no campaign with this number in the workspace."""

    code = "not_found"


def campaign_obj(campaign_id: int) -> Obj:
    """Return the campaign as the audit log names it."""
    return Obj("campaign", f"cmp_{campaign_id}")


def lock(workspace: Workspace, number: int) -> Campaign:
    """Return the campaign of this workspace, locked until the transaction ends.

    Raises NoSuchCampaign.
    """
    campaign = (
        Campaign.objects.select_for_update()
        .filter(workspace=workspace, number=number, deleted_at=None)
        .first()
    )
    if campaign is None:
        raise NoSuchCampaign(_("There is no such campaign."))
    return campaign


def move(
    campaign: Campaign, to: State, *, allowed: Collection[State], now: datetime, **fields: Any
) -> None:
    """Move a campaign and set `fields` with it.

    Raises WrongState when it is not in one of the `allowed` states any more.
    """
    values = {"state": to.value, "state_since_at": now, **fields}
    if to is not State.HELD:
        values |= {"hold_reason": "", "hold_sentence": ""}
    changed = Campaign.objects.filter(
        pk=campaign.pk,
        workspace_id=campaign.workspace_id,
        state__in=[state.value for state in allowed],
        deleted_at=None,
    ).update(**values)
    if not changed:
        raise WrongState(
            _("The campaign has changed meanwhile. Look at it again before you decide.")
        )
    for name, value in values.items():
        setattr(campaign, name, value)


def replan(campaign: Campaign, now: datetime) -> None:
    """Let the plan's curve start again from here, so that nothing catches up in a burst."""
    Progress.objects.filter(campaign=campaign).update(
        paced_from_at=now, paced_from_segments=F("claimed_segments")
    )


# --- the machine's own moves ------------------------------------------------------------------


def find(condition: Q) -> list[int]:
    """Return the ids of the campaigns that meet a condition, in their order."""
    rows = Campaign.objects.filter(condition, deleted_at=None).order_by("pk")
    return list(rows.values_list("pk", flat=True))


def lock_found(campaign_id: int, condition: Q) -> Campaign | None:
    """Return the campaign, locked, if it still meets the condition under which it was found."""
    return (
        Campaign.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("workspace")
        .filter(condition, pk=campaign_id)
        .first()
    )


def note_machine(
    campaign: Campaign, op: str, actor: Actor, *, now: datetime, why: str = ""
) -> None:
    """Write the audit entry of a move that no person made."""
    record(
        op,
        workspace=campaign.workspace.uuid,
        actor=actor,
        obj=campaign_obj(campaign.pk),
        now=now,
        why=why,
        request_id=campaign.run_request_id,
    )
