"""The one way to say whose rows a connection may touch.

`scope(workspace)` and `scope_everywhere(reason)` set `app.workspace` (row id) and
`app.workspace_uuid` (for the audit log's own
policies) on the connection and clear them on exit. Row-level security shows nothing to a connection
without them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol
from uuid import UUID

from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver

NOWHERE = ("", "")
EVERYWHERE = ("*", "*")
_current: ContextVar[tuple[str, str]] = ContextVar("workspace_scope", default=NOWHERE)


class HasIdentity(Protocol):
    """A workspace as far as its scope goes."""

    @property
    def id(self) -> int: ...
    @property
    def uuid(self) -> UUID: ...


class ScopeRefused(RuntimeError):
    """A scope was opened inside another workspace's scope:

    a programming error, never shown to people as such.
    """


@contextmanager
def scope(workspace: HasIdentity) -> Iterator[None]:
    """See and write rows of this workspace only. Raises ScopeRefused inside another scope."""
    with _entered((str(workspace.id), str(workspace.uuid))):
        yield


@contextmanager
def scope_everywhere(reason: str) -> Iterator[None]:
    """See all workspaces:

    for the gate's own look-ups, the Master view, the sender and the sweeps. `reason` is for
    readers.
    """
    if not reason:
        raise ScopeRefused("Say why every workspace is needed.")
    with _entered(EVERYWHERE):
        yield


@contextmanager
def _entered(wanted: tuple[str, str]) -> Iterator[None]:
    before = _current.get()
    if before == wanted:
        yield
        return
    if before != NOWHERE:
        raise ScopeRefused(
            f"Already in the scope {before[0]}; {wanted[0]} cannot be opened inside."
        )
    token = _current.set(wanted)
    try:
        _apply(connection, wanted)
        yield
    finally:
        _current.reset(token)
        if connection.connection is not None:
            _leave()


def _leave() -> None:
    """Clear the setting. A connection that no longer listens is dropped: the next one starts
    without a scope.

    In a failed transaction nothing can be said, and nothing needs to be: its rollback takes the
    setting back.
    """
    if connection.in_atomic_block and connection.needs_rollback:
        return
    try:
        _apply(connection, NOWHERE)
    except DatabaseError:
        if connection.in_atomic_block:
            raise
        connection.close()


def _apply(wrapper: BaseDatabaseWrapper, value: tuple[str, str]) -> None:
    with wrapper.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('app.workspace', %s, false),"
            " set_config('app.workspace_uuid', %s, false)",
            value,
        )


@receiver(connection_created)
def _apply_to_new_connection(*, connection: BaseDatabaseWrapper, **_: Any) -> None:
    """A connection that was opened (again) inside a scope gets it too."""
    if connection.alias == "default" and _current.get() != NOWHERE:
        _apply(connection, _current.get())
