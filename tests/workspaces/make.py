"""Plain functions that make people and workspaces by the product's own verbs."""

from itertools import count

from django.test import Client
from django.utils import timezone

from audit.rules.events import Actor
from tests.make import NOW, sign_in
from workspaces.actions.keys import NewKey, create_key
from workspaces.actions.members import add_member
from workspaces.actions.users import create_user
from workspaces.actions.visits import enter_workspace
from workspaces.actions.workspaces import create_workspace
from workspaces.models import Membership, Person, User, Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import MASTER_VIEW, PERMISSIONS, Role
from workspaces.scope import scope

PASSWORD = "a long sentence nobody guesses"
SETUP = Actor(kind="system", id="setup")
_numbers = count(1)

__all__ = ["NOW", "PASSWORD", "SETUP", "sign_in"]


def workspace(slug: str = "", name: str = "", zone: str = "UTC") -> Workspace:
    """A workspace with its audit chain; without a slug each is another one."""
    slug = slug or f"team-{next(_numbers)}"
    return create_workspace(
        slug=slug, name=name or slug.title(), zone=zone, by_actor=SETUP, now=NOW
    )


def user(
    name: str = "",
    *,
    email: str = "",
    password: str | None = None,
    person: Person | None = None,
    is_super_admin: bool = False,
    is_demo: bool = False,
) -> User:
    """An account; a new person's unless `person` is given. Without `password` it has none, which
    spares a slow hash.
    """
    name = name or f"Person {next(_numbers)}"
    email = email or f"{name.lower().replace(' ', '.')}@example.com"
    return create_user(
        email=email,
        name=name,
        password=password,
        person=person,
        is_super_admin=is_super_admin,
        is_demo=is_demo,
        by_actor=SETUP,
        now=NOW,
    )


def member(where: Workspace, role: Role | str = Role.AUTHOR, who: User | None = None) -> User:
    """A member of a workspace, a new account unless one is given."""
    who = who or user()
    add_member(workspace=where, user=who, role=str(role), by_actor=SETUP, now=NOW)
    return who


def membership(where: Workspace, who: User) -> Membership:
    """The row of a member; raises Membership.DoesNotExist."""
    with scope(where):
        return Membership.objects.select_related("granted_by").get(workspace=where, user=who)


def me(who: User, where: Workspace | None = None, role: Role | str | None = None) -> Me:
    """The caller as the gate would make it: with the role's permissions (its membership is not
    looked up). A super admin without a role reads as Master.
    """
    if where is not None and role is None and who.is_super_admin:
        return Me(who, where, Role.SUPER_ADMIN, MASTER_VIEW, is_master=True, session_id="ses")
    if role is None and who.is_super_admin:
        role = Role.SUPER_ADMIN
    role = Role(role) if role else None
    held = PERMISSIONS[role] if role else frozenset[str]()
    return Me(who, where, role, held, session_id="ses", request_id="req")


def me_in(where: Workspace, role: Role | str = Role.ADMIN) -> Me:
    """A new member of a workspace as caller."""
    return me(member(where, role), where, role)


def key(where: Workspace, by: Me, *scopes: str) -> NewKey:
    """A live API key of a workspace, made now."""
    with scope(where):
        return create_key(
            by=by, name="Care", scopes=scopes or ("message.send",), days=30, now=timezone.now()
        )


def signed_in(who: User) -> Client:
    """A client in which somebody is signed in."""
    client = Client()
    sign_in(client, who)
    return client


def visit(where: Workspace, who: User) -> None:
    """Let a super admin act in a workspace from now on."""
    enter_workspace(
        workspace=where, reason="Ticket 4711, stuck list", by=me(who), now=timezone.now()
    )
