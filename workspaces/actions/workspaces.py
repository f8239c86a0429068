"""Workspaces: created with their audit chain, changed, suspended, resumed."""

import re
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.actions.record import open_chain, record
from audit.rules.events import Actor, Diff, Obj
from workspaces.actions.noting import note
from workspaces.models import Workspace
from workspaces.queries.access import installation_uuid
from workspaces.queries.me import Me
from workspaces.queries.zones import zones
from workspaces.rules.refusal import Refusal

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_SLUG = 40
LONGEST_NAME = 80
SHORTEST_DAYS, LONGEST_DAYS = 1, 1_826
HIGHEST_WEIGHT = 100


class WorkspaceRefused(Refusal):
    """A workspace cannot be created or changed as asked."""

    code = "workspace_refused"


def checked_days(days: int) -> int:
    """Return how long replies are kept. Raises WorkspaceRefused."""
    if not SHORTEST_DAYS <= days <= LONGEST_DAYS:
        raise WorkspaceRefused(_("Replies are kept for 1 day to 5 years."), field="reply_days")
    return days


def checked_name(name: str) -> str:
    """Return a workspace's name on one line; raises WorkspaceRefused."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise WorkspaceRefused(_("Enter a name of 1 to 80 characters."), field="name")
    return name


def checked_zone(zone: str) -> str:
    """Return an IANA time zone; raises WorkspaceRefused."""
    if zone not in zones():
        raise WorkspaceRefused(
            _("Choose a time zone by its place, for example Europe/London."), field="zone"
        )
    return zone


def create_workspace(
    *, slug: str, name: str, zone: str, by_actor: Actor, now: datetime, request_id: str = ""
) -> Workspace:
    """Create a workspace and open its audit chain. Raises WorkspaceRefused.

    `slug` is its part of the address: small letters, digits and single hyphens, 40 at most. The
    system chain records it too, so that no workspace can be left out.
    """
    if not SLUG.fullmatch(slug) or len(slug) > LONGEST_SLUG:
        raise WorkspaceRefused(
            _("Use small letters a to z, digits and single hyphens, at most 40."), field="slug"
        )
    new = Workspace(slug=slug, name=checked_name(name), zone=checked_zone(zone), created_at=now)
    try:
        with transaction.atomic(durable=True):
            new.save(force_insert=True)
            open_chain(new.uuid, now=now)
            diff = {"slug": (None, slug), "zone": (None, zone)}
            _note_twice("workspace.create", new, by_actor, now, diff=diff, request_id=request_id)
    except IntegrityError as error:
        raise WorkspaceRefused(_("Another workspace has this address."), field="slug") from error
    return new


def change_settings(
    *,
    by: Me,
    name: str,
    zone: str,
    is_open_to_requests: bool,
    reply_days: int | None = None,
    now: datetime,
) -> None:
    """Change the caller's workspace; records what differs, and nothing when nothing does.

    Without `reply_days` replies are kept as long as before.

    Raises WorkspaceRefused.
    """
    wanted = {
        "name": checked_name(name),
        "zone": checked_zone(zone),
        "is_open_to_requests": is_open_to_requests,
        "reply_days": by.here.reply_days if reply_days is None else checked_days(reply_days),
    }
    with transaction.atomic(durable=True):
        old = Workspace.objects.select_for_update().get(pk=by.here.pk)
        diff = {
            field: (getattr(old, field), value)
            for field, value in wanted.items()
            if getattr(old, field) != value
        }
        if diff:
            Workspace.objects.filter(pk=old.pk).update(**wanted)
            note(by, "workspace.edit", Obj("workspace", f"wsp_{old.pk}"), now=now, diff=diff)


def weigh_workspace(*, workspace: Workspace, weight: int, by: Me, now: datetime) -> None:
    """Set a workspace's part of the routes that it shares with others. Raises WorkspaceRefused."""
    if not 1 <= weight <= HIGHEST_WEIGHT:
        raise WorkspaceRefused(_("A weight is a number from 1 to 100."), field="weight")
    with transaction.atomic(durable=True):
        old = Workspace.objects.select_for_update().get(pk=workspace.pk)
        if old.weight == weight:
            return
        Workspace.objects.filter(pk=old.pk).update(weight=weight)
        diff: Diff = {"weight": (old.weight, weight)}
        _note_twice("workspace.weigh", old, by.actor, now, diff=diff, request_id=by.request_id)


def suspend_workspace(*, workspace: Workspace, by: Me, why: str, now: datetime) -> None:
    """Let everybody only read. Raises WorkspaceRefused when it is suspended."""
    if not why.strip():
        raise WorkspaceRefused(_("Say why. Its members and auditors read it."), field="why")
    _move(workspace, by, now, is_suspended=True, why=why.strip())


def resume_workspace(*, workspace: Workspace, by: Me, now: datetime) -> None:
    """Let members work again. Raises WorkspaceRefused when it is not suspended."""
    _move(workspace, by, now, is_suspended=False, why="")


def _move(workspace: Workspace, by: Me, now: datetime, *, is_suspended: bool, why: str) -> None:
    op = "workspace.suspend" if is_suspended else "workspace.resume"
    with transaction.atomic(durable=True):
        changed = Workspace.objects.filter(pk=workspace.pk, is_suspended=not is_suspended).update(
            is_suspended=is_suspended
        )
        if not changed:
            raise WorkspaceRefused(_("Somebody did this already. Look again."))
        _note_twice(op, workspace, by.actor, now, why=why, request_id=by.request_id)


def _note_twice(
    op: str,
    workspace: Workspace,
    actor: Actor,
    now: datetime,
    *,
    diff: Diff | None = None,
    why: str = "",
    request_id: str = "",
) -> None:
    """Record in the workspace's own chain and in the system's."""
    for chain in (workspace.uuid, installation_uuid()):
        record(
            op,
            workspace=chain,
            actor=actor,
            obj=Obj("workspace", f"wsp_{workspace.pk}"),
            now=now,
            diff=diff,
            why=why,
            request_id=request_id,
        )
