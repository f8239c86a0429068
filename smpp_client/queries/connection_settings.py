"""A connection's settings as one value, and everything that is wrong with them.

The form and the command line show all of it at once; the verb refuses with the first.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from smpp_client.carrier.adapters import BUILT_IN
from smpp_client.models import (
    Alphabet,
    BindForm,
    Connection,
    LongForm,
    MessageIdRule,
    TlsVersion,
)
from smpp_client.queries.carriers import has_carrier
from smpp_client.queries.certificates import (
    CertificateFiles,
    CertificatesRefused,
    read_certificates,
)
from smpp_client.rules.errors import (
    ClassesRefused,
    read_receipt_classes,
    read_status_classes,
    written_classes,
)
from smpp_client.rules.hosts import HostRefused, is_host, read_hosts
from smpp_client.rules.pins import PinRefused, read_pins

# C-octet strings of bind_transceiver (SMPP 3.4, 4.1.5) less their closing zero.
LONGEST_SYSTEM_ID, LONGEST_PASSWORD, LONGEST_SYSTEM_TYPE = 15, 8, 12
# Those of other carriers have no such bounds.
LONGEST_SECRET, LONGEST_CARRIER_SETTINGS = 1_000, 10_000
HIGHEST_RATE, HIGHEST_WINDOW = 1_000_000, 10_000
LONGEST_SECONDS = 3_600
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_NAME = 40
RESERVED = {"new"}
MOST_HOSTS, MOST_BINDS, MOST_PINS, MOST_CODES = 10, 50, 10, 500
LONGEST_TEXT = {"ca_file": 400, "cert_file": 400, "key_file": 400, "plain_reason": 200}


@dataclass(frozen=True)
class ConnectionSettings:
    """What a connection is told. `rate` is in segments/s over all its sessions, `window` and
    `intent_budget` in segments of each. `further_hosts` and `pins` have one a line, the two tables
    of classes are as rules.errors reads them.

    An exception from TLS has a reason and a last day; then there are no certificate files. A
    carrier that is not SMPP reads `carrier_settings` (a JSON object) and needs no certificate.
    """

    host: str
    port: int
    system_id: str
    system_type: str = ""
    server_name: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    plain_reason: str = ""
    plain_until: date | None = None
    rate: int = 100
    window: int = 50
    intent_budget: int | None = None
    alphabet: str = Alphabet.GSM
    message_id_rule: str = MessageIdRule.AS_IS
    short_code_ton: int = 3
    enquire_seconds: float = 30
    response_seconds: float = 60
    carrier: str = BUILT_IN
    carrier_settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    further_hosts: str = ""
    bind_form: str = BindForm.TRANSCEIVER
    bind_count: int = 1
    tls_minimum: str = TlsVersion.TLS_1_2
    pins: str = ""
    long_form: str = LongForm.UDH
    status_classes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    receipt_classes: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def is_smpp(self) -> bool:
        """Whether it speaks SMPP, and not the language of a carrier of its own."""
        return self.carrier == BUILT_IN

    @property
    def is_plain(self) -> bool:
        """Whether it asks for an exception from TLS."""
        return self.plain_until is not None or bool(self.plain_reason)

    @property
    def wire_security(self) -> tuple[object, ...]:
        """What it hangs on that nobody else reads what is sent, the password first."""
        files = (self.ca_file, self.cert_file, self.key_file)
        exception = (self.plain_reason, self.plain_until)
        tls = (*files, self.tls_minimum, self.pins, *exception, self.carrier)
        return (*tls, *self._proved_names, *self._trusted_place)

    @property
    def _proved_names(self) -> tuple[str, str]:
        """The name that the peer's certificate has to hold, or the hosts, whose own names count."""
        if self.server_name in {"", self.host}:
            return (self.host, self.further_hosts)
        return (self.server_name, "")

    @property
    def _trusted_place(self) -> tuple[object, ...]:
        """Where no certificate proves who answers: the place that is trusted instead."""
        if self.is_smpp and not self.is_plain:
            return ()
        return (self.host, self.port, self.further_hosts, self.carrier_settings)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, at the field where it is mended."""

    field: str
    sentence: str


SETTINGS = tuple(one.name for one in fields(ConnectionSettings))


def settings_of(connection: Connection) -> ConnectionSettings:
    """Return the settings of a connection as they are stored."""
    return ConnectionSettings(**{name: getattr(connection, name) for name in SETTINGS})


def faults(
    settings: ConnectionSettings, now: datetime, before: ConnectionSettings | None = None
) -> list[Fault]:
    """Return what is wrong, in the order of the form; nothing means that it can be stored.

    TLS is looked at only where it differs from `before`: a certificate that has ended must not keep
    anybody from lowering a rate.
    """
    checks: list[Callable[[ConnectionSettings, datetime], Iterator[Fault]]] = [_place, _account]
    if before is None or before.wire_security != settings.wire_security:
        checks.append(_tls)
    checks += [_limits, _dialect, _carrier]
    return [fault for check in checks for fault in check(settings, now)]


def name_faults(name: str) -> list[Fault]:
    """Return what is wrong with the name of a connection or a route."""
    if name in RESERVED:
        return [Fault("name", _("This word is an address of the pages. Choose another name."))]
    if NAME.fullmatch(name) and len(name) <= LONGEST_NAME:
        return []
    return [Fault("name", _("Use small letters a to z, digits and single hyphens, at most 40."))]


def password_faults(password: str, *, carrier: str = BUILT_IN) -> list[Fault]:
    """Return what is wrong with a password. It is never shown, and never cut."""
    if carrier == BUILT_IN:
        return list(_octets("password", password, LONGEST_PASSWORD))
    if not password or len(password) > LONGEST_SECRET or not password.isprintable():
        return [Fault("password", _("Type the secret of the account, at most 1,000 characters."))]
    return []


def _place(settings: ConnectionSettings, _now: datetime) -> Iterator[Fault]:
    if not is_host(settings.host):
        yield Fault("host", _("Type a host name or an IP address, without smpp:// and port."))
    if not 1 <= settings.port <= 65_535:
        yield Fault("port", _("A port is a number from 1 to 65535."))
        return
    try:
        hosts = read_hosts(settings.further_hosts, settings.port)
    except HostRefused as refused:
        yield Fault("further_hosts", str(refused))
        return
    if len(hosts) > MOST_HOSTS:
        yield Fault("further_hosts", _("Use at most %(n)s hosts.") % {"n": MOST_HOSTS})


def _account(settings: ConnectionSettings, _now: datetime) -> Iterator[Fault]:
    yield from _octets("system_id", settings.system_id, LONGEST_SYSTEM_ID)
    if settings.system_type:
        yield from _octets("system_type", settings.system_type, LONGEST_SYSTEM_TYPE)


def _octets(field: str, text: str, longest: int) -> Iterator[Fault]:
    if not text:
        yield Fault(field, _("Fill this in as the partner gave it."))
    elif not (text.isascii() and text.isprintable()):
        yield Fault(field, _("SMPP carries only the letters, digits and marks of ASCII here."))
    elif len(text) > longest:
        yield Fault(
            field,
            _(
                "SMPP 3.4 carries at most %(longest)s octets here; this has %(count)s."
                " Ask the partner for a shorter one. It is never cut."
            )
            % {"longest": longest, "count": len(text)},
        )


def _tls(settings: ConnectionSettings, now: datetime) -> Iterator[Fault]:
    for name, longest in LONGEST_TEXT.items():
        if len(getattr(settings, name)) > longest:
            yield Fault(name, _("Use at most %(limit)s characters.") % {"limit": longest})
            return
    yield from _pins(settings)
    if settings.server_name and not is_host(settings.server_name):
        yield Fault("server_name", _("Type the name that stands in the partner's certificate."))
    if settings.is_plain:
        yield from _exception(settings, now)
    elif settings.is_smpp or settings.cert_file or settings.key_file:
        yield from _files(settings, now)


def _pins(settings: ConnectionSettings) -> Iterator[Fault]:
    try:
        pins = read_pins(settings.pins)
    except PinRefused as refused:
        yield Fault("pins", str(refused))
        return
    if len(pins) > MOST_PINS:
        yield Fault("pins", _("Use at most %(n)s pins.") % {"n": MOST_PINS})


def _exception(settings: ConnectionSettings, now: datetime) -> Iterator[Fault]:
    if not settings.plain_reason.strip():
        yield Fault("plain_reason", _("Say why this partner is reached without TLS."))
    if settings.plain_until is None:
        yield Fault("plain_until", _("Say until when. An exception from TLS has an end."))
    elif settings.plain_until < now.date():
        yield Fault("plain_until", _("This day is over. Choose a later one, or use TLS."))
    if settings.ca_file or settings.cert_file or settings.key_file:
        yield Fault("plain_reason", _("Choose: certificate files, or an exception from TLS."))


def _files(settings: ConnectionSettings, now: datetime) -> Iterator[Fault]:
    for field in ("ca_file", "cert_file", "key_file"):
        path = getattr(settings, field)
        if path and not Path(path).is_absolute():
            yield Fault(field, _("Type the whole path, beginning with a slash."))
            return
    if not settings.cert_file and settings.key_file:
        yield Fault("cert_file", _("A key needs its certificate: name the certificate's file."))
        return
    try:
        read_certificates(
            CertificateFiles(settings.ca_file, settings.cert_file, settings.key_file), now
        )
    except CertificatesRefused as refused:
        yield Fault(refused.field, refused.sentence)


def _limits(settings: ConnectionSettings, _now: datetime) -> Iterator[Fault]:
    if not 1 <= settings.rate <= HIGHEST_RATE:
        yield Fault("rate", _("A rate is at least 1 segment a second."))
    if not 1 <= settings.window <= HIGHEST_WINDOW:
        yield Fault("window", _("A window is 1 to 10,000 segments."))
    if settings.intent_budget is not None and not 1 <= settings.intent_budget <= HIGHEST_WINDOW:
        yield Fault("intent_budget", _("A budget is 1 to 10,000 segments; empty means the window."))
    if not 1 <= settings.bind_count <= MOST_BINDS:
        yield Fault("bind_count", _("A connection has 1 to 50 sessions, or pairs of them."))
    for field in ("enquire_seconds", "response_seconds"):
        if not 1 <= getattr(settings, field) <= LONGEST_SECONDS:
            yield Fault(field, _("Type 1 to 3600 seconds."))


def _carrier(settings: ConnectionSettings, _now: datetime) -> Iterator[Fault]:
    if not has_carrier(settings.carrier):
        yield Fault("carrier", _("No carrier of this name is installed."))
    if settings.is_smpp and settings.carrier_settings:
        yield Fault("carrier_settings", _("SMPP has no further settings: leave this empty."))
    elif len(json.dumps(settings.carrier_settings)) > LONGEST_CARRIER_SETTINGS:
        yield Fault("carrier_settings", _("Use at most 10,000 characters."))


def _dialect(settings: ConnectionSettings, _now: datetime) -> Iterator[Fault]:
    choices = (
        ("alphabet", Alphabet.values),
        ("message_id_rule", MessageIdRule.values),
        ("short_code_ton", [0, 3]),
        ("bind_form", BindForm.values),
        ("tls_minimum", TlsVersion.values),
        ("long_form", LongForm.values),
    )
    for field, allowed in choices:
        if getattr(settings, field) not in allowed:
            yield Fault(field, _("Choose one of those offered."))
    tables: tuple[tuple[str, Callable[[str], dict[str, str]]], ...] = (
        ("status_classes", read_status_classes),
        ("receipt_classes", read_receipt_classes),
    )
    for field, read in tables:
        yield from _table(field, getattr(settings, field), read)


def _table(
    field: str, table: Mapping[str, str], read: Callable[[str], dict[str, str]]
) -> Iterator[Fault]:
    try:
        read(written_classes(table))
    except ClassesRefused as refused:
        yield Fault(field, str(refused))
    if len(table) > MOST_CODES:
        yield Fault(field, _("Use at most %(n)s codes.") % {"n": MOST_CODES})
