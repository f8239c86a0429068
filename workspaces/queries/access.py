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


def workspaces_of(user: User) -> list[Workspace]:
    """Return the workspaces that the user is a member of, by name."""
    return list(Workspace.objects.filter(memberships__user=user).order_by("name"))


def key_by_token(token: str, now: datetime) -> ApiKey | None:
    """Return the live key of `mc_<prefix>.<secret>`, or None.

    The secret is compared in constant time.
    """
    prefix, _, secret = token.removeprefix(KEY_PREFIX).partition(".")
    if not token.startswith(KEY_PREFIX) or not prefix.isalnum() or not secret:
        return None
    key = (
        ApiKey.objects.select_related("workspace", "created_by__person")
        .filter(prefix=prefix)
        .first()
    )
    wanted = key.secret_hash if key else "0" * 64
    given = hashlib.sha256(secret.encode()).hexdigest()
    if not hmac.compare_digest(wanted, given) or key is None:
        return None
    is_live = key.revoked_at is None and key.expires_at > now and may_be_used(key.created_by)
    return key if is_live else None
