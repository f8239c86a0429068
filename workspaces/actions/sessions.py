"""The browsers in which an account is signed in: begun, seen, ended."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.sessions.models import Session as DjangoSession
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from audit.rules.events import Actor
from workspaces.actions.noting import note_user
from workspaces.models import Session, User
from workspaces.queries.me import Me
from workspaces.rules.lockout import network_of
from workspaces.rules.refusal import Refusal


class SessionRefused(Refusal):
    """There is no such session to end."""


def begin_session(
    *,
    user: User,
    key: str,
    public_id: str,
    address: str,
    browser: str,
    now: datetime,
    replaces: str = "",
    request_id: str = "",
) -> Session:
    """Write down that `user` signed in. `key` is Django's session key, `public_id` a random one;
    `replaces` is the public id of the session that this browser had before.
    """
    with transaction.atomic(durable=True):
        Session.objects.filter(public_id=replaces).delete()
        session = Session.objects.create(
            user=user,
            key=key,
            public_id=public_id,
            address=network_of(address),
            browser=browser[:200],
            started_at=now,
            seen_at=now,
        )
        note_user(
            "user.sign_in",
            user,
            Actor("user", f"usr_{user.pk}", public_id),
            now=now,
            personal={"address": address},
            request_id=request_id,
        )
    return session


def see_session(public_id: str, now: datetime) -> None:
    """Remember when a session was last used."""
    Session.objects.filter(public_id=public_id).update(seen_at=now)


def rename_session(public_id: str, key: str) -> None:
    """Follow Django's session to its new key."""
    Session.objects.filter(public_id=public_id).update(key=key)


def end_session(*, by: Me, public_id: str, now: datetime) -> None:
    """Sign the caller out of one of his browsers. Raises SessionRefused if it is not his."""
    with transaction.atomic(durable=True):
        mine = Session.objects.filter(user=by.user, public_id=public_id)
        if not drop_sessions(mine.values_list("key", flat=True)):
            raise SessionRefused(_("This session has already ended."))
        _note_end(by, public_id, now)


def end_other_sessions(*, by: Me, now: datetime) -> int:
    """Sign the caller out everywhere but here and return from how many browsers."""
    with transaction.atomic(durable=True):
        others = list(
            Session.objects.filter(user=by.user)
            .exclude(public_id=by.session_id)
            .values_list("key", "public_id")
        )
        drop_sessions([key for key, _public_id in others])
        for _key, public_id in others:
            _note_end(by, public_id, now)
    return len(others)


def drop_sessions(keys: Iterable[str]) -> int:
    """Delete sessions, ours and Django's, inside the caller's transaction; return how many."""
    wanted = list(keys)
    DjangoSession.objects.filter(session_key__in=wanted).delete()
    return Session.objects.filter(key__in=wanted).delete()[0]


def sweep_sessions(now: datetime) -> int:
    """Delete sessions past their limits, ours and Django's, and return how many of ours went."""
    idle = now - timedelta(seconds=settings.SESSION_IDLE_SECONDS)
    absolute = now - timedelta(seconds=settings.SESSION_ABSOLUTE_SECONDS)
    over = Session.objects.filter(Q(seen_at__lt=idle) | Q(started_at__lt=absolute))
    with transaction.atomic(durable=True):
        count = drop_sessions(over.values_list("key", flat=True))
        DjangoSession.objects.filter(expire_date__lt=now).delete()
    return count


def _note_end(by: Me, public_id: str, now: datetime) -> None:
    elsewhere = public_id != by.session_id
    note_user(
        "user.sign_out",
        by.user,
        by.actor,
        now=now,
        diff={"session": (public_id, None)},
        why="ended from another session" if elsewhere else "",
        request_id=by.request_id,
    )
