"""Write down what happened: in the transaction that did it, or beside the one that was refused."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid4

from django.db import DatabaseError, connections, transaction

from audit.actions.append import append_event
from audit.actions.fallback import fallback
from audit.queries.away import cannot_record
from audit.rules.events import Actor, Diff, Happening, Obj, Result, personal_text
from audit.rules.fallback import Personal
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
    through, and with it the caller's change: nothing is done that is not recorded. An attempt
    (`using` DENIED) goes to this machine's fallback file instead; NotRecorded when that cannot be
    written either.
    """
    operation(op)
    values = _values(personal)
    happening = Happening(
        op=op,
        eid=uuid4(),
        workspace=workspace,
        actor=actor,
        obj=obj,
        at=now,
        result=result,
        diff=diff,
        personal=_commitments(values),
        why=why,
        request_id=request_id,
    )
    try:
        _store(happening, values, using)
    except DatabaseError as failure:
        if using != DENIED or not cannot_record(failure):
            raise
        _drop(using)
        fallback().append(happening, values)
    return happening.eid


def record_denied(
    op: str,
    *,
    workspace: UUID,
    actor: Actor,
    obj: Obj,
    now: datetime,
    diff: Diff | None = None,
    personal: Mapping[str, str] | None = None,
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
        personal=personal,
        why=why,
        request_id=request_id,
        result="denied",
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


def record_outage(
    op: str,
    *,
    actor: Actor,
    obj: Obj,
    now: datetime,
    workspace: UUID | None = None,
    personal: Mapping[str, str] | None = None,
    why: str = "",
    request_id: str = "",
) -> UUID:
    """Record an attempt that failed because the database is away, straight into the fallback file.

    Without a `workspace` it belongs to the installation. Raises NotRecorded.
    """
    operation(op)
    values = _values(personal)
    happening = Happening(
        op=op,
        eid=uuid4(),
        workspace=workspace or fallback().installation(now),
        actor=actor,
        obj=obj,
        at=now,
        result="failed",
        personal=_commitments(values),
        why=why,
        request_id=request_id,
    )
    fallback().append(happening, values)
    return happening.eid


def _values(personal: Mapping[str, str] | None) -> dict[str, Personal]:
    return {
        field: Personal(secrets.token_bytes(32), personal_text(value))
        for field, value in (personal or {}).items()
    }


def _commitments(values: Mapping[str, Personal]) -> dict[str, str]:
    return {field: commitment(one.salt, field, one.value) for field, one in values.items()}


def _store(happening: Happening, values: Mapping[str, Personal], using: str) -> None:
    if not values:
        _append(happening, using)
        return
    with transaction.atomic(using=using):
        _append(happening, using)
        _disclose(happening, values, using)


def _append(happening: Happening, using: str) -> None:
    with connections[using].cursor() as cursor:
        append_event(cursor, happening)


def _disclose(happening: Happening, values: Mapping[str, Personal], using: str) -> None:
    with connections[using].cursor() as cursor:
        for field, one in values.items():
            cursor.execute(
                "SELECT audit_disclose(%s, %s, %s, %s, %s)",
                [happening.workspace, happening.eid, field, one.salt, one.value],
            )


def _drop(using: str) -> None:
    """Throw a connection away that failed, so that the next attempt opens one."""
    if not connections[using].in_atomic_block:
        connections[using].close()
