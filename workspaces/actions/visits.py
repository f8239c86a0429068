"""A super admin acts inside a workspace: with a reason, for a while, recorded there."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions.record import record
from audit.rules.events import Diff, Obj
from audit.rules.reasons import SHORTEST_REASON
from workspaces.models import Visit, Workspace
from workspaces.queries.me import Me
from workspaces.rules.refusal import Refusal
from workspaces.scope import scope

LONGEST_REASON = 300


class VisitRefused(Refusal):
    """A workspace cannot be entered as asked."""

    code = "visit_refused"


def enter_workspace(*, workspace: Workspace, reason: str, by: Me, now: datetime) -> Visit:
    """Let a super admin act in a workspace for VISIT_MINUTES. Raises VisitRefused.

    Entering again ends the visit before and begins another, with its own reason.
    """
    reason = " ".join(reason.split())
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise VisitRefused(
            _("Say in 10 to 300 characters why. The workspace's auditors read it."), field="reason"
        )
    ends_at = now + timedelta(minutes=settings.VISIT_MINUTES)
    with scope(workspace), transaction.atomic(durable=True):
        _end(workspace, by, now)
        visit = Visit.objects.create(
            workspace=workspace, user=by.user, reason=reason, started_at=now, ends_at=ends_at
        )
        _note("workspace.enter", workspace, by, now, why=reason, diff={"until": (None, ends_at)})
    return visit


def leave_workspace(*, workspace: Workspace, by: Me, now: datetime) -> None:
    """End the caller's visit; changes nothing when there is none."""
    with scope(workspace), transaction.atomic(durable=True):
        if _end(workspace, by, now):
            _note("workspace.leave", workspace, by, now)


def note_look(*, workspace: Workspace, by: Me, now: datetime) -> None:
    """Record that a super admin reads a workspace of which he is no member."""
    with transaction.atomic(durable=True):
        _note("workspace.look", workspace, by, now)


def _end(workspace: Workspace, by: Me, now: datetime) -> int:
    current = Visit.objects.filter(workspace=workspace, user=by.user, left_at=None, ends_at__gt=now)
    return current.update(left_at=now)


def _note(
    op: str,
    workspace: Workspace,
    by: Me,
    now: datetime,
    *,
    why: str = "",
    diff: Diff | None = None,
) -> None:
    record(
        op,
        workspace=workspace.uuid,
        actor=by.actor,
        obj=Obj("workspace", f"wsp_{workspace.pk}"),
        now=now,
        why=why,
        diff=diff,
        request_id=by.request_id,
    )
