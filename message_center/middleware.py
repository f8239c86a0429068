"""What stands around every request: its number, a database that may be down, and the shell of the
pages.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from message_center.errors import database_down
from workspaces.models import Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role

GIVEN = re.compile(r"[A-Za-z0-9-]{8,64}")
VERSION = "0.1"


class RequestIdMiddleware:
    """Gives each request a number that goes into its logs, its audit entries and its answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if GIVEN.fullmatch(given) else uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class DatabaseDownMiddleware:
    """Answers 503 with a sentence when the database cannot be reached."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            return self.get_response(request)
        except (OperationalError, InterfaceError):
            return self._down(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Catch it in the view, before it becomes an ordinary 500."""
        return self._down(request) if isinstance(error, OperationalError | InterfaceError) else None

    def _down(self, request: HttpRequest) -> HttpResponse:
        structlog.get_logger(__name__).exception("database_down", path=request.path)
        return database_down(request)


@dataclass(frozen=True)
class Entry:
    """One entry of the rail. `is_due` marks a count that waits for the reader."""

    label: str | Promise
    url: str
    icon: str
    is_current: bool
    key: str = ""
    count: int = 0
    count_label: str = ""
    is_due: bool = False


@dataclass(frozen=True)
class Group:
    """Entries under a heading."""

    title: str | Promise
    entries: list[Entry]


@dataclass(frozen=True)
class Count:
    """A number beside an entry: how many, in which words, and whether they wait for the reader."""

    n: int
    label: str
    is_due: bool = False


# View name -> who counts. Filled by the wiring (urls.py), so that this file queries nothing by
# itself.
NAV_COUNTS: dict[str, Callable[[Me], Count]] = {}

Line = tuple[str | Promise, str, str, str, str]
# (label, view name, icon, permission, key after g)
WORKSPACE: tuple[tuple[str | Promise, tuple[Line, ...]], ...] = (
    (
        "",
        (
            (gettext_lazy("Overview"), "campaigns:overview", "home", "workspace.see", "o"),
            (gettext_lazy("Campaigns"), "campaigns:list", "send", "campaign.see", "c"),
            (gettext_lazy("Review"), "campaigns:review", "checklist", "campaign.see", "r"),
            (
                gettext_lazy("Find a message"),
                "campaigns:messages",
                "message-search",
                "campaign.see",
                "m",
            ),
        ),
    ),
    (
        gettext_lazy("Library"),
        (
            (gettext_lazy("Recipient lists"), "campaigns:lists", "users", "list.see", ""),
            (gettext_lazy("Sender names"), "campaigns:senders", "id-badge-2", "sender.see", ""),
            (gettext_lazy("Opt-outs"), "campaigns:opt_outs", "user-off", "list.see", ""),
        ),
    ),
    (
        gettext_lazy("Records"),
        ((gettext_lazy("Audit log"), "audit:list", "shield-check", "audit.see", ""),),
    ),
    (
        gettext_lazy("Workspace"),
        (
            (gettext_lazy("Members"), "workspaces:members", "users-group", "member.see", ""),
            (gettext_lazy("API keys"), "workspaces:keys", "api", "key.edit", ""),
            (gettext_lazy("Settings"), "workspaces:settings", "settings", "workspace.edit", ""),
        ),
    ),
)
PLATFORM: tuple[tuple[str | Promise, tuple[Line, ...]], ...] = (
    (
        "",
        (
            (gettext_lazy("Overview"), "platform:overview", "home", "platform.see", "o"),
            (gettext_lazy("Campaigns"), "platform:campaigns", "send", "platform.see", "c"),
        ),
    ),
    (
        gettext_lazy("The wire"),
        (
            (
                gettext_lazy("Connections"),
                "platform:connections",
                "plug-connected",
                "platform.see",
                "",
            ),
            (gettext_lazy("Routes"), "platform:routes", "route", "platform.see", ""),
        ),
    ),
    (
        gettext_lazy("People"),
        (
            (gettext_lazy("Workspaces"), "platform:workspaces", "building", "platform.see", ""),
            (gettext_lazy("Users"), "platform:users", "users", "platform.see", ""),
            (gettext_lazy("Protected names"), "platform:senders", "lock-check", "platform.see", ""),
        ),
    ),
    (
        gettext_lazy("Records"),
        (
            (gettext_lazy("Audit log"), "platform:audit", "shield-check", "platform.see", ""),
            (
                gettext_lazy("Diagnostics"),
                "platform:diagnostics",
                "stethoscope",
                "platform.see",
                "",
            ),
        ),
    ),
)
ROLE_NAMES = {
    Role.VIEWER: gettext_lazy("Viewer"),
    Role.AUTHOR: gettext_lazy("Author"),
    Role.AUTHOR_MODERATOR: gettext_lazy("Author and moderator"),
    Role.MODERATOR: gettext_lazy("Moderator"),
    Role.ADMIN: gettext_lazy("Admin"),
    Role.SUPER_ADMIN: gettext_lazy("Super admin"),
}


@dataclass(frozen=True)
class Shell:
    """What every page shows around its content."""

    operator: str
    version: str
    theme: str = "system"
    has_shortcuts: bool = True
    me: Me | None = None
    place: str = ""
    slug: str = ""
    role: str | Promise = ""
    initials: str = ""
    person_initials: str = ""
    workspaces: tuple[Workspace, ...] = ()
    nav: list[Group] = field(default_factory=list)
    tabs: list[Entry] = field(default_factory=list)
    is_platform: bool = False
    find_url: str = ""
    clock: str = ""
    zone: str = ""
    banner: str = ""


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the shell of the page, from what the gate found out."""
    me = getattr(request, "me", None)
    operator = settings.OPERATOR_NAME
    if me is None:
        return {"shell": Shell(operator, VERSION)}
    return {"shell": _shell_of(me, request, operator)}


def _shell_of(me: Me, request: HttpRequest, operator: str) -> Shell:
    is_platform = me.workspace is None and request.path.startswith("/platform/")
    groups = _groups(me, request.path, is_platform=is_platform)
    zone = me.workspace.zone if me.workspace else "UTC"
    name = me.workspace.name if me.workspace else gettext("Platform") if is_platform else operator
    now = timezone.now().astimezone(ZoneInfo(zone))
    return Shell(
        operator=operator,
        version=VERSION,
        theme=me.user.theme,
        has_shortcuts=me.user.has_shortcuts,
        me=me,
        place=name,
        slug=me.workspace.slug if me.workspace else "",
        role=_role(me),
        initials=_initials(name),
        person_initials=_initials(me.user.name),
        workspaces=me.places,
        nav=groups,
        tabs=[entry for group in groups for entry in group.entries][:3],
        is_platform=is_platform,
        find_url=_url("campaigns:messages", me) if me.workspace else "",
        clock=date_format(now, "D j M H:i"),
        zone=zone.rpartition("/")[2].replace("_", " "),
        banner=_banner(me, now),
    )


def _role(me: Me) -> str | Promise:
    if me.is_master:
        return gettext("Master view, read only")
    return ROLE_NAMES[me.role] if me.role else ""


def _banner(me: Me, now: datetime) -> str:
    ends_at = getattr(me, "visit_ends_at", None)
    if ends_at is None or me.workspace is None:
        return ""
    return gettext("You act in %(place)s as super admin until %(time)s. All of it is recorded.") % {
        "place": me.workspace.name,
        "time": date_format(ends_at.astimezone(now.tzinfo), "H:i"),
    }


def _groups(me: Me, path: str, *, is_platform: bool) -> list[Group]:
    if me.workspace is None and not is_platform:
        return []
    table = PLATFORM if is_platform else WORKSPACE
    groups = [
        Group(title, [entry for line in lines if (entry := _entry(line, me, path)) is not None])
        for title, lines in table
    ]
    return [group for group in groups if group.entries]


def _entry(line: Line, me: Me, path: str) -> Entry | None:
    """Return the entry, or None where the reader may not go or there is no such page."""
    label, view, image, permission, key = line
    url = _url(view, me)
    if not url or not me.may(permission):
        return None
    counted = NAV_COUNTS[view](me) if view in NAV_COUNTS else Count(0, "")
    is_home = view.endswith(":overview")
    is_current = path == url if is_home else path.startswith(url)
    return Entry(label, url, image, is_current, key, counted.n, counted.label, counted.is_due)


def _url(view: str, me: Me) -> str:
    try:
        if view.startswith("platform:") or me.workspace is None:
            return reverse(view)
        return reverse(view, kwargs={"workspace": me.workspace.slug})
    except NoReverseMatch:
        return ""


def _initials(name: str) -> str:
    words = name.split()
    letters = words[0][:2] if len(words) == 1 else words[0][:1] + words[-1][:1] if words else ""
    return letters.upper()
