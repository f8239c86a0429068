"""The one way a recipient list changes its state: compare and set, in the caller's transaction."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from audit.actions.record import record
from audit.rules.events import Actor, Obj
from campaigns.models import ListState, RecipientList
from workspaces.queries.me import Me
from workspaces.rules.refusal import Refusal

IMPORTER = Actor(kind="system", id="importer")


class ListRefused(Refusal):
    """A list cannot do this now."""


class NoSuchList(ListRefused):
    """There is no such list in the workspace."""

    code = "not_found"


class WrongState(ListRefused):
    """Somebody or something moved the list first, or the act does not fit its state."""

    code = "wrong_state"


def list_obj(list_id: int) -> Obj:
    """Return the list as the audit log names it."""
    return Obj("list", f"lst_{list_id}")


def under_way(by: Me, list_id: int, *states: ListState) -> RecipientList:
    """Return a list that the caller is uploading. Raises ListRefused."""
    lst = (
        RecipientList.objects.select_related("workspace")
        .filter(pk=list_id, workspace=by.here, is_internal=False)
        .first()
    )
    if lst is None:
        raise NoSuchList(_("There is no such list."))
    if lst.uploaded_by_id != by.user.pk:
        raise ListRefused(_("Only the person who began this upload can go on with it."))
    if lst.state not in states:
        raise overtaken()
    return lst


def move(
    lst: RecipientList, before: ListState, after: ListState, now: datetime, **fields: object
) -> None:
    """Compare and set, inside the caller's transaction. Raises WrongState."""
    values = {"state": after, "touched_at": now, **fields}
    changed = RecipientList.objects.filter(
        pk=lst.pk, workspace_id=lst.workspace_id, state=before
    ).update(**values)
    if not changed:
        raise overtaken()
    for name, value in values.items():
        setattr(lst, name, value)


def overtaken() -> WrongState:
    return WrongState(_("The list has changed meanwhile. Look at it again."))


def fail(lst: RecipientList, sentence: str, *, code: str, now: datetime) -> bool:
    """Let a list fail where the machine found out why; say whether it was in that state still."""
    with transaction.atomic(durable=True):
        changed = RecipientList.objects.filter(
            pk=lst.pk, workspace_id=lst.workspace_id, state=lst.state
        ).update(state=ListState.FAILED, failure=sentence, touched_at=now)
        if changed:
            record(
                "list.fail",
                workspace=lst.workspace.uuid,
                actor=IMPORTER,
                obj=list_obj(lst.pk),
                now=now,
                diff={"fault": (None, code)},
            )
    return bool(changed)
