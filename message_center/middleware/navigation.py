"""The entries of the rail: one table per place, cut down to what the reader may open."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from workspaces.queries.me import Me


@dataclass(frozen=True)
class Count:
    """A number beside an entry: how many, in which words, and whether they wait for the reader."""

    n: int
    label: str
    is_due: bool = False


# View name -> who counts. Filled by the wiring (urls.py), so that this package queries nothing by
# itself.
NAV_COUNTS: dict[str, Callable[[Me], Count]] = {}


@dataclass(frozen=True)
class Line:
    """One row of the tables below. `key` follows g; `is_tab` puts it into the bar of phones."""

    label: str | Promise
    view: str
    icon: str
    permission: str
    key: str = ""
    is_tab: bool = False


@dataclass(frozen=True)
class Entry:
    """One entry of the rail. `is_due` marks a count that waits for the reader."""

    label: str | Promise
    url: str
    icon: str
    is_current: bool
    key: str = ""
    is_tab: bool = False
    count: int = 0
    count_label: str = ""
    is_due: bool = False


@dataclass(frozen=True)
class Group:
    """Entries under a heading; the first group has none."""

    title: str | Promise
    entries: list[Entry]


Table = Mapping[str | Promise, tuple[Line, ...]]
WORKSPACE: Table = {
    "": (
        Line(_("Overview"), "campaigns:overview", "home", "workspace.see", "o", is_tab=True),
        Line(_("Campaigns"), "campaigns:list", "send", "campaign.see", "c", is_tab=True),
        Line(_("Review"), "campaigns:review", "checklist", "campaign.see", "r", is_tab=True),
        Line(_("Find a message"), "campaigns:messages", "message-search", "campaign.see", "m"),
        Line(_("Unknown"), "campaigns:unknowns", "help-circle", "campaign.see"),
        Line(_("Replies"), "campaigns:replies", "messages", "campaign.see"),
    ),
    _("Library"): (
        Line(_("Recipient lists"), "campaigns:lists", "users", "list.see"),
        Line(_("Sender names"), "campaigns:senders", "id-badge-2", "sender.see"),
        Line(_("Opt-outs"), "campaigns:opt_outs", "user-off", "list.see"),
    ),
    _("Records"): (
        Line(_("Audit log"), "audit:list", "shield-check", "audit.see"),
        Line(_("Evidence"), "evidence:list", "file-certificate", "evidence.export"),
    ),
    _("Workspace"): (
        Line(_("Members"), "workspaces:members", "users-group", "member.see"),
        Line(_("API keys"), "workspaces:keys", "api", "key.edit"),
        Line(_("Settings"), "workspaces:settings", "settings", "workspace.edit"),
    ),
}
SEE = "platform.see"
PLATFORM: Table = {
    "": (
        Line(_("Overview"), "platform:overview", "home", SEE, "o", is_tab=True),
        Line(_("All campaigns"), "platform:campaigns", "send", SEE, "c"),
        Line(_("Unknown"), "platform:unknowns", "help-circle", SEE),
    ),
    _("Sending"): (
        Line(_("Connections"), "platform:connections", "plug-connected", SEE, is_tab=True),
        Line(_("Routes"), "platform:routes", "route", SEE),
        Line(_("Diagnostics"), "platform:diagnostics", "stethoscope", SEE),
        Line(_("Unassigned replies"), "platform:inbound", "messages", SEE),
    ),
    _("Organisation"): (
        Line(_("Workspaces"), "platform:workspaces", "building", SEE, is_tab=True),
        Line(_("Users"), "platform:users", "users", SEE),
        Line(_("Protected names"), "platform:senders", "lock-check", SEE),
        Line(_("STOP words"), "platform:stop_words", "message-off", SEE),
    ),
    _("Records"): (Line(_("Audit log"), "platform:audit", "shield-check", SEE),),
}


def groups_of(me: Me, path: str, *, is_platform: bool) -> list[Group]:
    """Return the rail of a page at `path`; none outside a workspace and the platform's pages."""
    if me.workspace is None and not is_platform:
        return []
    table = PLATFORM if is_platform else WORKSPACE
    groups = [
        Group(title, [entry for line in lines if (entry := _entry(line, me, path)) is not None])
        for title, lines in table.items()
    ]
    return [group for group in groups if group.entries]


def url_of(view: str, me: Me) -> str:
    """Return the address of a view for this caller, or "" where there is no such page."""
    try:
        if view.startswith("platform:") or me.workspace is None:
            return reverse(view)
        return reverse(view, kwargs={"workspace": me.workspace.slug})
    except NoReverseMatch:
        return ""


def _entry(line: Line, me: Me, path: str) -> Entry | None:
    """Return the entry, or None where the reader may not go or there is no such page."""
    url = url_of(line.view, me)
    if not url or not me.may(line.permission):
        return None
    counted = NAV_COUNTS[line.view](me) if line.view in NAV_COUNTS else Count(0, "")
    is_home = line.view.endswith(":overview")
    return Entry(
        label=line.label,
        url=url,
        icon=line.icon,
        is_current=path == url if is_home else path.startswith(url),
        key=line.key,
        is_tab=line.is_tab,
        count=counted.n,
        count_label=counted.label,
        is_due=counted.is_due,
    )
