"""Write down what happened: in the transaction that did it, or beside the one that was refused."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid4

from django.db import connections, transaction

from audit.actions.append import append_event
from audit.rules.events import Actor, Diff, Happening, Obj, Result, personal_text
from audit.rules.hashes import commitment
from audit.rules.operations import operation

# A connection of its own, in autocommit: a rollback of what was refused must not erase the attempt.
DENIED = "denied"


def record(  # noqa: PLR0913 - the parts of an entry, each named at the call
    op: str,
    *,
    workspace: UUID,
    actor: Actor,
    obj: Obj,
    now: datetime,
    diff: Diff | None = None,
    personal: Mapping[str, str] | None = None,
    why: str = "",
    result: Result = "ok",
    request_id: str = "",
    using: str = "default",
) -> UUID:
    """Record an operation in the caller's transaction and return the event's id.

    `workspace` is the workspace's UUID, or the installation's for the system chain. `diff` is
    field -> (old, new) without personal values; `personal` is field -> value, kept erasable: only
    commitments enter the log. Long texts are cut, visibly.
    Raises UnknownOperation for an operation that is not published, NotCanonical for a field name
    that is not a-z, 0-9, _ and dots. When the log cannot be written the database's error goes
    through, and with it the caller's change: nothing is done that is not recorded.
    """
    operation(op)
    values = {field: personal_text(value) for field, value in (personal or {}).items()}
    salts = {field: secrets.token_bytes(32) for field in values}
    happening = Happening(
        op=op,
        eid=uuid4(),
        workspace=workspace,
        actor=actor,
        obj=obj,
        at=now,
        result=result,
        diff=diff,
        personal={field: commitment(salts[field], field, values[field]) for field in values},
        why=why,
        request_id=request_id,
    )
    if values:
        with transaction.atomic(using=using):
            _append(happening, using)
            _disclose(happening, values, salts, using)
    else:
        _append(happening, using)
    return happening.eid


def record_denied(
    op: str,
    *,
    workspace: UUID,
    actor: Actor,
    obj: Obj,
    now: datetime,
    diff: Diff | None = None,
    why: str = "",
    request_id: str = "",
) -> UUID:
    """Record a refused attempt at once, whatever becomes of the caller's transaction."""
    return record(
        op,
        workspace=workspace,
        actor=actor,
        obj=obj,
        now=now,
        diff=diff,
        why=why,
        request_id=request_id,
        result="denied",
        using=DENIED,
    )


def record_failed(
    op: str,
    *,
    workspace: UUID,
    actor: Actor,
    obj: Obj,
    now: datetime,
    diff: Diff | None = None,
    why: str = "",
    request_id: str = "",
) -> UUID:
    """Record an attempt that failed at once, whatever becomes of the caller's transaction."""
    return record(
        op,
        workspace=workspace,
        actor=actor,
        obj=obj,
        now=now,
        diff=diff,
        why=why,
        request_id=request_id,
        result="failed",
        using=DENIED,
    )


def open_chain(workspace: UUID, *, now: datetime, using: str = "default") -> int:
    """Open the chain of a new workspace in the caller's transaction and return its slot.

    The first chain ever is the system's: its UUID is the installation's. An open chain stays.
    """
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT audit_open_chain(%s, %s)", [workspace, now])
        (slot,) = cursor.fetchone()
    return int(slot)


def _append(happening: Happening, using: str) -> None:
    with connections[using].cursor() as cursor:
        append_event(cursor, happening)


def _disclose(
    happening: Happening, values: Mapping[str, str], salts: Mapping[str, bytes], using: str
) -> None:
    with connections[using].cursor() as cursor:
        for field, value in values.items():
            cursor.execute(
                "SELECT audit_disclose(%s, %s, %s, %s, %s)",
                [happening.workspace, happening.eid, field, salts[field], value],
            )
