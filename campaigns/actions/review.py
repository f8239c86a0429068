"""Review: submitted, withdrawn, decided by another person."""

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from campaigns.actions.moves import CampaignRefused, WrongState, campaign_obj, lock, move
from campaigns.models import Approval, Campaign, RevisionState, Verdict
from campaigns.queries.blockers import Blocker, blockers, count_to_confirm
from campaigns.rules.campaign_states import EDITABLE, State
from workspaces.actions.noting import note, note_denied
from workspaces.queries.keys import keys
from workspaces.queries.me import Me

SIGNING = "approval"


class Blocked(CampaignRefused):
    """The campaign cannot be submitted; `blockers` names each reason."""

    code = "blocked"

    def __init__(self, found: list[Blocker]) -> None:
        super().__init__(" ".join(blocker.sentence for blocker in found))
        self.blockers = found


class WrongCount(CampaignRefused):
    """The number typed to confirm is not the number of messages."""

    code = "wrong_count"


class FourEyes(CampaignRefused):
    """The decider is the author, uploader, last editor or submitter: whatever his role, no."""

    code = "four_eyes"


class SeenAnother(CampaignRefused):
    """The form was about another version than the one in review."""

    code = "stale"


class NotSendable(CampaignRefused):
    """What would be approved could not be sent any more."""

    code = "not_sendable"


class NoteMissing(CampaignRefused):
    """Returning and rejecting need words."""

    code = "note_missing"


def submit(*, number: int, by: Me, typed_count: int, now: datetime) -> Campaign:
    """Hand a built campaign to review; `typed_count` repeats the number of messages (of a trigger:
    how many a day it may send).

    Raises Blocked, WrongCount, WrongState.
    """
    with transaction.atomic(durable=True):
        campaign = lock(by.here, number)
        if State(campaign.state) not in EDITABLE | {State.BUILDING}:
            raise WrongState(_("The campaign is submitted already."))
        found = blockers(campaign, now)
        if found:
            raise Blocked(found)
        if typed_count != count_to_confirm(campaign):
            raise WrongCount(
                _("Type %(count)s, the number in the receipt.")
                % {"count": f"{count_to_confirm(campaign):,}"},
                field="typed_count",
            )
        move(
            campaign,
            State.IN_REVIEW,
            allowed={State.READY},
            now=now,
            submitter=by.user,
            submitter_person_id=by.person_id,
            submitted_at=now,
        )
        note(
            by,
            "campaign.submit",
            campaign_obj(campaign.pk),
            now=now,
            diff={"digest": (None, digest_of(campaign.pk).hex()), "total": (None, campaign.total)},
        )
    return campaign


def withdraw(*, number: int, by: Me, now: datetime) -> Campaign:
    """Take a campaign back from review."""
    with transaction.atomic(durable=True):
        campaign = lock(by.here, number)
        move(campaign, State.READY, allowed={State.IN_REVIEW}, now=now)
        note(by, "campaign.withdraw", campaign_obj(campaign.pk), now=now)
    return campaign


def digest_of(campaign_id: int) -> bytes:
    """Return the approval digest of a campaign as its rows are now (32 bytes, computed by the
    database).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT campaign_digest(c) FROM campaign c WHERE id = %s", [campaign_id])
        row = cursor.fetchone()
    return bytes(row[0])


def approve(*, number: int, by: Me, seen: str, words: str = "", now: datetime) -> Campaign:
    """Approve exactly what was seen (`seen` is the digest in hex).

    Raises FourEyes, SeenAnother, NotSendable, WrongState.
    """
    return _decide(Verdict.APPROVE, number=number, by=by, seen=seen, words=words, now=now)


def return_(*, number: int, by: Me, seen: str, words: str, now: datetime) -> Campaign:
    """Give a campaign back to its author with reasons.

    Raises NoteMissing, FourEyes, SeenAnother, WrongState.
    """
    return _decide(Verdict.RETURN, number=number, by=by, seen=seen, words=words, now=now)


def reject(*, number: int, by: Me, seen: str, words: str, now: datetime) -> Campaign:
    """Refuse a campaign for good, with reasons.

    Raises NoteMissing, FourEyes, SeenAnother, WrongState.
    """
    return _decide(Verdict.REJECT, number=number, by=by, seen=seen, words=words, now=now)


STATE_OF = {
    Verdict.APPROVE: State.APPROVED,
    Verdict.RETURN: State.RETURNED,
    Verdict.REJECT: State.REJECTED,
}


def _decide(
    verdict: Verdict, *, number: int, by: Me, seen: str, words: str, now: datetime
) -> Campaign:
    if verdict != Verdict.APPROVE and not words.strip():
        raise NoteMissing(_("Say why, so that the author knows what to change."), field="words")
    with transaction.atomic(durable=True):
        campaign = lock(by.here, number)
        if campaign.state != State.IN_REVIEW:
            raise WrongState(_("This campaign waits for no decision any more."))
        _must_be_another(campaign, by, verdict, now)
        digest = digest_of(campaign.pk)
        if seen != digest.hex():
            raise SeenAnother(
                _("The campaign has changed since you opened this page. Read it again.")
            )
        if verdict == Verdict.APPROVE:
            _must_be_sendable(campaign, now)
        approval = _store(campaign, by, verdict, digest, words, now)
        fields: dict[str, Any] = {}
        if verdict == Verdict.APPROVE:
            fields = {"approval": approval, "approved_at": now, "run_request_id": by.request_id}
        move(campaign, STATE_OF[verdict], allowed={State.IN_REVIEW}, now=now, **fields)
        note(
            by,
            f"campaign.{verdict.value}",
            campaign_obj(campaign.pk),
            now=now,
            why=words,
            diff={"digest": (None, digest.hex())},
        )
    return campaign


def _must_be_another(campaign: Campaign, by: Me, verdict: Verdict, now: datetime) -> None:
    """Four eyes, in code; the CHECK on approval says it again."""
    uploader = campaign.recipient_list.uploaded_person_id if campaign.recipient_list else None
    own = {campaign.author_person_id, campaign.editor_person_id, campaign.submitter_person_id}
    if by.person_id in own | {uploader}:
        note_denied(
            by, f"campaign.{verdict.value}", campaign_obj(campaign.pk), now=now, why="four eyes"
        )
        raise FourEyes(
            _("You wrote, edited, submitted or uploaded this. Another person has to decide.")
        )


def _must_be_sendable(campaign: Campaign, now: datetime) -> None:
    revision, sender = campaign.sender_revision, campaign.sender
    if revision is None or revision.state != RevisionState.APPROVED or sender is None:
        raise NotSendable(_("Its sender name has changed since it was built. Return it."))
    if sender.is_archived:
        raise NotSendable(_("Its sender name is archived. Return or reject it."))
    if campaign.ends_at is not None and campaign.ends_at <= now:
        raise NotSendable(_("Its window is over. Return it, so that it gets a later one."))


def _store(
    campaign: Campaign, by: Me, verdict: Verdict, digest: bytes, words: str, now: datetime
) -> Approval:
    """Insert the verdict. Who made the campaign is copied by the database's trigger, not by us."""
    return Approval.objects.create(
        workspace=by.here,
        campaign=campaign,
        verdict=verdict,
        note=words[:1000],
        digest=digest,
        signature=sign(campaign.pk, by.user.pk, digest),
        decided_by=by.user,
        decided_person_id=by.person_id,
        author_person_id=campaign.author_person_id,
        editor_person_id=campaign.editor_person_id,
        submitter_person_id=campaign.submitter_person_id or campaign.author_person_id,
        decided_at=now,
    )


def sign(campaign_id: int, decider_id: int, digest: bytes) -> bytes:
    """Return the signature that the sender checks before it sends anything of this approval."""
    return keys().sign(b"%d:%d:" % (campaign_id, decider_id) + digest, SIGNING)
