"""Look-ups of the gate.

They run outside any workspace's scope, so each says which rows it means.
"""

import hashlib
import hmac
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from workspaces.models import ApiKey, Installation, Membership, User, Visit, Workspace
from workspaces.queries.accounts import may_be_used
from workspaces.rules.permissions import Role

KEY_PREFIX = "mc_"


@lru_cache(maxsize=1)
def installation_uuid() -> UUID:
    """Return the installation's UUID: the audit log's system chain."""
    return Installation.objects.values_list("uuid", flat=True).get(id=1)


def workspace_by_slug(slug: str) -> Workspace | None:
    """Return the workspace, or None."""
    return Workspace.objects.filter(slug=slug).first()


def role_in(workspace: Workspace, user: User) -> Role | None:
    """Return the role of a membership as it is in this moment, or None."""
    role = (
        Membership.objects.filter(workspace=workspace, user=user)
        .values_list("role", flat=True)
        .first()
    )
    return Role(role) if role else None


def current_visit(workspace: Workspace, user: User, now: datetime) -> Visit | None:
    """Return the visit under which a super admin acts in a workspace now, or None."""
    return (
        Visit.objects.filter(workspace=workspace, user=user, ends_at__gt=now, left_at=None)
        .order_by("-ends_at")
        .first()
    )


def memberships_of(user: User) -> list[Membership]:
    """Return the user's memberships with their workspaces, by the workspace's name."""
    found = Membership.objects.filter(user=user).select_related("workspace")
    return list(found.order_by("workspace__name"))


def key_by_token(token: str, now: datetime) -> ApiKey | None:
    """Return the live key of `mc_<prefix>.<secret>`, or None."""
    key = claimed_key(token)
    return key if key is not None and not why_dead(key, token, now) else None


def claims_key(token: str) -> bool:
    """Whether a token has the form of a key of ours."""
    prefix, _, secret = token.removeprefix(KEY_PREFIX).partition(".")
    return token.startswith(KEY_PREFIX) and prefix.isalnum() and bool(secret)


def claimed_key(token: str) -> ApiKey | None:
    """Return the key whose prefix a token has, live or not, whatever its secret; or None."""
    if not claims_key(token):
        return None
    prefix = token.removeprefix(KEY_PREFIX).partition(".")[0]
    keys = ApiKey.objects.select_related("workspace", "created_by__person")
    return keys.filter(prefix=prefix).first()


def why_dead(key: ApiKey, token: str, now: datetime) -> str:
    """Return why a token opens nothing though its prefix is the key's; "" when it does.

    The secret is compared in constant time.
    """
    given = hashlib.sha256(token.partition(".")[2].encode()).hexdigest()
    if not hmac.compare_digest(key.secret_hash, given):
        return "another secret than the key's"
    if key.revoked_at is not None:
        return "the key was revoked"
    if key.expires_at <= now:
        return "the key is past its end"
    return "" if may_be_used(key.created_by) else "its maker's account is off"
