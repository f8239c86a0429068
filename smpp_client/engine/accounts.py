"""Connections as the engine sees them: read from the database, password opened, nothing of Django's
left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from django.utils.translation import gettext as _

from smpp_client.carrier.adapters import BUILT_IN
from smpp_client.engine.link import Link
from smpp_client.models import FIRST_RECEIVER_SLOT, BindForm, Connection, TlsVersion
from smpp_client.protocol.config import SessionConfig
from smpp_client.protocol.pdus import BindType
from smpp_client.queries.certificates import CertificateFiles
from smpp_client.rules.errors import status_classes
from smpp_client.rules.hosts import Host, read_hosts
from smpp_client.rules.message_ids import IdRule
from smpp_client.rules.segments import Alphabet
from workspaces.queries.keys import keys
from workspaces.rules.sealing import SealBroken

COLUMNS = (
    *("id", "version", "name", "host", "port", "system_id", "password_sealed", "system_type"),
    *("server_name", "ca_file", "cert_file", "key_file", "plain_until", "rate", "window"),
    *("intent_budget", "alphabet", "message_id_rule", "enquire_seconds", "response_seconds"),
    *("carrier", "carrier_settings", "further_hosts", "bind_form", "bind_count", "tls_minimum"),
    *("pins", "status_classes", "receipt_classes"),
)
ACCOUNTS = (
    "SELECT " + ", ".join(f'"{name}"' for name in COLUMNS) + " FROM connection"  # noqa: S608
    " WHERE is_enabled ORDER BY id"
)
ID_RULES = {rule.value: rule for rule in IdRule}


@dataclass(frozen=True)
class Place:
    """One bind slot of a connection: its number, which is its lease's, and what it is bound for."""

    number: int
    bind_type: BindType

    @property
    def sends(self) -> bool:
        """Whether segments go out over it."""
        return self.bind_type is not BindType.RECEIVER


@dataclass(frozen=True)
class Account:
    """One enabled connection. `rate` in segments/s over all its sessions, `window` and `budget` in
    segments of each.

    `hosts` begins with `host` and `port`. With a pin (SHA-256 of a public key, in hex) the peer's
    name is not compared. `carrier` names the entry point of its carrier, BUILT_IN is SMPP.
    """

    id: int
    version: int
    name: str
    host: str
    port: int
    server_name: str
    files: CertificateFiles
    plain_until: date | None
    rate: int
    window: int
    budget: int
    session: SessionConfig = field(repr=False)
    hosts: tuple[Host, ...] = ()
    places: tuple[Place, ...] = (Place(0, BindType.TRANSCEIVER),)
    tls_minimum: str = "1.2"
    pins: frozenset[str] = frozenset()
    receipt_classes: Mapping[str, str] = field(default_factory=dict)
    carrier: str = BUILT_IN
    carrier_settings: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def is_plain(self, today: date) -> bool:
        """Whether a dated exception allows this connection to go without TLS today."""
        return self.plain_until is not None and today <= self.plain_until

    def session_of(self, place: Place) -> SessionConfig:
        """Return what a session of this slot needs to know."""
        return replace(self.session, bind_type=place.bind_type)

    def binds_like(self, other: "Account") -> bool:
        """Whether a living session can go on with the other settings of this connection.

        A custom carrier is told its settings once, so any change is a new line.
        """
        return self._bound_with == other._bound_with

    @property
    def _bound_with(self) -> tuple[object, ...]:
        tls = (self.server_name, self.files, self.plain_until, self.tls_minimum, self.pins)
        who = (self.session.system_id, self.session.password, self.session.system_type)
        own = None if self.carrier == BUILT_IN else self.version
        return (self.hosts, tls, who, self.carrier, own)


@dataclass(frozen=True)
class Unusable:
    """An enabled connection that cannot be used as it is stored, and why."""

    id: int
    name: str
    sentence: str


def password_context(name: str) -> str:
    """Return what a connection's sealed password is bound to."""
    return f"connection.password:{name}"


def read_accounts(link: Link) -> tuple[list[Account], list[Unusable]]:
    """Return every enabled connection that can be used, and those that cannot: one of them must not
    keep the others from sending. Raises psycopg.OperationalError.
    """
    accounts: list[Account] = []
    unusable: list[Unusable] = []
    for row in link.rows(ACCOUNTS):
        try:
            accounts.append(_account(row))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            unusable.append(Unusable(row[0], row[2], _why_unusable(error)))
    return accounts, unusable


def _why_unusable(error: Exception) -> str:
    if isinstance(error, SealBroken):
        return _("Its password does not open with this installation's key. Type it again.")
    return _("Its settings cannot be read (%(why)s). Save them again.") % {"why": error}


def account_of(connection: Connection) -> Account:
    """Return one connection, enabled or not, as the engine would see it."""
    return _account([getattr(connection, name) for name in COLUMNS])


def places_of(bind_form: str, bind_count: int) -> tuple[Place, ...]:
    """Return the slots of a connection: `bind_count` that send, and as many that receive where
    sessions come in pairs.
    """
    if bind_form != BindForm.PAIR:
        return tuple(Place(number, BindType.TRANSCEIVER) for number in range(bind_count))
    senders = [Place(number, BindType.TRANSMITTER) for number in range(bind_count)]
    receivers = [
        Place(FIRST_RECEIVER_SLOT + number, BindType.RECEIVER) for number in range(bind_count)
    ]
    return (*senders, *receivers)


def _account(row: Sequence[Any]) -> Account:
    (pk, version, name, host, port, system_id, sealed, system_type, server_name, ca, cert, key) = (
        row[:12]
    )
    plain_until, rate, window, budget, alphabet, id_rule, enquire, response = row[12:20]
    further, bind_form, bind_count, tls_minimum, pins, statuses, receipts = row[22:]
    return Account(
        id=pk,
        version=version,
        name=name,
        host=host,
        port=port,
        server_name=server_name or host,
        files=CertificateFiles(ca, cert, key),
        plain_until=plain_until,
        rate=rate,
        window=window,
        budget=budget or window,
        session=SessionConfig(
            system_id=system_id,
            password=keys().open(bytes(sealed), password_context(name)),
            system_type=system_type,
            window=window,
            alphabet=Alphabet(alphabet),
            id_rule=ID_RULES[id_rule],
            status_classes=status_classes(statuses),
            enquire_interval=enquire,
            enquire_timeout=min(10.0, enquire),
            response_timeout=response,
        ),
        hosts=(Host(host, port), *read_hosts(further, port)),
        # A carrier of its own has sessions of one kind: each of them sends and receives.
        places=places_of(bind_form if row[20] == BUILT_IN else BindForm.TRANSCEIVER, bind_count),
        tls_minimum=TlsVersion(tls_minimum).value,
        pins=frozenset(pins.split()),
        receipt_classes=dict(receipts.items()),
        carrier=row[20],
        carrier_settings=row[21],
    )


def today() -> date:
    """Return the date in UTC."""
    return datetime.now(UTC).date()
