"""Lets super admins look at diagnostics while the database, which knows who they are, is away."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase

from audit.queries.away import is_connection_lost
from workspaces.gate.permission import view_class
from workspaces.queries.access import KEY_PREFIX
from workspaces.queries.passes import has_pass, key_mark, session_mark


def answer_without_database(
    request: HttpRequest, view: Callable[..., Any], failure: DatabaseError, now: datetime
) -> HttpResponseBase | None:
    """Return what the view shows without a database to a caller who has a pass; None otherwise."""
    shows: Callable[[HttpRequest], HttpResponseBase] | None = getattr(
        view_class(view), "without_database", None
    )
    if shows is None or request.method != "GET" or not is_connection_lost(failure):
        return None
    return shows(request) if has_pass(_mark(request), now) else None


def _mark(request: HttpRequest) -> str:
    """Return the mark of the caller's key, or of the session of his cookie."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        prefix, _, secret = token.strip().removeprefix(KEY_PREFIX).partition(".")
        return key_mark(prefix, hashlib.sha256(secret.encode()).hexdigest())
    return session_mark(request.COOKIES.get(settings.SESSION_COOKIE_NAME, ""))
