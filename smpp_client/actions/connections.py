"""Connections: added, changed, disabled, enabled, checked.

A change raises `version`; that is what a running sender looks at. A name is for ever, because the
sealed password is bound to it.
"""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from smpp_client.actions.noting import Caller, connection_obj, note
from smpp_client.models import Connection, ConnectionEvent
from smpp_client.queries.connection_settings import (
    ConnectionSettings,
    Fault,
    faults,
    name_faults,
    password_faults,
    settings_of,
)
from workspaces.queries.keys import keys
from workspaces.rules.refusal import Refusal

CHANGED = "changed"


class ConnectionRefused(Refusal):
    """A connection cannot be as asked. `faults` is all that is wrong; the first is the sentence."""

    code = "connection_refused"

    def __init__(self, found: list[Fault]) -> None:
        super().__init__(found[0].sentence, field=found[0].field)
        self.faults = found


class NoSuchConnection(Refusal):
    """There is no connection of this name."""

    code = "not_found"


class NeedsAnother(Refusal):
    """How the wire is secured changes only when two people want it (actions/changes.py)."""

    code = "needs_another"


class ChangedMeanwhile(Refusal):
    """Somebody changed the connection since the page was shown."""

    code = "stale"


@dataclass(frozen=True)
class Wanted:
    """Other settings of a connection that was seen as version `seen`; an empty password keeps the
    one it has.
    """

    name: str
    settings: ConnectionSettings
    seen: int
    password: str = field(default="", repr=False)


def password_context(name: str) -> str:
    """Return what a sealed password is bound to."""
    return f"connection.password:{name}"


def add_connection(
    *, name: str, settings: ConnectionSettings, password: str, by: Caller, now: datetime
) -> Connection:
    """Add a connection, enabled; the sender binds it within seconds.

    Raises ConnectionRefused, and NeedsAnother where it asks for an exception from TLS.
    """
    require_faultless(name, settings, password, now)
    if settings.is_plain:
        raise NeedsAnother(
            _("Another super admin has to confirm an exception from TLS. Ask for it on the page.")
        )
    with transaction.atomic(durable=True):
        return insert(name=name, settings=settings, password=password, by=by, now=now)


def require_faultless(
    name: str, settings: ConnectionSettings, password: str, now: datetime
) -> None:
    """Look at a new connection. Raises ConnectionRefused with everything that is wrong."""
    found = [
        *name_faults(name),
        *faults(settings, now),
        *password_faults(password, carrier=settings.carrier),
    ]
    if found:
        raise ConnectionRefused(found)


def insert(
    *,
    name: str,
    settings: ConnectionSettings,
    password: str,
    by: Caller,
    now: datetime,
    is_enabled: bool = True,
) -> Connection:
    """Put a new connection, its entry and its event into the caller's transaction. Raises
    ConnectionRefused.
    """
    connection = Connection(
        name=name,
        password_sealed=keys().seal(password, password_context(name)),
        is_enabled=is_enabled,
        created_at=now,
        created_by=by.user,
        **asdict(settings),
    )
    try:
        connection.save(force_insert=True)
    except IntegrityError as error:
        raise ConnectionRefused([Fault("name", _("Another connection has this name."))]) from error
    diff: dict[str, Any] = {key: (None, value) for key, value in asdict(settings).items()}
    diff["name"] = (None, name)
    note(by, "connection.add", connection_obj(connection), now=now, diff=diff)
    tell(connection, CHANGED, _("Added by %(person)s") % {"person": by.name}, now)
    return connection


def edit_connection(wanted: Wanted, *, by: Caller, now: datetime) -> Connection:
    """Change a connection.

    Raises NoSuchConnection, ConnectionRefused, NeedsAnother, ChangedMeanwhile.
    """
    connection = named(wanted.name)
    diff = difference(connection, wanted, now)
    if wanted.settings.wire_security != settings_of(connection).wire_security:
        raise NeedsAnother(
            _(
                "Another super admin has to confirm other settings of TLS, and another host where"
                " no other name proves it."
            )
        )
    values = {key: after for key, (_before, after) in diff.items() if key != "password"}
    if wanted.password:
        values["password_sealed"] = sealed(wanted)
    with transaction.atomic(durable=True):
        write(connection, wanted.seen, values)
        if diff:
            note(by, "connection.edit", connection_obj(connection), now=now, diff=diff)
            tell(connection, CHANGED, said_of(diff, by), now)
    return named(wanted.name)


def sealed(wanted: Wanted) -> bytes:
    """Return a new password as it is stored; empty where the old one stays."""
    if not wanted.password:
        return b""
    return keys().seal(wanted.password, password_context(wanted.name))


def difference(connection: Connection, wanted: Wanted, now: datetime) -> dict[str, Any]:
    """Return each setting that differs with its value before and after. Raises ConnectionRefused.

    A new password is told and not shown.
    """
    before, settings, password = settings_of(connection), wanted.settings, wanted.password
    found = faults(settings, now, before)
    if password:
        found += password_faults(password, carrier=settings.carrier)
    if found:
        raise ConnectionRefused(found)
    old, new = asdict(before), asdict(settings)
    diff: dict[str, Any] = {key: (old[key], new[key]) for key in new if old[key] != new[key]}
    if password:
        diff["password"] = ("sealed", "sealed anew")
    return diff


def disable_connection(*, name: str, by: Caller, now: datetime) -> None:
    """Stop using a connection: its sessions are closed, what waits stays queued.

    Raises NoSuchConnection, ChangedMeanwhile.
    """
    _switch(name, by, now, is_enabled=False)


def enable_connection(*, name: str, by: Caller, now: datetime) -> None:
    """Use a connection again. Raises NoSuchConnection, ChangedMeanwhile."""
    _switch(name, by, now, is_enabled=True)


def _switch(name: str, by: Caller, now: datetime, *, is_enabled: bool) -> None:
    connection = named(name)
    with transaction.atomic(durable=True):
        changed = Connection.objects.filter(pk=connection.pk, is_enabled=not is_enabled).update(
            is_enabled=is_enabled, version=F("version") + 1
        )
        if not changed:
            raise ChangedMeanwhile(
                _("%(name)s is enabled already.") % {"name": name}
                if is_enabled
                else _("%(name)s is disabled already.") % {"name": name}
            )
        op = "connection.enable" if is_enabled else "connection.disable"
        diff = {"enabled": (not is_enabled, is_enabled)}
        note(by, op, connection_obj(connection), now=now, diff=diff)
        said = _("Enabled by %(person)s") if is_enabled else _("Disabled by %(person)s")
        tell(connection, CHANGED, said % {"person": by.name}, now)


def named(name: str) -> Connection:
    """Return a connection. Raises NoSuchConnection."""
    connection = Connection.objects.filter(name=name).first()
    if connection is None:
        raise NoSuchConnection(_("There is no connection “%(name)s”.") % {"name": name})
    return connection


def write(connection: Connection, seen: int, values: dict[str, Any]) -> None:
    """Set values of a connection that still is of version `seen`. Raises ChangedMeanwhile."""
    changed = Connection.objects.filter(pk=connection.pk, version=seen).update(
        **values, version=F("version") + (1 if values else 0)
    )
    if not changed:
        raise ChangedMeanwhile(
            _("Somebody changed this connection meanwhile. Read it again; yours is not saved.")
        )


def tell(connection: Connection, kind: str, sentence: str, now: datetime) -> None:
    """Put what a person did among the events of the wire, so that a page tells one story."""
    ConnectionEvent.objects.create(
        connection=connection, kind=kind, sentence=sentence[:400], happened_at=now
    )


def said_of(diff: dict[str, Any], by: Caller) -> str:
    """Return a change in one line for people."""
    parts = [
        f"{key.replace('_', ' ')} {old if old not in (None, '') else _('none')}"
        f" → {new if new not in (None, '') else _('none')}"
        for key, (old, new) in diff.items()
        if key != "password"
    ]
    if "password" in diff:
        parts.append(_("a new password"))
    return _("%(what)s, by %(person)s") % {"what": ", ".join(parts), "person": by.name}
