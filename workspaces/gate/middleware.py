"""The gate itself: caller, workspace, permission, scope; then the view."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.cache import add_never_cache_headers

from audit.actions.record import record_denied
from audit.rules.events import Actor, Obj
from workspaces.actions.people import remember_workspace
from workspaces.actions.visits import note_look
from workspaces.gate.caller import (
    Session,
    looks_anew,
    me_by_key,
    me_inside,
    me_outside,
    session_of,
)
from workspaces.gate.page import page
from workspaces.gate.permission import permission_of
from workspaces.gate.proof import ask_password
from workspaces.gate.refused_key import note_refused_key
from workspaces.gate.without_database import answer_without_database
from workspaces.models import Workspace
from workspaces.queries.access import installation_uuid, workspace_by_slug
from workspaces.queries.me import Me
from workspaces.rules.permissions import PLATFORM_SCOPES, PUBLIC, SIGNED_IN
from workspaces.scope import scope

API = "/api/"
PLATFORM = "platform."


class NotSignedIn(Exception):
    """Nobody is signed in, or the key is not one of ours."""


class GateMiddleware:
    """Lets a request through to its view, or answers in its place (see ARCHITECTURE.md, "The
    gate").
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.me = None  # type: ignore[attr-defined]
        with ExitStack() as stack:
            request.gate_stack = stack  # type: ignore[attr-defined]
            response = self.get_response(request)
        if getattr(request, "me", None) is not None:
            add_never_cache_headers(response)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Decide. Raises Http404 for strangers; errors.py words the refusals."""
        permission = permission_of(view, request.method or "GET")
        now = timezone.now()
        is_api = request.path.startswith(API)
        try:
            if is_api:
                self._enter_by_key(request, permission, now)
            else:
                self._enter_by_session(request, permission, kwargs, now)
        except NotSignedIn:
            return unauthorized(request) if is_api else to_sign_in(request)
        except DatabaseError as failure:
            answer = answer_without_database(request, view, failure, now)
            if answer is None:
                raise
            return answer
        return None if is_api else ask_password(request, view, now)

    def _enter_by_key(self, request: HttpRequest, permission: str, now: datetime) -> None:
        if permission == PUBLIC:
            return
        scheme, _, typed = request.headers.get("Authorization", "").partition(" ")
        token = typed.strip() if scheme.lower() == "bearer" else ""
        me = me_by_key(token, _id(request), now) if token else None
        if me is None:
            note_refused_key(request, token, now)
            raise NotSignedIn
        self._enter(request, me, permission, now)

    def _enter_by_session(
        self, request: HttpRequest, permission: str, kwargs: dict[str, Any], now: datetime
    ) -> None:
        session = session_of(request, now)
        slug = kwargs.pop("workspace", None)
        if session is None:
            if permission == PUBLIC:
                return
            raise NotSignedIn
        if slug is None:
            self._enter(request, me_outside(session, _id(request)), permission, now)
            return
        workspace = workspace_by_slug(slug)
        me = me_inside(session, workspace, _id(request), now) if workspace else None
        if workspace is None or me is None:
            _note_stranger(request, session, workspace, now)
            raise Http404
        if me.is_master and looks_anew(request, workspace, now):
            note_look(workspace=workspace, by=me, now=now)
        remember_workspace(session.user, workspace)
        self._enter(request, me, permission, now)

    def _enter(self, request: HttpRequest, me: Me, permission: str, now: datetime) -> None:
        request.me = me  # type: ignore[attr-defined]
        # What looks over the platform opens its own scope.
        if me.workspace is not None and permission not in PLATFORM_SCOPES:
            request.gate_stack.enter_context(scope(me.workspace))  # type: ignore[attr-defined]
        if permission in {PUBLIC, SIGNED_IN} or me.may(permission):
            return
        _note_denied(request, me, permission, now)
        if permission.startswith(PLATFORM):
            raise Http404
        raise PermissionDenied(permission)


def to_sign_in(request: HttpRequest) -> HttpResponseBase:
    """Send a person to the sign-in page and back afterwards; a live region's request sends the
    whole page.
    """
    if request.headers.get("HX-Request") == "true":
        response = HttpResponse(status=401)
        response["HX-Refresh"] = "true"
        return response
    if request.method not in {"GET", "HEAD"}:
        # What only takes a form cannot be gone back to.
        return redirect(settings.LOGIN_URL)
    return redirect_to_login(request.get_full_path())


def unauthorized(request: HttpRequest) -> HttpResponseBase:
    """Answer an API call without a live key (RFC 9457)."""
    return JsonResponse(
        {
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "code": "key_not_valid",
            "detail": "Send a live key of your workspace: Authorization: Bearer mc_...",
            "request_id": _id(request),
        },
        status=401,
        content_type="application/problem+json",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _id(request: HttpRequest) -> str:
    return str(getattr(request, "request_id", ""))


def _note_denied(request: HttpRequest, me: Me, permission: str, now: datetime) -> None:
    """Record that a permission was missing; outside a workspace it belongs to the installation."""
    record_denied(
        "access.denied",
        workspace=me.workspace.uuid if me.workspace else installation_uuid(),
        actor=me.actor,
        obj=Obj("page", page(request)),
        now=now,
        why=f"{request.method} needs {permission}",
        request_id=me.request_id,
    )


def _note_stranger(
    request: HttpRequest, session: Session, workspace: Workspace | None, now: datetime
) -> None:
    """Record that somebody who is signed in tried a workspace that is not his, or that is not
    there: both leave an entry, so that neither answer is the faster one.
    """
    record_denied(
        "access.denied",
        workspace=workspace.uuid if workspace else installation_uuid(),
        actor=Actor(kind="user", id=f"usr_{session.user.pk}", session_id=session.session_id),
        obj=Obj("page", page(request)),
        now=now,
        why=f"{request.method} by somebody who is not a member",
        request_id=_id(request),
    )
