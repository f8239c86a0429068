"""Decisions on sender revisions: approved or rejected by another person, or withdrawn.

Every decision names the revision number that was seen; a revision never changes, so that the
number stands for its content.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.actions.senders import (
    APPROVALS_WHEN_ALIKE,
    SenderRefused,
    lock,
    must_be_active,
    revision_obj,
    revisions,
)
from campaigns.models import RevisionState, Sender, SenderDecision, SenderRevision
from campaigns.queries.protected_names import protected_pairs
from campaigns.rules.sender_names import resembled
from workspaces.actions.noting import note, note_denied
from workspaces.queries.me import Me

LONGEST_WORDS = 1000


class NothingInReview(SenderRefused):
    """No revision of the sender waits for a decision."""

    code = "wrong_state"


class SeenAnother(SenderRefused):
    """The form was about another revision than the one in review."""

    code = "stale"


class FourEyes(SenderRefused):
    """The decider proposed the revision, or has decided on it already."""

    code = "four_eyes"


class NoteMissing(SenderRefused):
    """A rejection needs words."""

    code = "note_missing"


def approve_revision(
    *, sender_id: int, seen: int, by: Me, words: str = "", now: datetime
) -> SenderRevision:
    """Approve the revision number that was seen; with the last approval it needs it is in use.

    Raises NoSuchSender, NothingInReview, SeenAnother, FourEyes.
    """
    with transaction.atomic(durable=True):
        sender = lock(by.here, sender_id)
        revision = _in_review(sender, seen)
        _must_be_another(revision, by, "sender.approve", now)
        _must_resemble_no_more(revision)
        _decide(revision, by, words, now, is_approval=True)
        given = SenderDecision.objects.filter(
            workspace=by.here, revision=revision, is_approval=True
        ).count()
        if given >= revision.needed_approvals:
            _take_into_use(sender, revision, now)
        note(
            by,
            "sender.approve",
            revision_obj(revision),
            now=now,
            why=words,
            diff={"approvals": (given - 1, given), "state": ("in_review", revision.state)},
        )
    return revision


def reject_revision(
    *, sender_id: int, seen: int, by: Me, words: str, now: datetime
) -> SenderRevision:
    """Refuse the revision number that was seen, with words; the one in use stays in use.

    Raises NoteMissing, NoSuchSender, NothingInReview, SeenAnother, FourEyes.
    """
    if not words.strip():
        raise NoteMissing(_("Say why, so that the proposer knows what to change."), field="words")
    with transaction.atomic(durable=True):
        sender = lock(by.here, sender_id)
        revision = _in_review(sender, seen)
        _must_be_another(revision, by, "sender.reject", now)
        _decide(revision, by, words, now, is_approval=False)
        _move(revision, RevisionState.REJECTED, now)
        note(by, "sender.reject", revision_obj(revision), now=now, why=words)
    return revision


def withdraw_revision(*, sender_id: int, seen: int, by: Me, now: datetime) -> SenderRevision:
    """Take a revision back from review: its proposer, or who keeps the workspace's senders.

    Raises NoSuchSender, NothingInReview, SeenAnother, SenderRefused.
    """
    with transaction.atomic(durable=True):
        sender = lock(by.here, sender_id)
        revision = _in_review(sender, seen)
        if revision.proposed_person_id != by.person_id and not by.may("sender.edit"):
            raise SenderRefused(
                _("Only %(person)s or an admin can withdraw this revision.")
                % {"person": revision.proposed_by.name}
            )
        _move(revision, RevisionState.WITHDRAWN, now)
        note(by, "sender.withdraw", revision_obj(revision), now=now)
    return revision


def _in_review(sender: Sender, seen: int) -> SenderRevision:
    """Return the revision in review, which must be the one that was seen."""
    must_be_active(sender)
    revision = revisions(sender).filter(state=RevisionState.IN_REVIEW).first()
    if revision is None:
        raise NothingInReview(_("No revision waits for a decision any more. Look again."))
    if revision.number != seen:
        raise SeenAnother(
            _("You have seen revision %(seen)s; in review is revision %(number)s. Read it first.")
            % {"seen": seen, "number": revision.number}
        )
    return revision


def _must_be_another(revision: SenderRevision, by: Me, op: str, now: datetime) -> None:
    """Four eyes, in code; the CHECK and the unique key on sender_decision say it again."""
    if revision.proposed_person_id == by.person_id:
        note_denied(by, op, revision_obj(revision), now=now, why="four eyes: own proposal")
        raise FourEyes(_("You proposed this revision. Another person has to decide."))
    if SenderDecision.objects.filter(
        workspace=by.here, revision=revision, decided_person_id=by.person_id
    ).exists():
        note_denied(by, op, revision_obj(revision), now=now, why="four eyes: decided already")
        raise FourEyes(_("You have approved this revision. A second person has to decide."))


def _must_resemble_no_more(revision: SenderRevision) -> None:
    """Refuse an approval that is one too few: a name was protected after the proposal."""
    alike = resembled(revision.value, protected_pairs())
    if alike and revision.needed_approvals < APPROVALS_WHEN_ALIKE:
        raise SenderRefused(
            _(
                "It resembles “%(name)s”, which has been protected since. Reject the revision;"
                " proposed again it needs two approvals."
            )
            % {"name": alike},
            code="resembles",
        )


def _decide(
    revision: SenderRevision, by: Me, words: str, now: datetime, *, is_approval: bool
) -> None:
    """Insert the decision. Whose proposal it was is copied by the database's trigger, not by us."""
    SenderDecision.objects.create(
        workspace=by.here,
        revision=revision,
        is_approval=is_approval,
        note=words.strip()[:LONGEST_WORDS],
        decided_by=by.user,
        decided_person_id=by.person_id,
        proposed_person_id=revision.proposed_person_id,
        decided_at=now,
    )


def _take_into_use(sender: Sender, revision: SenderRevision, now: datetime) -> None:
    if sender.approved_revision is not None:
        before = sender.approved_revision
        _move(before, RevisionState.REPLACED, before.decided_at)
    _move(revision, RevisionState.APPROVED, now)
    Sender.objects.filter(pk=sender.pk, workspace=sender.workspace_id).update(
        approved_revision=revision, value=revision.value
    )


FROM = {
    RevisionState.APPROVED: RevisionState.IN_REVIEW,
    RevisionState.REJECTED: RevisionState.IN_REVIEW,
    RevisionState.WITHDRAWN: RevisionState.IN_REVIEW,
    RevisionState.REPLACED: RevisionState.APPROVED,
}


def _move(revision: SenderRevision, to: RevisionState, decided_at: datetime | None) -> None:
    changed = (
        revisions(revision.sender)
        .filter(pk=revision.pk, state=FROM[to])
        .update(state=to, decided_at=decided_at)
    )
    if not changed:
        raise NothingInReview(_("The revision has changed meanwhile. Look again."))
    revision.state, revision.decided_at = to, decided_at
