"""Verbs of the product on the sender's threads, where no request opens and closes connections."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from django.db import DatabaseError, connection

from workspaces.scope import scope_everywhere


@contextmanager
def on_own_connection(reason: str, *, lock_timeout_ms: int | None = None) -> Iterator[None]:
    """Work on this thread's connection, which may be a day old, and let its errors out as what the
    engine knows.

    A lock is waited for no longer than `lock_timeout_ms`, where it is given. Raises psycopg.Error.
    """
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
    try:
        with scope_everywhere(reason), _patience(lock_timeout_ms):
            yield
    except DatabaseError as error:
        connection.close()
        if isinstance(error.__cause__, psycopg.Error):
            raise error.__cause__ from None
        raise psycopg.OperationalError(str(error)) from error


@contextmanager
def _patience(lock_timeout_ms: int | None) -> Iterator[None]:
    if lock_timeout_ms is None:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [f"{lock_timeout_ms}ms"])
    try:
        yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
