"""Numbers in full: each look and each file has a person, a reason and an audit entry."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from audit.rules.events import Obj
from campaigns.actions.moves import CampaignRefused, NoSuchCampaign, campaign_obj
from campaigns.models import Campaign, Message, Recipient
from campaigns.rules.message_states import MessageState
from workspaces.actions.noting import note, note_denied
from workspaces.queries.keys import keys
from workspaces.queries.me import Me

REVEAL = "number.reveal"
EXPORT = "messages.export"


class ReasonMissing(CampaignRefused):
    """Full numbers are shown for a reason, or not at all."""

    code = "reason_missing"


class NotAllowed(CampaignRefused):
    """The role does not show full numbers."""

    code = "not_allowed"


class NothingToReveal(CampaignRefused):
    """There is no such message, or its number was erased."""

    code = "not_found"


@dataclass(frozen=True)
class Taken:
    """A file that may be written now: whose messages, of which state, with which numbers."""

    campaign: Campaign
    state: MessageState | None
    is_in_full: bool


def reveal_number(*, number: int, position: int, by: Me, why: str, now: datetime) -> str:
    """Return the number of a message in full, as +digits, and record who saw it and why.

    Raises ReasonMissing, NothingToReveal, NotAllowed.
    """
    campaign = _campaign(by, number)
    must_be_allowed(by, REVEAL, campaign_obj(campaign.pk), why, now)
    with transaction.atomic(durable=True):
        clear = _number_of(campaign, position)
        note(
            by,
            REVEAL,
            campaign_obj(campaign.pk),
            now=now,
            diff={"position": (None, position)},
            personal={"number": clear},
            why=why.strip(),
        )
    return clear


def take_messages(
    *,
    number: int,
    by: Me,
    state: MessageState | None,
    is_in_full: bool,
    why: str,
    now: datetime,
) -> Taken:
    """Record that the caller takes a file of messages; with full numbers only for a reason.

    Raises ReasonMissing, NotAllowed.
    """
    campaign = _campaign(by, number)
    if is_in_full:
        must_be_allowed(by, EXPORT, campaign_obj(campaign.pk), why, now)
    with transaction.atomic(durable=True):
        note(
            by,
            EXPORT,
            campaign_obj(campaign.pk),
            now=now,
            diff={
                "state": (None, state.value if state else "all"),
                "numbers": (None, "in full" if is_in_full else "masked"),
            },
            why=why.strip(),
        )
    return Taken(campaign, state, is_in_full)


def _campaign(by: Me, number: int) -> Campaign:
    rows = Campaign.objects.select_related("workspace")
    found = rows.filter(workspace=by.here, number=number, deleted_at=None).first()
    if found is None:
        raise NoSuchCampaign(_("There is no such campaign."))
    return found


def must_be_allowed(by: Me, op: str, obj: Obj, why: str, now: datetime) -> None:
    """Let only those with the right and a reason see numbers in full.

    Raises NotAllowed, which is recorded, and ReasonMissing.
    """
    if not by.may(REVEAL):
        note_denied(by, op, obj, now=now, why=f"needs {REVEAL}")
        raise NotAllowed(_("Full numbers are for moderators and admins."))
    if not why.strip():
        raise ReasonMissing(_("Say why you need it. The audit log keeps it."), field="why")


def _number_of(campaign: Campaign, position: int) -> str:
    if campaign.frozen_on is None:
        raise NothingToReveal(_("There is no such message."))
    message = Message.objects.filter(
        frozen_on=campaign.frozen_on, campaign=campaign, position=position
    ).first()
    if message is None:
        raise NothingToReveal(_("There is no such message."))
    recipient = Recipient.objects.filter(pk=message.recipient_id).first()
    if recipient is None or recipient.number_sealed is None:
        raise NothingToReveal(_("The number was erased."))
    return "+" + keys().open_number(bytes(recipient.number_sealed), campaign.workspace_id)


def take_unknowns(*, by: Me, campaign: int | None, now: datetime) -> None:
    """Record that the caller takes a file of unknown messages, numbers masked."""
    with transaction.atomic(durable=True):
        note(
            by,
            EXPORT,
            Obj("workspace", f"wsp_{by.here.pk}"),
            now=now,
            diff={
                "state": (None, "unknown"),
                "campaign": (None, f"C-{campaign}" if campaign else "all"),
                "numbers": (None, "masked"),
            },
        )
