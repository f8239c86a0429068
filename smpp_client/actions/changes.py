"""How a connection's wire is secured changes only when two people want it.

Weaker TLS, another authority, a pin or an exception could let somebody else read or write what is
sent; so could another host where no certificate has to hold a name of its own. So such a change
waits, with all that was changed along with it, for a second super admin. A new connection that asks
for an exception from TLS is disabled until then, and bound to TLS.
"""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from smpp_client.actions.connections import (
    CHANGED,
    ChangedMeanwhile,
    ConnectionRefused,
    Wanted,
    difference,
    insert,
    named,
    require_faultless,
    said_of,
    sealed,
    tell,
    write,
)
from smpp_client.actions.noting import Caller, connection_obj, note
from smpp_client.models import ChangeState, Connection, ConnectionChange
from smpp_client.queries.connection_settings import (
    SETTINGS,
    ConnectionSettings,
    faults,
    settings_of,
)
from workspaces.models import User
from workspaces.rules.refusal import Refusal

ASKED = "asked"
# The one column beside the settings that a change may hold: for what waits from its beginning.
ENABLED = "is_enabled"


class ChangeRefused(Refusal):
    """This change cannot be asked for or decided."""


class SamePerson(ChangeRefused):
    """Who asks does not decide."""

    code = "same_person"


def add_plain_connection(
    *, name: str, settings: ConnectionSettings, password: str, by: Caller, now: datetime
) -> Connection:
    """Add a connection that asks for an exception from TLS, disabled and bound to TLS until another
    super admin makes the exception, which enables it.

    Raises ConnectionRefused, ChangeRefused.
    """
    require_faultless(name, settings, password, now)
    asker = _person(by)
    with_tls = replace(settings, plain_reason="", plain_until=None)
    diff = {
        "plain_reason": (with_tls.plain_reason, settings.plain_reason),
        "plain_until": (with_tls.plain_until, settings.plain_until),
        ENABLED: (False, True),
    }
    with transaction.atomic(durable=True):
        connection = insert(
            name=name, settings=with_tls, password=password, by=by, now=now, is_enabled=False
        )
        asked = ConnectionChange(connection=connection, seen=connection.version, asked_by=asker)
        _ask(asked, diff, by, now)
    return connection


def ask_change(wanted: Wanted, *, by: Caller, now: datetime) -> ConnectionChange:
    """Ask for other settings of a connection.

    Raises NoSuchConnection, ConnectionRefused, ChangedMeanwhile, ChangeRefused.
    """
    connection = named(wanted.name)
    if connection.version != wanted.seen:
        raise ChangedMeanwhile(_("Somebody changed this connection meanwhile. Read it again."))
    diff = difference(connection, wanted, now)
    asked = ConnectionChange(
        connection=connection,
        password_sealed=sealed(wanted),
        seen=wanted.seen,
        asked_by=_person(by),
    )
    with transaction.atomic(durable=True):
        _ask(asked, diff, by, now)
    return asked


def _person(by: Caller) -> User:
    if by.user is None:
        raise ChangeRefused(_("A person asks for this, on the connection's page."))
    return by.user


def _ask(asked: ConnectionChange, diff: dict[str, Any], by: Caller, now: datetime) -> None:
    asked.diff = {key: [_written(value) for value in pair] for key, pair in diff.items()}
    asked.asked_at = now
    try:
        asked.save(force_insert=True)
    except IntegrityError as error:
        raise ChangeRefused(
            _("Another change of this connection waits already. Decide that one first.")
        ) from error
    note(by, "connection.ask", connection_obj(asked.connection), now=now, diff=diff)
    tell(asked.connection, ASKED, _("Asked for: %s") % said_of(diff, by), now)


def make_change(*, change_id: int, by: Caller, now: datetime) -> Connection:
    """Make what another person asked for. Raises SamePerson, ChangeRefused, ConnectionRefused and
    ChangedMeanwhile.
    """
    with transaction.atomic(durable=True):
        change = _waiting(change_id)
        connection = change.connection
        if by.user is None or by.user.person_id == change.asked_by.person_id:
            raise SamePerson(_("You asked for it. Another super admin makes it."))
        diff = {key: (before, _read(key, after)) for key, (before, after) in change.diff.items()}
        values = {key: after for key, (_before, after) in diff.items() if key != "password"}
        before = settings_of(connection)
        settings = {key: after for key, after in values.items() if key in SETTINGS}
        found = faults(replace(before, **settings), now, before)
        if found:
            raise ConnectionRefused(found)
        if change.password_sealed:
            values["password_sealed"] = bytes(change.password_sealed)
        write(connection, change.seen, values)
        _decide(change, ChangeState.MADE, by, now)
        note(by, "connection.edit", connection_obj(connection), now=now, diff=diff)
        tell(connection, CHANGED, said_of(diff, by), now)
    connection.refresh_from_db()
    return connection


def drop_change(*, change_id: int, by: Caller, now: datetime) -> None:
    """Leave everything as it is; who asked may do so too. Raises ChangeRefused."""
    with transaction.atomic(durable=True):
        change = _waiting(change_id)
        _decide(change, ChangeState.DROPPED, by, now)
        note(by, "connection.drop", connection_obj(change.connection), now=now)


def _waiting(change_id: int) -> ConnectionChange:
    found = (
        ConnectionChange.objects.select_for_update(of=("self",))
        .select_related("connection", "asked_by")
        .filter(pk=change_id, state=ChangeState.ASKED)
        .first()
    )
    if found is None:
        raise ChangeRefused(_("It is decided already. Look at it again."))
    return found


def _decide(change: ConnectionChange, state: ChangeState, by: Caller, now: datetime) -> None:
    change.state, change.decided_by, change.decided_at = state, by.user, now
    change.save(update_fields=["state", "decided_by", "decided_at"])


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _read(key: str, value: Any) -> Any:
    return date.fromisoformat(value) if key == "plain_until" and value else value
