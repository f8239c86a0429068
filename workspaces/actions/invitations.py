"""Invitations by e-mail: made, sent again, revoked, accepted once."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from audit.actions.record import record
from audit.rules.events import Actor, Obj
from workspaces.actions.account import checked_name
from workspaces.actions.members import checked_role, enrol
from workspaces.actions.noting import note, note_user
from workspaces.actions.passwords import check_new_password
from workspaces.actions.users import checked_email, insert_user
from workspaces.models import Invitation, Membership, User
from workspaces.queries.me import Me
from workspaces.rules.refusal import Refusal
from workspaces.scope import scope


class InvitationRefused(Refusal):
    """An invitation cannot be made, changed or accepted as asked."""

    code = "invitation_refused"


@dataclass(frozen=True)
class NewInvitation:
    """An invitation whose token is known for this moment only, to be e-mailed."""

    invitation: Invitation
    token: str


def token_hash(token: str) -> str:
    """Return what is stored of a token: its SHA-256, hex."""
    return hashlib.sha256(token.encode()).hexdigest()


def invite(*, email: str, role: str, by: Me, now: datetime) -> NewInvitation:
    """Invite an address into the caller's workspace. Raises InvitationRefused and UserRefused."""
    email = checked_email(email)
    _refuse_known(email, by)
    token = secrets.token_urlsafe(32)
    try:
        with transaction.atomic(durable=True):
            invitation = Invitation.objects.create(
                workspace=by.here,
                email=email,
                role=checked_role(role),
                token_hash=token_hash(token),
                invited_by=by.user,
                created_at=now,
                expires_at=now + timedelta(days=settings.INVITATION_DAYS),
            )
            _note_made(invitation, by, now, why="")
    except IntegrityError as error:
        raise InvitationRefused(
            _("This address has an open invitation. Send that one again, or revoke it."),
            field="email",
        ) from error
    return NewInvitation(invitation, token)


def invite_again(*, invitation_id: int, by: Me, now: datetime) -> NewInvitation:
    """Give an open invitation a new token and a new end; the old link is dead.

    Raises InvitationRefused.
    """
    token = secrets.token_urlsafe(32)
    with transaction.atomic(durable=True):
        changed = _open(invitation_id, by).update(
            token_hash=token_hash(token),
            expires_at=now + timedelta(days=settings.INVITATION_DAYS),
        )
        if not changed:
            raise InvitationRefused(_("This invitation is not open any more."))
        invitation = Invitation.objects.get(pk=invitation_id, workspace=by.here)
        _note_made(invitation, by, now, why="sent again")
    return NewInvitation(invitation, token)


def revoke_invitation(*, invitation_id: int, by: Me, now: datetime) -> None:
    """End an open invitation. Raises InvitationRefused."""
    with transaction.atomic(durable=True):
        if not _open(invitation_id, by).update(revoked_at=now):
            raise InvitationRefused(_("This invitation is not open any more."))
        note(by, "invitation.revoke", Obj("invitation", f"inv_{invitation_id}"), now=now)


def accept_invitation(
    *, invitation: Invitation, user: User, now: datetime, request_id: str = ""
) -> Membership:
    """Make the invited account a member. Raises InvitationRefused and MemberRefused.

    The account must be the one with the invited address: a forwarded link lets nobody else in.
    """
    if user.email.lower() != invitation.email.lower():
        raise InvitationRefused(_("This invitation is for another e-mail address."))
    with scope(invitation.workspace), transaction.atomic(durable=True):
        return _accept(invitation, user, now, request_id)


def accept_as_new(
    *, invitation: Invitation, name: str, password: str, now: datetime, request_id: str = ""
) -> User:
    """Create the invited person's account and make it a member.

    Raises InvitationRefused, AccountRefused and PasswordRefused.
    """
    name = checked_name(name)
    check_new_password(password, User(email=invitation.email))
    try:
        with scope(invitation.workspace), transaction.atomic(durable=True):
            user = insert_user(email=invitation.email, name=name, password=password, now=now)
            note_user(
                "user.create",
                user,
                Actor("user", f"usr_{user.pk}"),
                now=now,
                why=f"invitation inv_{invitation.pk}",
                request_id=request_id,
            )
            _accept(invitation, user, now, request_id)
    except IntegrityError as error:
        raise InvitationRefused(
            _("There is an account with this address now. Sign in to accept.")
        ) from error
    return user


def _accept(invitation: Invitation, user: User, now: datetime, request_id: str) -> Membership:
    """Win the invitation, once, and let its role in."""
    if not Invitation.objects.filter(
        pk=invitation.pk,
        workspace=invitation.workspace,
        token_hash=invitation.token_hash,
        accepted_at=None,
        revoked_at=None,
        expires_at__gt=now,
    ).update(accepted_at=now):
        raise InvitationRefused(_("This invitation is not open any more. Ask for a new one."))
    actor = Actor("user", f"usr_{user.pk}")
    record(
        "invitation.accept",
        workspace=invitation.workspace.uuid,
        actor=actor,
        obj=Obj("invitation", f"inv_{invitation.pk}"),
        now=now,
        request_id=request_id,
    )
    return enrol(
        invitation.workspace,
        user,
        invitation.role,
        actor=actor,
        now=now,
        granted_by=invitation.invited_by,
        request_id=request_id,
    )


def _open(invitation_id: int, by: Me) -> QuerySet[Invitation]:
    return Invitation.objects.filter(
        pk=invitation_id, workspace=by.here, accepted_at=None, revoked_at=None
    )


def _refuse_known(email: str, by: Me) -> None:
    """Refuse to invite members, and any account of the caller's own person."""
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        return
    if user.person_id == by.person_id:
        raise InvitationRefused(_("Nobody invites himself. Ask another admin."), field="email")
    if Membership.objects.filter(workspace=by.here, user=user).exists():
        raise InvitationRefused(_("This person is already a member."), field="email")


def _note_made(invitation: Invitation, by: Me, now: datetime, why: str) -> None:
    note(
        by,
        "invitation.create",
        Obj("invitation", f"inv_{invitation.pk}"),
        now=now,
        diff={"role": (None, invitation.role)},
        personal={"email": invitation.email},
        why=why,
    )
