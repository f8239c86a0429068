"""The check of a connection that a person asks for."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from smpp_client.actions.connections import NoSuchConnection, tell
from smpp_client.actions.noting import Caller, connection_obj, note
from smpp_client.engine.check import CheckResult, check
from smpp_client.queries.connections import connection_by

CHECKED = "checked"


def check_connection(*, name: str, by: Caller, now: datetime) -> CheckResult:
    """Try a connection and record how far it came. Raises NoSuchConnection.

    The network comes first: nothing waits for it inside the transaction.
    """
    connection = connection_by(name)
    if connection is None:
        raise NoSuchConnection(_("There is no connection “%(name)s”.") % {"name": name})
    result = check(connection)
    told = _("The check went through") if result.is_well else result.steps[-1][2]
    with transaction.atomic(durable=True):
        note(
            by,
            "connection.check",
            connection_obj(connection),
            now=now,
            diff={"well": (None, result.is_well)},
            why="" if result.is_well else told,
        )
        said = _("Checked by %(person)s: %(what)s") % {"person": by.name, "what": told}
        tell(connection, CHECKED, said, now)
    return result
