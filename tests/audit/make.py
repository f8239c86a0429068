"""Plain functions that make what the tests of the audit log need."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connections

from audit.rules.events import Actor, Happening, Obj, event_bytes
from audit.rules.hashes import leaf_hash

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
INSTALL = UUID("5b1f2c1e-7d1a-4a53-9d5e-0f6a7f0c2a11")
MARKETING = UUID("78e51061-7311-48a3-82ce-6f447ed4d57b")
ROAMING = UUID("9f1c5e5c-51f0-4d46-b5c1-2f5f4f0a9f10")

Connection = psycopg.Connection[Any]


def happening(ws: UUID = MARKETING, op: str = "campaign.approve", **changes: Any) -> Happening:
    """An approval of campaign cmp_3 by usr_6, with what the test changes."""
    plain = Happening(
        op=op,
        eid=uuid4(),
        workspace=ws,
        actor=Actor("user", "usr_6"),
        obj=Obj("campaign", "cmp_3"),
        at=NOW,
    )
    return replace(plain, **changes)


def append(connection: Connection, event: Happening | None = None, **changes: Any) -> Happening:
    """Append an event as the application does."""
    event = event or happening(**changes)
    body = event_bytes(event)
    connection.execute(
        "SELECT audit_append(%s, %s, %s, %s)",
        [event.workspace, event.eid, leaf_hash(body), body.decode()],
    )
    return event


def open_chains(connection: Connection, *workspaces: UUID) -> None:
    """Open the system chain and those of the workspaces (Marketing and Roaming by default)."""
    for number, ws in enumerate((INSTALL, *(workspaces or (MARKETING, ROAMING)))):
        connection.execute("SELECT audit_open_chain(%s, %s)", [ws, NOW + timedelta(seconds=number)])


def rows(connection: Connection, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run a query and return its rows."""
    return connection.execute(query, values).fetchall()


def see(connection: Connection, workspace: UUID | str) -> None:
    """Set the scope of a connection; '*' is every workspace."""
    connection.execute("SELECT set_config('app.workspace_uuid', %s, false)", [str(workspace)])


@contextmanager
def without_guards(superuser: Connection) -> Iterator[None]:
    """What a careful superuser does: switch the triggers off, and on again as they were."""
    query = (
        "SELECT t.tgrelid::regclass::text, t.tgname FROM pg_trigger t"
        " JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE t.tgname LIKE 'audit%%' AND c.relname LIKE 'audit%%'"
    )
    triggers = rows(superuser, query)
    for table, name in triggers:
        superuser.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
    yield
    for table, name in triggers:
        superuser.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def django_as(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Django's connection be the role's of this URL, as a command's is."""
    wrapper = connections["default"]
    wrapper.close()
    user, password = url.split("//")[1].split("@", maxsplit=1)[0].split(":")
    monkeypatch.setitem(wrapper.settings_dict, "USER", user)
    monkeypatch.setitem(wrapper.settings_dict, "PASSWORD", password)
