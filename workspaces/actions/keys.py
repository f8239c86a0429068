"""API keys: made, used, revoked."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions.record import record
from audit.rules.events import Actor, Obj
from workspaces.models import ApiKey, User, Workspace
from workspaces.queries.access import KEY_PREFIX
from workspaces.queries.me import Me
from workspaces.rules.permissions import ALL_SCOPES
from workspaces.rules.refusal import Refusal

LONGEST_DAYS = 365
LONGEST_NAME = 80
USED_EVERY = timedelta(seconds=60)


class KeyRefused(Refusal):
    """A key cannot be made or revoked as asked."""


@dataclass(frozen=True)
class NewKey:
    """A key just made. `token` is shown once and kept nowhere."""

    key: ApiKey
    token: str


def create_key(*, by: Me, name: str, scopes: Sequence[str], days: int, now: datetime) -> NewKey:
    """Make a key of the caller's workspace that lives `days` (1 to 365). Raises KeyRefused."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise KeyRefused(_("Enter a name of 1 to 80 characters."), field="name")
    unknown = set(scopes) - set(ALL_SCOPES)
    if unknown or not scopes:
        raise KeyRefused(_("Choose at least one thing that the key may do."), field="scopes")
    if any(not by.may(ALL_SCOPES[scope]) for scope in scopes):
        raise KeyRefused(_("A key cannot do more than you may do yourself."), field="scopes")
    if not 1 <= days <= LONGEST_DAYS:
        raise KeyRefused(_("A key lives between 1 and 365 days."), field="days")
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    with transaction.atomic(durable=True):
        key = ApiKey.objects.create(
            workspace=by.here,
            name=name,
            prefix=prefix,
            secret_hash=hashlib.sha256(secret.encode()).hexdigest(),
            scopes=sorted(set(scopes)),
            created_by=by.user,
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
        record(
            "key.create",
            workspace=by.here.uuid,
            actor=by.actor,
            obj=Obj("key", f"key_{key.pk}"),
            now=now,
            diff={"prefix": (None, prefix), "scopes": (None, list(key.scopes))},
            request_id=by.request_id,
        )
    return NewKey(key, f"{KEY_PREFIX}{prefix}.{secret}")


def revoke_key(*, key_id: int, by: Me, now: datetime) -> None:
    """End a key at once. Raises KeyRefused when it is not a live key of this workspace."""
    with transaction.atomic(durable=True):
        changed = ApiKey.objects.filter(workspace=by.here, pk=key_id, revoked_at=None).update(
            revoked_at=now
        )
        if not changed:
            raise KeyRefused(_("This key is already revoked."))
        record(
            "key.revoke",
            workspace=by.here.uuid,
            actor=by.actor,
            obj=Obj("key", f"key_{key_id}"),
            now=now,
            request_id=by.request_id,
        )


def revoke_keys_of(
    user: User, workspace: Workspace | None, *, actor: Actor, why: str, now: datetime
) -> int:
    """End the live keys that a person made, here or (None) everywhere, inside the caller's
    transaction; return how many. Each is recorded in its own workspace's chain.
    """
    keys = ApiKey.objects.filter(created_by=user, revoked_at=None).select_related("workspace")
    if workspace is not None:
        keys = keys.filter(workspace=workspace)
    live = list(keys.order_by("id"))
    for key in live:
        ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now)
        record(
            "key.revoke",
            workspace=key.workspace.uuid,
            actor=actor,
            obj=Obj("key", f"key_{key.pk}"),
            now=now,
            why=why,
        )
    return len(live)


def touch(key: ApiKey, now: datetime) -> None:
    """Remember that a key was used, at most once a minute."""
    if key.last_used_at is None or now - key.last_used_at > USED_EVERY:
        ApiKey.objects.filter(pk=key.pk, workspace=key.workspace).update(last_used_at=now)
