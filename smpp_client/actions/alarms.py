"""What the sender tells about certificates: an event on the connection's page and an entry in the
system's chain, in one transaction.
"""

from datetime import datetime

from django.db import connection as database
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.rules.events import Actor
from smpp_client.actions.connections import tell
from smpp_client.actions.noting import Caller, connection_obj, note
from smpp_client.models import CertificateAlarm, Connection
from workspaces.scope import scope_everywhere

SENDER = Caller(Actor(kind="system", id="sender"))
KIND, ALARM = "certificate", "alarm"


class CertificateAlarms:
    """Implements smpp_client.engine.certificates.Alarms. Called outside of any request."""

    def swapped(self, connection_id: int, sentence: str, now: datetime) -> None:
        """New certificate files are in use."""
        self._write(connection_id, "certificate.swap", KIND, sentence, now)

    def refused(self, connection_id: int, sentence: str, now: datetime) -> None:
        """New certificate files are not used, and why."""
        self._write(connection_id, "certificate.refuse", ALARM, sentence, now)

    def ending(
        self, connection_id: int, fingerprint: str, days: int, ends_at: datetime, now: datetime
    ) -> None:
        """A certificate ends within these days; told once, whoever calls it how often."""
        _connect_again()
        with scope_everywhere("the sender watches certificates"), transaction.atomic(durable=True):
            connection = Connection.objects.get(pk=connection_id)
            _alarm, is_new = CertificateAlarm.objects.get_or_create(
                connection=connection,
                fingerprint=fingerprint,
                days=days,
                defaults={"told_at": now},
            )
            if is_new:
                sentence = _ending(ends_at, days)
                note(
                    SENDER,
                    "certificate.expire",
                    connection_obj(connection),
                    now=now,
                    diff={"ends_at": (None, ends_at.isoformat()), "days": (None, days)},
                    why=sentence,
                )
                tell(connection, ALARM, sentence, now)

    def _write(self, pk: int, op: str, kind: str, sentence: str, now: datetime) -> None:
        _connect_again()
        with scope_everywhere("the sender watches certificates"), transaction.atomic(durable=True):
            connection = Connection.objects.get(pk=pk)
            note(SENDER, op, connection_obj(connection), now=now, why=sentence)
            tell(connection, kind, sentence, now)


def _connect_again() -> None:
    """The sender's threads outlive a database's restart: drop a connection that did not."""
    if database.connection is not None and not database.is_usable():
        database.close()


def _ending(ends_at: datetime, days: int) -> str:
    day = f"{ends_at:%-d %b %Y}"
    if days == 0:
        return _("Our certificate ended on %(day)s: the partner will refuse the next bind.") % {
            "day": day
        }
    return ngettext(
        "Our certificate ends within %(days)s day, on %(day)s. Put a new pair in its place.",
        "Our certificate ends within %(days)s days, on %(day)s. Put a new pair in its place.",
        days,
    ) % {"days": days, "day": day}
