"""Finds out who calls: by session for pages, by key for the API."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest

from workspaces.actions.keys import touch
from workspaces.actions.sessions import begin_session, see_session
from workspaces.gate.address import address
from workspaces.models import ApiKey, User, Workspace
from workspaces.queries.access import current_visit, key_by_token, memberships_of, role_in
from workspaces.queries.accounts import may_be_used
from workspaces.queries.me import Me
from workspaces.rules.permissions import ALL_SCOPES, MASTER_VIEW, PERMISSIONS, Role
from workspaces.scope import scope_everywhere

STARTED = "started_at"
SEEN = "seen_at"
PUBLIC_ID = "public_id"
LOOKED = "looked_at"
PLATFORM_SEE = "platform.see"
# A session is written at most this often, so that reading a page does not write a row.
SEEN_EVERY = timedelta(seconds=60)


@dataclass(frozen=True)
class Session:
    """A signed-in session that is within its limits."""

    user: User
    session_id: str


def session_of(request: HttpRequest, now: datetime) -> Session | None:
    """Return the session, or None; one past its idle or absolute limit, or of an account that may
    not be used here, is ended here.
    """
    user = request.user
    if not isinstance(user, User):
        return None
    started = _time(request, STARTED)
    seen = _time(request, SEEN)
    if started is None or seen is None or _is_over(started, seen, now) or not may_be_used(user):
        logout(request)
        return None
    public_id = request.session.get(PUBLIC_ID, "")
    if now - seen > SEEN_EVERY:
        request.session[SEEN] = now.isoformat()
        see_session(public_id, now)
    return Session(user, public_id)


def start_session(request: HttpRequest, user: User, now: datetime) -> None:
    """Sign `user` in: a new session key, its limits, its row and the audit entry.

    Django's session counts for nothing until the limits are in it, which is last.
    """
    before = request.session.get(PUBLIC_ID, "")
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    public_id = secrets.token_urlsafe(12)
    begin_session(
        user=user,
        key=request.session.session_key or "",
        public_id=public_id,
        address=address(request),
        browser=request.headers.get("User-Agent", ""),
        now=now,
        replaces=before,
        request_id=str(getattr(request, "request_id", "")),
    )
    request.session[PUBLIC_ID] = public_id
    request.session[STARTED] = request.session[SEEN] = now.isoformat()


def looks_anew(request: HttpRequest, workspace: Workspace, now: datetime) -> bool:
    """Whether a super admin's look into a workspace is to be recorded: once per VISIT_MINUTES and
    session, not at every page.
    """
    looked = request.session.get(LOOKED, {})
    last = looked.get(workspace.slug)
    every = timedelta(minutes=settings.VISIT_MINUTES)
    if last is not None and now - datetime.fromisoformat(last) < every:
        return False
    request.session[LOOKED] = {**looked, workspace.slug: now.isoformat()}
    return True


def _time(request: HttpRequest, name: str) -> datetime | None:
    value = request.session.get(name)
    return datetime.fromisoformat(value) if value else None


def _is_over(started: datetime, seen: datetime, now: datetime) -> bool:
    idle = timedelta(seconds=settings.SESSION_IDLE_SECONDS)
    absolute = timedelta(seconds=settings.SESSION_ABSOLUTE_SECONDS)
    return now - seen > idle or now - started > absolute


def me_outside(session: Session, request_id: str) -> Me:
    """Return the caller outside a workspace: the platform's permissions for super admins, none for
    others.
    """
    is_super = session.user.is_super_admin
    with scope_everywhere("the gate looks up a person's own memberships"):
        places = tuple(one.workspace for one in memberships_of(session.user))
    return Me(
        user=session.user,
        role=Role.SUPER_ADMIN if is_super else None,
        permissions=PERMISSIONS[Role.SUPER_ADMIN] if is_super else frozenset(),
        request_id=request_id,
        session_id=session.session_id,
        places=places,
    )


def me_inside(session: Session, workspace: Workspace, request_id: str, now: datetime) -> Me | None:
    """Return the caller in a workspace, or None for a stranger.

    A member has the role of his membership. A super admin reads every workspace; in one that he has
    entered with a
    reason he acts with his own role. In a suspended workspace members only read.
    """
    with scope_everywhere("the gate looks up a membership"):
        held = memberships_of(session.user)
        visit = current_visit(workspace, session.user, now) if session.user.is_super_admin else None
    role = next((Role(one.role) for one in held if one.workspace_id == workspace.pk), None)
    is_master = False
    if visit is not None:
        role, permissions = Role.SUPER_ADMIN, PERMISSIONS[Role.SUPER_ADMIN]
    elif role is not None:
        permissions = MASTER_VIEW if workspace.is_suspended else PERMISSIONS[role]
    elif session.user.is_super_admin:
        role, permissions, is_master = Role.SUPER_ADMIN, MASTER_VIEW, True
    else:
        return None
    return Me(
        user=session.user,
        workspace=workspace,
        role=role,
        permissions=permissions,
        is_master=is_master,
        visit_ends_at=visit.ends_at if visit is not None else None,
        request_id=request_id,
        session_id=session.session_id,
        places=tuple(one.workspace for one in held),
    )


def me_by_key(token: str, request_id: str, now: datetime) -> Me | None:
    """Return the caller that a key stands for, or None.

    A key acts for the person who made it, with the rights that this person still has in the key's
    workspace, or over the platform as a super admin.
    """
    with scope_everywhere("the gate looks up an API key"):
        key = key_by_token(token, now)
        role = role_in(key.workspace, key.created_by) if key is not None else None
        if key is None or (role is None and not key.created_by.is_super_admin):
            return None
        touch(key, now)
    return Me(
        user=key.created_by,
        workspace=key.workspace,
        role=role,
        permissions=_key_permissions(key, role),
        key=key,
        request_id=request_id,
    )


def _key_permissions(key: ApiKey, role: Role | None) -> frozenset[str]:
    held = MASTER_VIEW if key.workspace.is_suspended else PERMISSIONS[role] if role else frozenset()
    if key.created_by.is_super_admin:
        held |= {PLATFORM_SEE}
    return frozenset(name for name in key.scopes if ALL_SCOPES.get(name) in held)
