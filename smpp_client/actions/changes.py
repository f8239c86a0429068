"""How a connection's wire is secured changes only when two people want it.

Weaker TLS, another authority, a pin or an exception could let somebody else read or write what is
sent. So such a change waits, with all that was changed along with it, for a second super admin.
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
    difference,
    named,
    password_context,
    said_of,
    tell,
    write,
)
from smpp_client.actions.noting import Caller, connection_obj, note
from smpp_client.models import ChangeState, Connection, ConnectionChange
from smpp_client.queries.connection_settings import ConnectionSettings, faults, settings_of
from workspaces.queries.keys import keys
from workspaces.rules.refusal import Refusal

ASKED = "asked"


class ChangeRefused(Refusal):
    """This change cannot be asked for or decided."""


class SamePerson(ChangeRefused):
    """Who asks does not decide."""

    code = "same_person"


def ask_change(
    *,
    name: str,
    settings: ConnectionSettings,
    password: str = "",
    seen: int,
    by: Caller,
    now: datetime,
) -> ConnectionChange:
    """Ask for other settings of a connection that was seen as version `seen`.

    Raises NoSuchConnection, ConnectionRefused, ChangedMeanwhile, ChangeRefused.
    """
    connection = named(name)
    if connection.version != seen:
        raise ChangedMeanwhile(_("Somebody changed this connection meanwhile. Read it again."))
    diff = difference(connection, settings, password, now)
    if by.user is None:
        raise ChangeRefused(_("A person asks for this, on the connection's page."))
    try:
        with transaction.atomic(durable=True):
            asked = ConnectionChange.objects.create(
                connection=connection,
                diff={key: [_written(value) for value in pair] for key, pair in diff.items()},
                password_sealed=keys().seal(password, password_context(name)) if password else b"",
                seen=seen,
                asked_by=by.user,
                asked_at=now,
            )
            note(by, "connection.ask", connection_obj(connection), now=now, diff=diff)
            tell(connection, ASKED, _("Asked for: %s") % said_of(diff, by), now)
    except IntegrityError as error:
        raise ChangeRefused(
            _("Another change of this connection waits already. Decide that one first.")
        ) from error
    return asked


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
        found = faults(replace(settings_of(connection), **values), now, settings_of(connection))
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
