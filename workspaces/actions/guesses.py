"""Counts guesses at passwords, and locks an account or an address for a while."""

from datetime import datetime, timedelta
from math import ceil

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from workspaces.models import SignInFailure
from workspaces.rules.lockout import locked_until
from workspaces.rules.refusal import Refusal


class LockedOut(Refusal):
    """Too many guesses; `until` says when the next one is taken."""

    code = "locked_out"

    def __init__(self, until: datetime, now: datetime) -> None:
        minutes = ceil((until - now).total_seconds() / 60)
        super().__init__(
            _(
                "There were too many attempts. Sign-in is locked for %(minutes)s min, "
                "until %(time)s UTC."
            )
            % {"minutes": minutes, "time": f"{until:%H:%M}"},
            field="password",
        )
        self.until = until


def account_name(email: str) -> str:
    """Return an address as guesses are counted by, known or not."""
    return email.strip().lower()[:254]


def count_guess(*, account: str, network: str, now: datetime) -> LockedOut | None:
    """Count a guess before it is checked, so that many at once are not more than many in turn.

    Raises LockedOut when no guess is taken now. Returns the lock that begins if this one is wrong.
    """
    with transaction.atomic(durable=True):
        _take_turns(account, network)
        until = _lock_ends(account, network, now)
        if until is not None:
            raise LockedOut(until, now)
        SignInFailure.objects.create(account=account, address=network, failed_at=now)
        until = _lock_ends(account, network, now)
    return LockedOut(until, now) if until is not None else None


def forget_guesses(account: str) -> None:
    """Start anew after a right password; guesses at other accounts from the same address stay."""
    SignInFailure.objects.filter(account=account).delete()


def sweep_guesses(now: datetime) -> int:
    """Delete what can lock nobody any more and return how many rows went."""
    old = now - 2 * timedelta(seconds=settings.SIGN_IN_LOCK_SECONDS)
    return SignInFailure.objects.filter(failed_at__lt=old).delete()[0]


def _take_turns(account: str, network: str) -> None:
    """Guesses at one account, or from one address, are counted one after another."""
    with connection.cursor() as cursor:
        for name in (f"sign_in:account:{account}", f"sign_in:network:{network}"):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def _lock_ends(account: str, network: str, now: datetime) -> datetime | None:
    ends = [
        _lock_of(settings.SIGN_IN_FAILURES_PER_ACCOUNT, now, account=account),
        _lock_of(settings.SIGN_IN_FAILURES_PER_ADDRESS, now, address=network),
    ]
    return max((end for end in ends if end is not None), default=None)


def _lock_of(limit: int, now: datetime, **whose: str) -> datetime | None:
    failures = SignInFailure.objects.filter(**whose).order_by("-failed_at", "-id")
    return locked_until(
        list(failures.values_list("failed_at", flat=True)[:limit]),
        limit=limit,
        lock=timedelta(seconds=settings.SIGN_IN_LOCK_SECONDS),
        now=now,
    )
