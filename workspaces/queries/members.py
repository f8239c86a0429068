"""Who is in a workspace, who is invited, and who asks to be let in."""

from dataclasses import dataclass
from datetime import datetime

from workspaces.models import (
    MEMBER_ROLES,
    ApiKey,
    Invitation,
    JoinRequest,
    Membership,
    Workspace,
)
from workspaces.queries.accounts import usable
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role


@dataclass(frozen=True)
class Member:
    """A row of the members page. `may_change` is false for the reader's own person."""

    user_id: int
    name: str
    email: str
    role: str
    role_name: str
    is_active: bool
    is_me: bool
    may_change: bool
    since: datetime


def role_name(role: str) -> str:
    """Return a role in words."""
    return str(dict(MEMBER_ROLES).get(role, "Super admin"))


def members(me: Me) -> list[Member]:
    """Return the members of the reader's workspace, by name."""
    rows = (
        Membership.objects.filter(workspace=me.here)
        .select_related("user__person")
        .order_by("user__person__name", "user__email")
    )
    return [
        Member(
            user_id=row.user_id,
            name=row.user.name,
            email=row.user.email,
            role=row.role,
            role_name=role_name(row.role),
            is_active=row.user.is_active,
            is_me=row.user_id == me.user.pk,
            may_change=row.user.person_id != me.person_id,
            since=row.created_at,
        )
        for row in rows
    ]


def admins(workspace: Workspace) -> list[str]:
    """Return the names of a workspace's admins, for people who need one."""
    rows = Membership.objects.filter(usable("user__"), workspace=workspace, role=Role.ADMIN)
    return list(rows.order_by("user__person__name").values_list("user__person__name", flat=True))


def open_invitations(workspace: Workspace) -> list[Invitation]:
    """Return the invitations that are neither accepted nor revoked, newest first; some are past
    their end.
    """
    rows = Invitation.objects.filter(workspace=workspace, accepted_at=None, revoked_at=None)
    return list(rows.select_related("invited_by__person").order_by("-created_at", "-id"))


def waiting_requests(workspace: Workspace) -> list[JoinRequest]:
    """Return the undecided requests to join, oldest first."""
    rows = JoinRequest.objects.filter(workspace=workspace, decided_at=None)
    return list(rows.select_related("user__person").order_by("created_at", "id"))


def waiting_request_count(workspace: Workspace) -> int:
    """Return how many requests to join wait for a decision."""
    return JoinRequest.objects.filter(workspace=workspace, decided_at=None).count()


def api_keys(workspace: Workspace) -> list[ApiKey]:
    """Return the workspace's keys, newest first."""
    rows = ApiKey.objects.filter(workspace=workspace).select_related("created_by__person")
    return list(rows.order_by("-created_at", "-id"))


def invitation_by_hash(token_hash: str) -> Invitation | None:
    """Return the invitation with this token's hash, or None. Needs scope_everywhere."""
    rows = Invitation.objects.select_related("workspace", "invited_by__person")
    return rows.filter(token_hash=token_hash).first()
