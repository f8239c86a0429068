"""Signing in: who it is, and the audit entries of both outcomes."""

from datetime import datetime

from django.contrib.auth import authenticate
from django.contrib.auth.hashers import get_hasher, make_password
from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions.record import DENIED, record
from audit.rules.events import Actor, Obj
from workspaces.actions.guesses import LockedOut, account_name, count_guess, forget_guesses
from workspaces.actions.noting import note_user
from workspaces.models import User
from workspaces.queries.access import installation_uuid
from workspaces.queries.accounts import may_be_used
from workspaces.rules.lockout import network_of
from workspaces.rules.refusal import Refusal

# Nobody is signed in yet: the sign-in page itself is what acts.
SIGN_IN = Actor(kind="system", id="sign_in")


class SignInRefused(Refusal):
    """Nobody is signed in; the sentence never says which of the two was wrong."""

    code = "sign_in_refused"


def recognise(
    *, email: str, password: str, address: str, now: datetime, request_id: str = ""
) -> User:
    """Return the account of this address and password. Raises SignInRefused or LockedOut.

    An unknown address costs as much time as a wrong password: Django hashes the password then too.
    """
    account = account_name(email)
    try:
        lock = count_guess(account=account, network=network_of(address), now=now)
    except LockedOut:
        _note_failure(account, address, now, "locked", request_id)
        raise
    user = authenticate(username=account, password=password)
    if not isinstance(user, User):
        _note_failure(account, address, now, "wrong address or password", request_id)
        if lock is not None:
            _note_lock(account, address, now, request_id)
            raise lock
        raise SignInRefused(
            _("Enter your e-mail address and password again. One of them is not right."),
            field="password",
        )
    forget_guesses(account)
    if not may_be_used(user):
        _note_failure(account, address, now, "demo account outside the demo", request_id)
        raise SignInRefused(
            _("This account belongs to the demo, and this installation is not one."),
            field="email",
        )
    _hash_anew(user, password, now, request_id)
    return user


def _hash_anew(user: User, password: str, now: datetime, request_id: str) -> None:
    """Store a password that was hashed by yesterday's method by today's, and say so."""
    today = get_hasher()
    if user.password.startswith(f"{today.algorithm}$") and not today.must_update(user.password):
        return
    with transaction.atomic(durable=True):
        # By compare-and-set: somebody may have set another one meanwhile.
        mine = User.objects.filter(pk=user.pk, password=user.password)
        new = make_password(password)
        if mine.update(password=new):
            user.password = new
            note_user("user.password_rehash", user, SIGN_IN, now=now, request_id=request_id)


def _note_failure(account: str, address: str, now: datetime, why: str, request_id: str) -> None:
    _note("user.sign_in_failed", account, address, now, why, request_id)


def _note_lock(account: str, address: str, now: datetime, request_id: str) -> None:
    _note("user.locked_out", account, address, now, "too many failed sign-ins", request_id)


def _note(op: str, account: str, address: str, now: datetime, why: str, request_id: str) -> None:
    """Record a failure. What was typed may be anything, a password too: it stays erasable."""
    known = User.objects.filter(email__iexact=account).values_list("pk", flat=True).first()
    record(
        op,
        workspace=installation_uuid(),
        actor=SIGN_IN,
        obj=Obj("user", f"usr_{known}" if known else "unknown"),
        now=now,
        personal={"account": account, "address": address},
        why=why,
        result="denied",
        request_id=request_id,
        using=DENIED,
    )
