"""Campaigns before review: made, edited, copied, put away."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F, Max
from django.utils.translation import gettext as _

from campaigns.actions.moves import CampaignRefused, campaign_obj, lock, move
from campaigns.models import Campaign, Mode, StartBy
from campaigns.rules.campaign_states import EDITABLE, FINAL, State
from workspaces.actions.noting import note
from workspaces.models import Workspace
from workspaces.queries.me import Me

# What the wizard's steps write. Everything else of a campaign is the machine's.
FIELDS = frozenset(
    {
        "name",
        "purpose",
        "priority",
        "sender_id",
        "text",
        "slots",
        "recipient_list_id",
        "mode",
        "route_id",
        "starts_at",
        "ends_at",
        "daily_from",
        "daily_until",
        "rate_ceiling",
        "start_by",
        "daily_cap",
    }
)
COPIED = FIELDS - {"starts_at", "ends_at", "rate_ceiling", "name"}


class NotEditable(CampaignRefused):
    """The campaign is past the states in which it may be edited."""

    code = "not_editable"


class EditedMeanwhile(CampaignRefused):
    """Somebody saved another version since the form was shown."""

    code = "edited_meanwhile"


class BadTimes(CampaignRefused):
    """The plan would end before it starts."""

    code = "bad_times"


def create_draft(*, by: Me, fields: Mapping[str, Any], now: datetime) -> Campaign:
    """Make a draft of the caller's workspace; `fields` is a part of FIELDS. Raises BadTimes."""
    _must_end_after_start(fields.get("starts_at"), fields.get("ends_at"))
    with transaction.atomic(durable=True):
        campaign = _insert(by, {**fields}, now)
        note(by, "campaign.create", campaign_obj(campaign.pk), now=now)
    return campaign


def edit_draft(
    *, number: int, by: Me, fields: Mapping[str, Any], version: int, now: datetime
) -> Campaign:
    """Save fields of a draft that was seen as `version`; a built audience is void from then on.

    Raises NotEditable, EditedMeanwhile, BadTimes, NoSuchCampaign.
    """
    with transaction.atomic(durable=True):
        campaign = lock(by.here, number)
        _must_be_editable(campaign)
        if campaign.version != version:
            raise _edited_meanwhile(campaign, by)
        _must_end_after_start(
            fields.get("starts_at", campaign.starts_at), fields.get("ends_at", campaign.ends_at)
        )
        changed = {k: v for k, v in fields.items() if k in FIELDS and getattr(campaign, k) != v}
        if changed:
            note(
                by,
                "campaign.edit",
                campaign_obj(campaign.pk),
                now=now,
                diff={name: (getattr(campaign, name), value) for name, value in changed.items()},
            )
            _write(campaign, by, changed, now)
    return campaign


def _edited_meanwhile(campaign: Campaign, by: Me) -> EditedMeanwhile:
    at = campaign.edited_at.astimezone(ZoneInfo(by.here.zone))
    names = {"person": campaign.editor.name, "time": f"{at:%H:%M}"}
    if campaign.editor_id == by.user.pk:
        words = _("You saved another version elsewhere at %(time)s. This one is not saved yet.")
    else:
        words = _("%(person)s saved another version at %(time)s. Yours is not saved yet.")
    return EditedMeanwhile(words % names)


def _must_end_after_start(starts_at: datetime | None, ends_at: datetime | None) -> None:
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        raise BadTimes(_("It would end before it starts. Choose a later end."), field="ends")


def _must_be_editable(campaign: Campaign) -> None:
    if campaign.state == State.BUILDING:
        raise NotEditable(_("Its audience is being built. Stop that first, then edit."))
    if State(campaign.state) not in EDITABLE:
        raise NotEditable(_("This campaign is past editing. Clone it, or withdraw it from review."))


def _write(campaign: Campaign, by: Me, changed: Mapping[str, Any], now: datetime) -> None:
    Campaign.objects.filter(pk=campaign.pk, workspace=by.here).update(
        **changed,
        editor=by.user,
        editor_person_id=by.person_id,
        edited_at=now,
        version=F("version") + 1,
    )
    if campaign.state in {State.READY, State.FAILED}:
        move(campaign, State.DRAFT, allowed={State.READY, State.FAILED}, now=now)
    campaign.refresh_from_db()


def clone(*, number: int, by: Me, now: datetime) -> Campaign:
    """Make a draft with the content of a campaign; times, rate and approval are not taken along."""
    with transaction.atomic(durable=True):
        source = lock(by.here, number)
        fields = {name: getattr(source, name) for name in COPIED}
        name = _("%(name)s, copy") % {"name": source.name or str(source)}
        copy = _insert(by, {**fields, "name": name[:120], "cloned_from": source}, now)
        note(by, "campaign.clone", campaign_obj(copy.pk), now=now, why=f"from {source}")
    return copy


def _insert(by: Me, fields: dict[str, Any], now: datetime) -> Campaign:
    fields.setdefault("mode", Mode.SPREAD)
    fields.setdefault("start_by", StartBy.ITSELF)
    return Campaign.objects.create(
        workspace=by.here,
        number=_next_number(by.here),
        zone=by.here.zone,
        state=State.DRAFT,
        state_since_at=now,
        author=by.user,
        author_person_id=by.person_id,
        editor=by.user,
        editor_person_id=by.person_id,
        created_at=now,
        edited_at=now,
        **fields,
    )


def _next_number(workspace: Workspace) -> int:
    """Return the next campaign number of a workspace, whose row is locked so that no two are
    alike.
    """
    Workspace.objects.select_for_update().get(pk=workspace.pk)
    last = Campaign.objects.filter(workspace=workspace).aggregate(last=Max("number"))["last"]
    return (last or 0) + 1


def archive(*, number: int, by: Me, now: datetime) -> None:
    """Put a campaign that is not at work out of the way; restore brings it back."""
    _set_archived(number=number, by=by, now=now, is_archived=True)


def restore(*, number: int, by: Me, now: datetime) -> None:
    """Bring an archived campaign back."""
    _set_archived(number=number, by=by, now=now, is_archived=False)


def _set_archived(*, number: int, by: Me, now: datetime, is_archived: bool) -> None:
    with transaction.atomic(durable=True):
        campaign = lock(by.here, number)
        if is_archived and State(campaign.state) not in EDITABLE | FINAL:
            raise CampaignRefused(
                _("A campaign at work cannot be archived. Cancel its rest first.")
            )
        if campaign.is_archived == is_archived:
            return
        Campaign.objects.filter(pk=campaign.pk, workspace=by.here).update(is_archived=is_archived)
        op = "campaign.archive" if is_archived else "campaign.restore"
        note(by, op, campaign_obj(campaign.pk), now=now)


def delete(*, number: int, by: Me, why: str, now: datetime) -> None:
    """Take a campaign that is not at work off every page, for ever; its audit entries and messages
    stay as evidence.
    """
    with transaction.atomic(durable=True):
        campaign = lock(by.here, number)
        if State(campaign.state) not in EDITABLE | FINAL:
            raise CampaignRefused(_("A campaign at work cannot be deleted. Cancel its rest first."))
        Campaign.objects.filter(pk=campaign.pk, workspace=by.here).update(deleted_at=now)
        note(by, "campaign.delete", campaign_obj(campaign.pk), now=now, why=why)
