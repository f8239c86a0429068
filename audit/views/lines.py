"""Entries in the words of the page: who did what, with names where somebody lends them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from audit.queries import names
from audit.queries.entries import Row
from audit.rules.operations import OPERATIONS, OUTSIDE
from audit.rules.shown import visible

# The verb of an operation -> icon. A refused attempt has the icon of refusal instead.
ICONS: Mapping[str, str] = {
    "create": "plus",
    "add": "plus",
    "edit": "edit",
    "submit": "send",
    "propose": "send",
    "approve": "check",
    "accept": "check",
    "complete": "check",
    "ready": "check",
    "return": "arrow-back-up",
    "withdraw": "arrow-back-up",
    "reject": "x",
    "refuse": "x",
    "remove": "x",
    "revoke": "x",
    "delete": "x",
    "cancel": "ban",
    "fail": "alert-triangle",
    "pause": "player-pause",
    "hold": "hand-stop",
    "suspend": "hand-stop",
    "start": "player-play",
    "resume": "player-play",
    "release": "player-play",
    "schedule": "calendar",
    "rate": "gauge",
    "archive": "archive",
    "restore": "history",
    "upload": "upload",
    "import": "upload",
    "reveal": "eye",
    "enter": "eye",
    "sign_in": "key",
    "sign_out": "key",
    "sign_in_failed": "ban",
    "locked_out": "lock",
    "denied": "ban",
    "verify": "shield-check",
    "step": "clock",
    "grant": "users",
    "changed_outside": "alert-triangle",
    "erase": "square-x",
    "prune": "clock-x",
}
REFUSED_ICON = "ban"
# Who changed something around the product is a login of the database.
DATABASE = "database:"
OTHER_ICON = "info-circle"
CHANGES_SHOWN = 3
RAW_SHOWN = 4_000

Names = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Change:
    """One changed field, both sides as text."""

    field: str
    old: str
    new: str
    is_first: bool = False

    def __str__(self) -> str:
        """Write it in one line; what was nothing before needs no arrow."""
        return f"{self.field}: {self.new if self.is_first else f'{self.old} → {self.new}'}"


@dataclass(frozen=True)
class Line:
    """An entry as it is shown; `clock` and `day` are its time in the workspace's zone."""

    row: Row
    clock: str
    day: str
    who: str
    who_note: str
    what: str
    about: str
    why: str
    changes: Sequence[Change]
    icon: str
    is_refused: bool
    is_outside: bool = False

    @property
    def raw(self) -> str:
        """Return what is hashed, with hidden characters shown; the beginning of a long one."""
        body = visible(self.row.body)
        return body if len(body) <= RAW_SHOWN else f"{body[:RAW_SHOWN]}…"

    @property
    def summary(self) -> str:
        """Return the first changes in one line."""
        shown = [str(one) for one in self.changes[:CHANGES_SHOWN]]
        more = len(self.changes) - len(shown)
        return ", ".join(shown) + (_(", %(n)d more") % {"n": more} if more else "")


def lines(rows: Sequence[Row], zone: ZoneInfo) -> list[Line]:
    """Return the rows as lines; one question per kind of name."""
    known = _names(rows)
    return [_line(row, zone, known) for row in rows]


def _line(row: Row, zone: ZoneInfo, known: Names) -> Line:
    said = OPERATIONS.get(row.op)
    is_refused = row.result != "ok"
    what = row.op if said is None else _(said.tried if is_refused else said.did)
    who, who_note = _who(row, known)
    local = row.at.astimezone(zone)
    return Line(
        row=row,
        clock=date_format(local, "H:i:s"),
        day=date_format(local, "j M Y"),
        who=visible(who),
        who_note=visible(who_note),
        what=what,
        about=visible(known.get((row.obj.type, row.obj.id)) or f"{row.obj.type} {row.obj.id}"),
        why=visible(row.why),
        changes=[_change(field, sides) for field, sides in row.diff.items()],
        icon=REFUSED_ICON if is_refused else ICONS.get(row.op.rpartition(".")[2], OTHER_ICON),
        is_refused=is_refused,
        is_outside=row.op.endswith(OUTSIDE),
    )


def _who(row: Row, known: Names) -> tuple[str, str]:
    """Return the actor's name and what stands below it."""
    if row.actor.id.startswith(DATABASE):
        return row.actor.id.removeprefix(DATABASE), _("signed in to the database")
    if row.actor.kind == "system":
        return _("System"), row.actor.id
    name = known.get((row.actor.kind, row.actor.id), "")
    if row.actor.kind == "api":
        return name or row.actor.id, _("API key")
    return name or row.actor.id, ""


def _names(rows: Iterable[Row]) -> Names:
    ids: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        ids[row.actor.kind].add(row.actor.id)
        ids[row.obj.type].add(row.obj.id)
    return {(kind, one): name for kind in ids for one, name in names.names(kind, ids[kind]).items()}


def _change(field: str, sides: Sequence[Any]) -> Change:
    old, new = (*sides, None, None)[:2]
    return Change(field.replace("_", " "), _side(old), _side(new), is_first=old is None)


def _side(value: Any) -> str:
    if value is None:
        return _("nothing")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(_side(one) for one in value) or _("nothing")
    if isinstance(value, dict):
        return ", ".join(f"{visible(str(name))} {_side(one)}" for name, one in value.items())
    return visible(str(value))
