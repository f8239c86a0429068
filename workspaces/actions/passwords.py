"""Passwords: the rules for new ones, changed by their owner, reset by an e-mailed link."""

from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from audit.actions.record import record_denied
from audit.rules.events import Actor, Obj
from workspaces.actions.guesses import account_name, count_guess, forget_guesses
from workspaces.actions.noting import note_user
from workspaces.actions.sessions import drop_sessions
from workspaces.models import Session, User
from workspaces.queries.access import installation_uuid
from workspaces.queries.accounts import usable
from workspaces.queries.me import Me
from workspaces.rules.lockout import network_of
from workspaces.rules.refusal import Refusal

LINK_EVERY = timedelta(minutes=2)


class PasswordRefused(Refusal):
    """The new password breaks a rule, or the old one is not right."""

    code = "password_refused"


def check_new_password(password: str, user: User) -> None:
    """Raise PasswordRefused with all rules that a new password breaks: at least 12 characters, not
    among the 20,000 that people use most, not like the account's own address.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise PasswordRefused(" ".join(error.messages), field="password") from error


def prove_password(
    *, by: Me, password: str, address: str, now: datetime, field: str = "password"
) -> None:
    """Make sure that it is still the caller who sits there.

    Raises PasswordRefused, or LockedOut: guessing here counts as guessing at sign-in.
    """
    account = account_name(by.user.email)
    lock = count_guess(account=account, network=network_of(address), now=now)
    if check_password(password, by.user.password):
        forget_guesses(account)
        return
    record_denied(
        "user.sign_in_failed",
        workspace=installation_uuid(),
        actor=by.actor,
        obj=Obj("user", f"usr_{by.user.pk}"),
        now=now,
        why="the password was asked again",
        request_id=by.request_id,
    )
    raise lock or PasswordRefused(_("This is not your password now."), field=field)


def change_password(*, by: Me, old: str, new: str, address: str, now: datetime) -> User:
    """Change the caller's own password and sign him out everywhere else; return the new row.

    Raises PasswordRefused and LockedOut.
    """
    prove_password(by=by, password=old, address=address, now=now, field="old")
    check_new_password(new, by.user)
    with transaction.atomic(durable=True):
        _set(by.user, new)
        others = Session.objects.filter(user=by.user).exclude(public_id=by.session_id)
        drop_sessions(others.values_list("key", flat=True))
        note_user("user.password_change", by.user, by.actor, now=now, request_id=by.request_id)
    return User.objects.get(pk=by.user.pk)


def reset_password(*, user: User, new: str, now: datetime, request_id: str = "") -> None:
    """Set the password of somebody who has shown a link that we e-mailed; all his sessions end.

    A lock ends too: it may be somebody else's doing. Raises PasswordRefused.
    """
    check_new_password(new, user)
    with transaction.atomic(durable=True):
        _set(user, new)
        drop_sessions(Session.objects.filter(user=user).values_list("key", flat=True))
        owner = Actor("user", f"usr_{user.pk}")
        note_user("user.password_reset", user, owner, now=now, request_id=request_id)
    forget_guesses(account_name(user.email))


def take_link_turn(user_id: int, now: datetime) -> bool:
    """Claim the right to e-mail a link; False when one was sent in the last two minutes."""
    free = Q(password_link_sent_at=None) | Q(password_link_sent_at__lt=now - LINK_EVERY)
    return bool(User.objects.filter(free, pk=user_id).update(password_link_sent_at=now))


def _set(user: User, new: str) -> None:
    """Set the password unless another one was set meanwhile."""
    mine = User.objects.filter(usable(), pk=user.pk, password=user.password)
    if not mine.update(password=make_password(new)):
        raise PasswordRefused(_("This account has changed meanwhile. Begin again."))
