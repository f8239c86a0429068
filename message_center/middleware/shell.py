"""What every page shows around its content."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from message_center.middleware.navigation import Entry, Group, groups_of, url_of
from workspaces.models import Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role

VERSION = "0.1"
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
    """The frame of a page. Without `me` (sign-in, errors) only operator and version are there.

    `place` is the workspace's name or "Platform"; `zone_name` its IANA zone, `zone` the city in it.
    """

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
    new_url: str = ""
    clock: str = ""
    now: datetime | None = None
    zone: str = ""
    zone_name: str = "UTC"
    banner: str = ""


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the shell of the page, from what the gate found out."""
    me = getattr(request, "me", None)
    operator = settings.OPERATOR_NAME
    if me is None:
        return {"shell": Shell(operator, VERSION)}
    return {"shell": _shell_of(me, request, operator)}


def initials(name: str) -> str:
    """Return one or two capitals for a person or a place."""
    words = name.split()
    letters = words[0][:2] if len(words) == 1 else words[0][:1] + words[-1][:1] if words else ""
    return letters.upper()


def _shell_of(me: Me, request: HttpRequest, operator: str) -> Shell:
    is_platform = me.workspace is None and request.path.startswith("/platform/")
    groups = groups_of(me, request.path, is_platform=is_platform)
    zone = me.workspace.zone if me.workspace else "UTC"
    name = me.workspace.name if me.workspace else gettext("Platform") if is_platform else operator
    now = timezone.now().astimezone(ZoneInfo(zone))
    may_write = me.workspace is not None and me.may("campaign.edit")
    return Shell(
        operator=operator,
        version=VERSION,
        theme=me.user.theme,
        has_shortcuts=me.user.has_shortcuts,
        me=me,
        place=name,
        slug=me.workspace.slug if me.workspace else "",
        role=_role(me),
        initials=initials(name),
        person_initials=initials(me.user.name),
        workspaces=me.places,
        nav=groups,
        tabs=_tabs(groups),
        is_platform=is_platform,
        find_url=url_of("campaigns:messages", me) if me.workspace else "",
        new_url=url_of("campaigns:new", me) if may_write else "",
        clock=date_format(now, "D j M H:i"),
        now=now,
        zone=zone.rpartition("/")[2].replace("_", " "),
        zone_name=zone,
        banner=_banner(me, now),
    )


def _tabs(groups: list[Group]) -> list[Entry]:
    """Return at most three entries for the bar of phones, the ones that are marked first."""
    entries = [entry for group in groups for entry in group.entries]
    return sorted(entries, key=lambda entry: not entry.is_tab)[:3]


def _role(me: Me) -> str | Promise:
    if me.is_master:
        return gettext("Master view, read only")
    return ROLE_NAMES[me.role] if me.role else ""


def _banner(me: Me, now: datetime) -> str:
    ends_at = me.visit_ends_at
    if ends_at is None or me.workspace is None:
        return ""
    return gettext("You act in %(place)s as super admin until %(time)s. All of it is recorded.") % {
        "place": me.workspace.name,
        "time": date_format(ends_at.astimezone(now.tzinfo), "H:i"),
    }
