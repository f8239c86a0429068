"""Connections as the engine sees them: read from the database, password opened, nothing of Django's
left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from smpp_client.carrier.adapters import BUILT_IN
from smpp_client.engine.link import Link
from smpp_client.protocol.config import SessionConfig
from smpp_client.queries.certificates import CertificateFiles
from smpp_client.rules.message_ids import IdRule
from smpp_client.rules.segments import Alphabet
from workspaces.queries.keys import keys

ACCOUNTS = """
SELECT id, version, name, host, port, system_id, password_sealed, system_type, server_name,
       ca_file, cert_file, key_file, plain_until, rate, window, intent_budget, alphabet,
       message_id_rule, enquire_seconds, response_seconds, carrier, carrier_settings
FROM connection WHERE is_enabled ORDER BY id
"""
ID_RULES = {rule.value: rule for rule in IdRule}


@dataclass(frozen=True)
class Account:
    """One enabled connection. `rate` in segments/s, `window` and `budget` in segments.

    `carrier` names the entry point of its carrier, BUILT_IN is SMPP.
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
    carrier: str = BUILT_IN
    carrier_settings: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def is_plain(self, today: date) -> bool:
        """Whether a dated exception allows this connection to go without TLS today."""
        return self.plain_until is not None and today <= self.plain_until


def password_context(name: str) -> str:
    """Return what a connection's sealed password is bound to."""
    return f"connection.password:{name}"


def read_accounts(link: Link) -> list[Account]:
    """Return every enabled connection. Raises psycopg.OperationalError."""
    return [_account(row) for row in link.rows(ACCOUNTS.replace("window", '"window"'))]


def _account(row: Sequence[Any]) -> Account:
    (pk, version, name, host, port, system_id, sealed, system_type, server_name, ca, cert, key) = (
        row[:12]
    )
    plain_until, rate, window, budget, alphabet, id_rule, enquire, response = row[12:20]
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
            enquire_interval=enquire,
            enquire_timeout=min(10.0, enquire),
            response_timeout=response,
        ),
        carrier=row[20],
        carrier_settings=row[21],
    )


def today() -> date:
    """Return the date in UTC."""
    return datetime.now(UTC).date()
