"""Plain functions that make connections and routes by the product's own verbs."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils import timezone

from audit.rules.events import Actor
from message_center.stack.certificates import issue_valid, make_authority
from smpp_client.actions.connections import add_connection
from smpp_client.actions.noting import Caller
from smpp_client.actions.routes import create_route
from smpp_client.models import Connection, Lease, Route, SessionStatus
from smpp_client.queries.connection_settings import ConnectionSettings

BY = Caller(Actor(kind="system", id="test"))


def certified(folder: Path, **fields: Any) -> ConnectionSettings:
    """Return settings that are right in everything, with certificate files in a folder."""
    authority = make_authority(folder, name="Test authority")
    pair = issue_valid(folder, authority, "client", client=True, now=timezone.now())
    settings = ConnectionSettings(
        host="127.0.0.1",
        port=2775,
        system_id="center",
        server_name="localhost",
        ca_file=str(authority.path),
        cert_file=str(pair.cert),
        key_file=str(pair.key),
    )
    return replace(settings, **fields)


def connection(folder: Path, name: str = "smsc-a", **fields: Any) -> Connection:
    """Add a connection; its password is `secret`."""
    return add_connection(
        name=name,
        settings=certified(folder, **fields),
        password="secret",
        by=BY,
        now=timezone.now(),
    )


def route(name: str, **weights: int) -> Route:
    """Make a route; underscores in the names of connections become hyphens."""
    named = {key.replace("_", "-"): weight for key, weight in weights.items()}
    return create_route(name=name, weights=named, by=BY, now=timezone.now())


def seen(
    one: Connection, state: str = "bound", *, at: datetime | None = None, **fields: Any
) -> SessionStatus:
    """Write what a sender would have observed, a moment ago unless told otherwise."""
    at = at or timezone.now()
    lease, _new = Lease.objects.get_or_create(connection=one, slot=fields.pop("slot", 0))
    values = {"since_at": at, "observed_at": at, "rate_allowed": one.rate, **fields}
    return SessionStatus.objects.create(lease=lease, state=state, **values)
