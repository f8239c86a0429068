"""Members: let in, given another role, removed. Nobody changes his own standing."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions.record import record
from audit.rules.events import Actor, Obj
from workspaces.actions.keys import revoke_keys_of
from workspaces.actions.noting import note_denied
from workspaces.models import MEMBER_ROLES, Membership, User, Workspace
from workspaces.queries.accounts import usable
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.rules.refusal import Refusal
from workspaces.scope import scope


class MemberRefused(Refusal):
    """A member cannot be added, changed or removed as asked."""

    code = "member_refused"


def checked_role(role: str) -> str:
    """Return a role that a member may have; raises MemberRefused."""
    if role not in dict(MEMBER_ROLES):
        raise MemberRefused(_("Choose a role."), field="role")
    return role


def add_member(
    *, workspace: Workspace, user: User, role: str, by_actor: Actor, now: datetime
) -> Membership:
    """Make a user a member. Raises MemberRefused when he is one."""
    with scope(workspace), transaction.atomic(durable=True):
        return enrol(workspace, user, role, actor=by_actor, now=now)


def enrol(
    workspace: Workspace,
    user: User,
    role: str,
    *,
    actor: Actor,
    now: datetime,
    granted_by: User | None = None,
    request_id: str = "",
) -> Membership:
    """Add a member inside the caller's transaction. Raises MemberRefused when he is one."""
    values = {
        "role": checked_role(role),
        "granted_by": granted_by,
        "granted_at": now,
        "created_at": now,
    }
    membership, is_new = Membership.objects.get_or_create(
        workspace=workspace, user=user, defaults=values
    )
    if not is_new:
        raise MemberRefused(_("%(name)s is already a member.") % {"name": user.name})
    record(
        "member.add",
        workspace=workspace.uuid,
        actor=actor,
        obj=Obj("user", f"usr_{user.pk}"),
        now=now,
        diff={"role": (None, role)},
        request_id=request_id,
    )
    return membership


def change_role(*, user_id: int, role: str, seen: str, by: Me, now: datetime) -> None:
    """Give a member another role. `seen` is the role that the caller saw him have.

    Raises MemberRefused: for the caller's own person, for the last admin, for one who is no member,
    and when somebody else was faster.
    """
    checked_role(role)
    with transaction.atomic(durable=True):
        member = _locked(user_id, by, "role.grant", now)
        if member.role != seen:
            raise MemberRefused(_("Somebody changed this role meanwhile. Look again."))
        if member.role == role:
            return
        _keep_an_admin(member, by)
        Membership.objects.filter(pk=member.pk, workspace=by.here).update(
            role=role, granted_by=by.user, granted_at=now
        )
        record(
            "role.grant",
            workspace=by.here.uuid,
            actor=by.actor,
            obj=Obj("user", f"usr_{user_id}"),
            now=now,
            diff={"role": (member.role, role)},
            request_id=by.request_id,
        )


def remove_member(*, user_id: int, by: Me, now: datetime) -> None:
    """End a membership and revoke the keys that this member made here; bites on the next request.

    Raises MemberRefused: for the caller's own person, for the last admin, for one who is no member.
    """
    with transaction.atomic(durable=True):
        member = _locked(user_id, by, "member.remove", now)
        _keep_an_admin(member, by)
        Membership.objects.filter(pk=member.pk, workspace=by.here).delete()
        revoke_keys_of(member.user, by.here, actor=by.actor, why="its maker was removed", now=now)
        record(
            "member.remove",
            workspace=by.here.uuid,
            actor=by.actor,
            obj=Obj("user", f"usr_{user_id}"),
            now=now,
            diff={"role": (member.role, None)},
            request_id=by.request_id,
        )


def _locked(user_id: int, by: Me, op: str, now: datetime) -> Membership:
    """Lock the workspace's memberships in one order and return the one that is meant."""
    rows = Membership.objects.select_for_update(of=("self",)).filter(workspace=by.here)
    members = {row.user_id: row for row in rows.select_related("user__person").order_by("id")}
    member = members.get(user_id)
    if member is None:
        raise MemberRefused(_("This person is not a member any more."))
    if member.user.person_id == by.person_id:
        note_denied(by, op, Obj("user", f"usr_{user_id}"), now=now, why="his own person")
        raise MemberRefused(_("Nobody changes his own role. Ask another admin."))
    return member


def _keep_an_admin(member: Membership, by: Me) -> None:
    """Refuse what would leave the workspace without an admin who can sign in."""
    if member.role != Role.ADMIN:
        return
    admins = Membership.objects.filter(usable("user__"), workspace=by.here, role=Role.ADMIN)
    if not admins.exclude(pk=member.pk).exists():
        raise MemberRefused(
            _("A workspace keeps at least one admin. Make somebody else one first.")
        )
