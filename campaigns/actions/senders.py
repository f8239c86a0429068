"""Sender names: created, revised, put away; decisions are in sender_review.

A sender's row is locked first in every verb, so that its revisions are numbered and decided one at
a time.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit.rules.events import Diff, Obj
from campaigns.models import Category, RevisionState, Sender, SenderRevision
from campaigns.queries.protected_names import protected_pairs
from campaigns.queries.senders import own_twin
from campaigns.rules.sender_names import NameRefused, read_name, resembled, skeleton
from smpp_client.rules.addresses import Address
from workspaces.actions.noting import note
from workspaces.models import Workspace
from workspaces.queries.me import Me
from workspaces.rules.refusal import Refusal

# Two where a name resembles a protected one.
APPROVALS, APPROVALS_WHEN_ALIKE = 1, 2
TEXTS = {"legal_entity": 200, "purpose": 500, "sample_text": 500}


class SenderRefused(Refusal):
    """A sender name cannot be as asked."""

    code = "sender_refused"


class NameTaken(SenderRefused):
    """A name that looks the same is registered, here or in a workspace that stays unnamed."""

    code = "name_taken"


class NoSuchSender(SenderRefused):
    """There is no such sender in the workspace."""

    code = "not_found"


@dataclass(frozen=True)
class Proposal:
    """What a revision says. `value` is the name or number as people write it."""

    value: str
    category: str
    legal_entity: str
    purpose: str
    sample_text: str


def create_sender(*, by: Me, proposal: Proposal, now: datetime) -> Sender:
    """Register a sender name with revision 1 in review. Raises SenderRefused, NameTaken."""
    address = _checked(proposal)
    try:
        with transaction.atomic(durable=True):
            twin = own_twin(by.here, address.value)
            if twin is not None:
                raise _taken_here(twin)
            sender = Sender.objects.create(
                workspace=by.here,
                value=address.value,
                skeleton=skeleton(address.value),
                created_by=by.user,
                created_at=now,
            )
            revision = _insert(sender, 1, by, proposal, address, now)
            note(by, "sender.create", _obj(sender), now=now, diff=_diff(revision))
    except IntegrityError as error:
        if not _is_about(error, "skeleton"):
            raise
        raise NameTaken(
            _(
                "This name looks like one that is registered already, not in this workspace."
                " Choose another name."
            ),
            field="value",
        ) from error
    return sender


def propose_revision(
    *, sender_id: int, by: Me, proposal: Proposal, now: datetime
) -> SenderRevision:
    """Put the next revision of a sender in review. The one in use stays in use meanwhile.

    Raises NoSuchSender, SenderRefused.
    """
    address = _checked(proposal)
    with transaction.atomic(durable=True):
        sender = lock(by.here, sender_id)
        must_be_active(sender)
        if skeleton(address.value) != sender.skeleton:
            raise SenderRefused(
                _("This is another name. A revision only changes how “%(name)s” is written.")
                % {"name": sender.value},
                field="value",
            )
        newest = revisions(sender).order_by("-number").first()
        if newest is not None and newest.state == RevisionState.IN_REVIEW:
            raise SenderRefused(
                _("Revision %(number)s is in review. Withdraw it, or wait for the decision.")
                % {"number": newest.number}
            )
        number = newest.number + 1 if newest else 1
        revision = _insert(sender, number, by, proposal, address, now)
        note(by, "sender.propose", revision_obj(revision), now=now, diff=_diff(revision))
    return revision


def archive_sender(*, sender_id: int, by: Me, now: datetime) -> None:
    """Take a sender out of use: from the next claim on nothing is sent with it."""
    _set_archived(sender_id, by, now, is_archived=True)


def restore_sender(*, sender_id: int, by: Me, now: datetime) -> None:
    """Put an archived sender back as it was."""
    _set_archived(sender_id, by, now, is_archived=False)


def _set_archived(sender_id: int, by: Me, now: datetime, *, is_archived: bool) -> None:
    with transaction.atomic(durable=True):
        sender = lock(by.here, sender_id)
        if sender.is_archived is is_archived:
            raise SenderRefused(_("Somebody did this already. Look again."), code="wrong_state")
        Sender.objects.filter(pk=sender.pk, workspace=by.here).update(is_archived=is_archived)
        op = "sender.archive" if is_archived else "sender.restore"
        note(by, op, _obj(sender), now=now, diff={"archived": (not is_archived, is_archived)})


def _checked(proposal: Proposal) -> Address:
    """Return the address of a proposal whose every field will do. Raises SenderRefused."""
    if proposal.category not in Category.values:
        raise SenderRefused(_("Choose what it is for."), field="category")
    for field, limit in TEXTS.items():
        text = getattr(proposal, field)
        if not text.strip():
            raise SenderRefused(_("Fill this in: approvers decide by it."), field=field)
        if len(text) > limit:
            raise SenderRefused(
                _("Use at most %(limit)s characters.") % {"limit": limit}, field=field
            )
    try:
        return read_name(proposal.value)
    except NameRefused as refused:
        raise SenderRefused(_(refused.sentence) % refused.values, field="value") from refused


def _taken_here(twin: Sender) -> NameTaken:
    return NameTaken(
        _("This workspace has “%(name)s”, which looks the same.") % {"name": twin.value}
        + (" " + _("It is archived; restore it instead.") if twin.is_archived else ""),
        field="value",
    )


def _insert(
    sender: Sender, number: int, by: Me, proposal: Proposal, address: Address, now: datetime
) -> SenderRevision:
    alike = resembled(address.value, protected_pairs())
    return SenderRevision.objects.create(
        workspace=by.here,
        sender=sender,
        number=number,
        ton=address.ton,
        npi=address.npi,
        resembles=alike,
        needed_approvals=APPROVALS_WHEN_ALIKE if alike else APPROVALS,
        proposed_by=by.user,
        proposed_person_id=by.person_id,
        proposed_at=now,
        **{**asdict(proposal), "value": address.value},
    )


def lock(workspace: Workspace, sender_id: int) -> Sender:
    """Return the sender, locked until the transaction ends. Raises NoSuchSender."""
    sender = Sender.objects.select_for_update().filter(workspace=workspace, pk=sender_id).first()
    if sender is None:
        raise NoSuchSender(_("There is no such sender name."))
    return sender


def revisions(sender: Sender) -> QuerySet[SenderRevision]:
    """Return the revisions of a sender, of its own workspace only."""
    return SenderRevision.objects.filter(workspace=sender.workspace_id, sender=sender)


def must_be_active(sender: Sender) -> None:
    """Raise SenderRefused for an archived sender."""
    if sender.is_archived:
        raise SenderRefused(
            _("“%(name)s” is archived. Restore it first.") % {"name": sender.value},
            code="archived",
        )


def _obj(sender: Sender) -> Obj:
    return Obj("sender", f"snd_{sender.pk}")


def revision_obj(revision: SenderRevision) -> Obj:
    """Return a revision as the audit log names it."""
    return Obj("sender_revision", f"rev_{revision.pk}")


def _diff(revision: SenderRevision) -> Diff:
    fields = ("number", "value", "ton", "npi", "category", "legal_entity", "purpose")
    more = ("sample_text", "resembles", "needed_approvals")
    return {field: (None, getattr(revision, field)) for field in (*fields, *more)}


def _is_about(error: IntegrityError, word: str) -> bool:
    diagnosis = getattr(error.__cause__, "diag", None)
    return word in (getattr(diagnosis, "constraint_name", "") or "")
