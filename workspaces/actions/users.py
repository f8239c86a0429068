"""Accounts, as the platform team keeps them: created, disabled, enabled, made super admin."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.rules.events import Actor
from workspaces.actions.account import checked_name
from workspaces.actions.keys import revoke_keys_of
from workspaces.actions.noting import note_user
from workspaces.actions.sessions import drop_sessions
from workspaces.models import Person, Session, User
from workspaces.queries.accounts import usable
from workspaces.queries.me import Me
from workspaces.rules.refusal import Refusal
from workspaces.scope import scope_everywhere


class UserRefused(Refusal):
    """An account cannot be created or changed as asked."""

    code = "user_refused"


def checked_email(email: str) -> str:
    """Return an e-mail address as it is stored; raises UserRefused."""
    email = email.strip()
    try:
        validate_email(email)
    except ValidationError as error:
        raise UserRefused(
            _("Enter an e-mail address, for example name@example.com."), field="email"
        ) from error
    return email


def create_user(
    *,
    email: str,
    name: str,
    by_actor: Actor,
    now: datetime,
    password: str | None = None,
    person: Person | None = None,
    is_super_admin: bool = False,
    is_demo: bool = False,
    request_id: str = "",
) -> User:
    """Create an account, with a new person unless it is another account of a known one.

    Without `password` nobody can sign in until its owner has set one through an e-mailed link;
    people never set another's. `password` is for the demo's data and the tests. Raises UserRefused.
    """
    email, name = checked_email(email), checked_name(name)
    try:
        with transaction.atomic(durable=True):
            user = insert_user(
                email=email, name=name, password=password, person=person, now=now, is_demo=is_demo
            )
            if is_super_admin:
                User.objects.filter(pk=user.pk).update(is_super_admin=True)
                user.is_super_admin = True
            diff = {"is_super_admin": (None, is_super_admin), "is_demo": (None, is_demo)}
            note_user("user.create", user, by_actor, now=now, diff=diff, request_id=request_id)
    except IntegrityError as error:
        raise UserRefused(_("There is an account with this address."), field="email") from error
    return user


def insert_user(
    *,
    email: str,
    name: str,
    password: str | None,
    now: datetime,
    person: Person | None = None,
    is_demo: bool = False,
) -> User:
    """Insert an account inside the caller's transaction; raises IntegrityError for a known one."""
    user = User(
        email=email,
        person=person or Person.objects.create(name=name),
        is_demo=is_demo,
        created_at=now,
    )
    user.set_password(password)
    user.save(force_insert=True)
    return user


def disable_user(*, user_id: int, by: Me, why: str, now: datetime) -> None:
    """End an account's sessions and API keys and let nobody sign in with it.

    Raises UserRefused: for the caller's own person, for the last super admin, without a reason.
    """
    if not why.strip():
        raise UserRefused(_("Say why. Auditors read it."), field="why")
    with (
        scope_everywhere("the account's keys in every workspace"),
        transaction.atomic(durable=True),
    ):
        user = _locked(user_id, by)
        if not user.is_active:
            raise UserRefused(_("This account is disabled already."))
        _keep_a_super_admin(user)
        User.objects.filter(pk=user.pk).update(is_active=False)
        drop_sessions(Session.objects.filter(user=user).values_list("key", flat=True))
        revoke_keys_of(user, None, actor=by.actor, why="its maker was disabled", now=now)
        note_user(
            "user.disable", user, by.actor, now=now, why=why.strip(), request_id=by.request_id
        )


def enable_user(*, user_id: int, by: Me, now: datetime) -> None:
    """Let an account sign in again; its keys stay revoked. Raises UserRefused."""
    with transaction.atomic(durable=True):
        user = _locked(user_id, by)
        if user.is_active:
            raise UserRefused(_("This account is enabled already."))
        User.objects.filter(pk=user.pk).update(is_active=True)
        note_user("user.enable", user, by.actor, now=now, request_id=by.request_id)


def change_super_admin(
    *, user_id: int, is_super_admin: bool, by: Me, why: str, now: datetime
) -> None:
    """Take somebody into the platform team, or out of it; bites on the next request.

    Raises UserRefused: for the caller's own person (another super admin does it), for the last
    super admin, without a reason, and when it is so already.
    """
    if not why.strip():
        raise UserRefused(_("Say why. Auditors read it."), field="why")
    with transaction.atomic(durable=True):
        user = _locked(user_id, by)
        if user.is_super_admin == is_super_admin or not user.is_active:
            raise UserRefused(_("Somebody changed this account meanwhile. Look again."))
        if not is_super_admin:
            _keep_a_super_admin(user)
        User.objects.filter(pk=user.pk).update(is_super_admin=is_super_admin)
        diff = {"is_super_admin": (user.is_super_admin, is_super_admin)}
        note_user(
            "role.grant",
            user,
            by.actor,
            now=now,
            diff=diff,
            why=why.strip(),
            request_id=by.request_id,
        )


def _locked(user_id: int, by: Me) -> User:
    """Lock the super admins and the account in one order; refuse what is of the caller's person."""
    wanted = User.objects.filter(is_super_admin=True) | User.objects.filter(pk=user_id)
    rows = wanted.select_for_update(of=("self",)).select_related("person").order_by("id")
    user = {row.pk: row for row in rows}.get(user_id)
    if user is None:
        raise UserRefused(_("There is no such account."))
    if user.person_id == by.person_id:
        raise UserRefused(_("Nobody changes his own standing. Ask another super admin."))
    return user


def _keep_a_super_admin(user: User) -> None:
    others = User.objects.filter(usable(), is_super_admin=True).exclude(pk=user.pk)
    if user.is_super_admin and not others.exists():
        raise UserRefused(_("The installation keeps at least one super admin."))
