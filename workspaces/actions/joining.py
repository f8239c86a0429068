"""Requests to join a workspace: asked by anybody who is signed in, decided by its admins."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from audit.actions.record import record
from audit.rules.events import Obj
from workspaces.actions.members import checked_role, enrol
from workspaces.actions.noting import note
from workspaces.models import JoinRequest, Membership, Workspace
from workspaces.queries.me import Me
from workspaces.rules.refusal import Refusal
from workspaces.scope import scope

LONGEST_NOTE = 500


class JoinRefused(Refusal):
    """A request cannot be made or decided as asked."""

    code = "join_refused"


def ask_to_join(*, workspace: Workspace, by: Me, text: str, now: datetime) -> JoinRequest:
    """Ask to be let into a workspace that is open to requests. Raises JoinRefused."""
    text = text.strip()
    if len(text) > LONGEST_NOTE:
        raise JoinRefused(_("Write at most 500 characters."), field="note")
    if not workspace.is_open_to_requests or workspace.is_suspended:
        raise JoinRefused(_("This workspace takes no requests."))
    try:
        with scope(workspace), transaction.atomic(durable=True):
            if Membership.objects.filter(workspace=workspace, user=by.user).exists():
                raise JoinRefused(_("You are a member already."))
            request = JoinRequest.objects.create(
                workspace=workspace, user=by.user, note=text, created_at=now
            )
            record(
                "join.request",
                workspace=workspace.uuid,
                actor=by.actor,
                obj=Obj("user", f"usr_{by.user.pk}"),
                now=now,
                request_id=by.request_id,
            )
    except IntegrityError as error:
        raise JoinRefused(_("You have asked already. An admin decides.")) from error
    return request


def accept_request(*, join_request_id: int, role: str, by: Me, now: datetime) -> Membership:
    """Let a person in with a role. Raises JoinRefused and MemberRefused."""
    role = checked_role(role)
    with transaction.atomic(durable=True):
        request = _decide(join_request_id, by, now, is_accepted=True)
        if request.user.person_id == by.person_id:
            raise JoinRefused(_("Nobody lets himself in. Ask another admin."))
        note(by, "join.accept", Obj("user", f"usr_{request.user_id}"), now=now)
        return enrol(
            by.here,
            request.user,
            role,
            actor=by.actor,
            now=now,
            granted_by=by.user,
            request_id=by.request_id,
        )


def refuse_request(*, join_request_id: int, by: Me, now: datetime) -> None:
    """Turn a request down; the person may ask again. Raises JoinRefused."""
    with transaction.atomic(durable=True):
        request = _decide(join_request_id, by, now, is_accepted=False)
        note(by, "join.refuse", Obj("user", f"usr_{request.user_id}"), now=now)


def _decide(join_request_id: int, by: Me, now: datetime, *, is_accepted: bool) -> JoinRequest:
    waiting = JoinRequest.objects.filter(pk=join_request_id, workspace=by.here, decided_at=None)
    if not waiting.update(decided_at=now, decided_by=by.user, is_accepted=is_accepted):
        raise JoinRefused(_("Somebody decided this request already."))
    return JoinRequest.objects.select_related("user__person").get(
        pk=join_request_id, workspace=by.here
    )
