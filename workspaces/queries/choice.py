"""Where a person may go after signing in. These questions need scope_everywhere."""

from dataclasses import dataclass

from workspaces.models import JoinRequest, Membership, User, Workspace
from workspaces.queries.members import role_name


@dataclass(frozen=True)
class Place:
    """A workspace that the reader is a member of."""

    workspace: Workspace
    role_name: str


@dataclass(frozen=True)
class OpenPlace:
    """A workspace that takes requests to join; `asked` is the reader's waiting one."""

    workspace: Workspace
    asked: JoinRequest | None


def places(user: User) -> list[Place]:
    """Return the workspaces that the user is a member of, by name."""
    rows = Membership.objects.filter(user=user).select_related("workspace")
    return [
        Place(row.workspace, role_name(row.role)) for row in rows.order_by("workspace__name", "id")
    ]


def open_places(user: User) -> list[OpenPlace]:
    """Return the workspaces that the user is no member of and that take requests, by name."""
    asked = {
        row.workspace_id: row for row in JoinRequest.objects.filter(user=user, decided_at=None)
    }
    rows = Workspace.objects.filter(is_open_to_requests=True, is_suspended=False)
    others = rows.exclude(memberships__user=user).order_by("name", "id")
    return [OpenPlace(workspace, asked.get(workspace.pk)) for workspace in others]


def open_workspace(slug: str) -> Workspace | None:
    """Return a workspace that takes requests, or None."""
    rows = Workspace.objects.filter(is_open_to_requests=True, is_suspended=False)
    return rows.filter(slug=slug).first()


def first_place(user: User) -> Workspace | None:
    """Return the workspace where the user was last, if he may still read it, or his only one."""
    mine = [place.workspace for place in places(user)]
    last = user.last_workspace
    if last is not None and (user.is_super_admin or last in mine):
        return last
    return mine[0] if len(mine) == 1 else None
