"""The system chain: what concerns no single workspace. Only the platform's pages read it."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection

from audit.models import Head

_SETTING = "app.workspace_uuid"


@contextmanager
def every_chain() -> Iterator[None]:
    """See the entries of every chain inside, and as little as before afterwards."""
    before = _set("*")
    try:
        yield
    finally:
        _set(before)


def system_chain() -> UUID | None:
    """Return the installation's UUID, which is the system chain's; None before the installation.

    Needs `every_chain`.
    """
    head = system_head()
    return head.ws if head else None


def system_head() -> Head | None:
    """Return where the system chain stands; None before the installation. Needs `every_chain`."""
    return Head.objects.filter(slot=0).first()


def system_uuid() -> UUID:
    """Return the installation's UUID from any scope; raise LookupError before the installation."""
    with every_chain():
        found = system_chain()
    if found is None:
        raise LookupError("There is no installation yet.")
    return found


def _set(value: str) -> str:
    """Set what this connection sees and return what it saw."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [_SETTING])
        (before,) = cursor.fetchone()
        cursor.execute("SELECT set_config(%s, %s, false)", [_SETTING, value])
    return str(before)
