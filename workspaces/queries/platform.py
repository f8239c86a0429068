"""The platform team's view over all workspaces and accounts. These questions need
scope_everywhere.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Prefetch, Q

from workspaces.models import Membership, User, Visit, Workspace
from workspaces.rules.permissions import Role

MOST_USERS = 200


@dataclass(frozen=True)
class WorkspaceRow:
    """A workspace, how many people and keys it has, and whether the reader acts in it now."""

    workspace: Workspace
    member_count: int
    admin_count: int
    key_count: int
    request_count: int
    visit: Visit | None


@dataclass(frozen=True)
class UserRow:
    """An account and where it is a member."""

    user: User
    memberships: list[Membership]
    has_password: bool
    may_change: bool


def workspace_rows(reader: User, now: datetime) -> list[WorkspaceRow]:
    """Return every workspace, by name."""
    live_keys = Q(api_keys__revoked_at=None, api_keys__expires_at__gt=now)
    rows = Workspace.objects.annotate(
        members=Count("memberships", distinct=True),
        admins=Count("memberships", filter=Q(memberships__role=Role.ADMIN), distinct=True),
        keys=Count("api_keys", filter=live_keys, distinct=True),
        requests=Count("join_requests", filter=Q(join_requests__decided_at=None), distinct=True),
    ).order_by("name", "id")
    visits = Visit.objects.filter(user=reader, left_at=None, ends_at__gt=now)
    current = {visit.workspace_id: visit for visit in visits.order_by("ends_at")}
    return [
        WorkspaceRow(
            workspace=row,
            member_count=row.members,
            admin_count=row.admins,
            key_count=row.keys,
            request_count=row.requests,
            visit=current.get(row.pk),
        )
        for row in rows
    ]


def user_rows(reader: User, words: str = "") -> list[UserRow]:
    """Return the accounts whose name or address contains the words, by name; at most MOST_USERS."""
    found = User.objects.select_related("person").prefetch_related(
        Prefetch(
            "memberships",
            Membership.objects.select_related("workspace").order_by("workspace__name"),
        )
    )
    if words:
        found = found.filter(Q(person__name__icontains=words) | Q(email__icontains=words))
    return [
        UserRow(
            user=user,
            memberships=list(user.memberships.all()),
            has_password=user.has_usable_password(),
            may_change=user.person_id != reader.person_id,
        )
        for user in found.order_by("person__name", "email")[:MOST_USERS]
    ]


def user_by_id(user_id: int) -> User | None:
    """Return an account with its person, or None."""
    return User.objects.select_related("person").filter(pk=user_id).first()


def user_by_email(email: str) -> User | None:
    """Return the account with this address and its person, or None."""
    return User.objects.select_related("person").filter(email__iexact=email.strip()).first()
