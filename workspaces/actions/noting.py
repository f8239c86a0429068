"""The audit entry of a verb, in the verb's own transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from audit.actions.record import record, record_denied
from audit.rules.events import Actor, Diff, Obj
from workspaces.models import User
from workspaces.queries.access import installation_uuid
from workspaces.queries.me import Me


def note(
    by: Me,
    op: str,
    obj: Obj,
    *,
    now: datetime,
    diff: Diff | None = None,
    personal: Mapping[str, str] | None = None,
    why: str = "",
) -> None:
    """Record that the caller did `op` to `obj` in his workspace; belongs inside the verb's
    transaction.
    """
    record(
        op,
        workspace=by.here.uuid,
        actor=by.actor,
        obj=obj,
        now=now,
        diff=diff,
        personal=personal,
        why=why,
        request_id=by.request_id,
    )


def note_denied(by: Me, op: str, obj: Obj, *, now: datetime, why: str) -> None:
    """Record that the caller was refused; outlives the rollback of what he tried."""
    record_denied(
        op,
        workspace=by.here.uuid,
        actor=by.actor,
        obj=obj,
        now=now,
        why=why,
        request_id=by.request_id,
    )


class Doer(Protocol):
    """Who does something: a caller, or the command line."""

    @property
    def actor(self) -> Actor:
        """The doer as the audit log names it."""

    @property
    def request_id(self) -> str:
        """The request in which it is done; "" for none."""


def note_platform(
    by: Doer, op: str, obj: Obj, *, now: datetime, diff: Diff | None = None, why: str = ""
) -> None:
    """Record that somebody did `op` to what all workspaces share: in the system's chain, and inside
    the verb's transaction.
    """
    record(
        op,
        workspace=installation_uuid(),
        actor=by.actor,
        obj=obj,
        now=now,
        diff=diff,
        why=why,
        request_id=by.request_id,
    )


def note_user(
    op: str,
    user: User,
    actor: Actor,
    *,
    now: datetime,
    diff: Diff | None = None,
    personal: Mapping[str, str] | None = None,
    why: str = "",
    request_id: str,
) -> None:
    """Record in the system's chain what became of an account."""
    record(
        op,
        workspace=installation_uuid(),
        actor=actor,
        obj=Obj("user", f"usr_{user.pk}"),
        now=now,
        diff=diff,
        personal=personal,
        why=why,
        request_id=request_id,
    )
