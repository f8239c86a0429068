"""One short bind to a partner, step by step, for the page and the command line.

The bind is as transmitter: a check must never draw receipts away from the sender's session.
"""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from django.utils.translation import gettext as _

from smpp_client.carrier.adapters import BUILT_IN
from smpp_client.engine.accounts import Account, account_of, password_context
from smpp_client.engine.adapters.dialer import AdapterDialer
from smpp_client.engine.adapters.line import AdapterLine
from smpp_client.engine.clock import lease_now
from smpp_client.engine.dialer import NoSession
from smpp_client.engine.tls import build_context, explain, pin_refusal, what_speaks
from smpp_client.engine.wire import Wire
from smpp_client.models import Connection
from smpp_client.protocol.config import SessionConfig
from smpp_client.protocol.events import BindRefused, Bound, Closed, Event
from smpp_client.protocol.pdus import BindType
from smpp_client.queries.certificates import CertificateFiles, CertificatesRefused
from smpp_client.rules.hosts import Host
from workspaces.queries.keys import keys

CONNECT_SECONDS = 5.0
BIND_SECONDS = 5.0

# (name of the step, whether it went through, a sentence)
Step = tuple[str, bool, str]


@dataclass(frozen=True)
class CheckResult:
    """What a check went through, in order; it stops at the first step that fails."""

    steps: list[Step]

    @property
    def is_well(self) -> bool:
        """Whether every step went through."""
        return all(ok for _name, ok, _sentence in self.steps)


_FOR_NAME = _(", and its certificate is for %s.")


class _Stopped(Exception):
    """A step failed; its sentence is the last of the steps."""


def check(connection: Connection) -> CheckResult:
    """Try a connection as it is stored; takes at most CONNECT_SECONDS and BIND_SECONDS."""
    steps: list[Step] = []
    if connection.carrier != BUILT_IN:
        asyncio.run(_open(account_of(connection), steps))
        return CheckResult(steps)
    try:
        context = _context(connection, steps)
        # Reads the keys from the database, which nobody may do inside the loop.
        config = _config(connection)
        asyncio.run(_bind(connection, config, context, steps))
    except _Stopped:
        pass
    return CheckResult(steps)


async def _open(account: Account, steps: list[Step]) -> None:
    """Let the carrier open and close in a process of its own, beside the sender's."""
    told: asyncio.Queue[Event] = asyncio.Queue()
    deadline = lease_now() + CONNECT_SECONDS + BIND_SECONDS
    name = _("Carrier %s") % account.carrier
    try:
        line = await AdapterDialer(account).dial(told.put_nowait, lambda: deadline)
    except NoSession as refused:
        steps.append((name, False, refused.sentence))
        return
    try:
        async with asyncio.timeout(CONNECT_SECONDS + BIND_SECONDS):
            event = await told.get()
            while not isinstance(event, Bound | Closed):
                event = await told.get()
        is_open = isinstance(event, Bound)
        opened = _("It opened, and closed again.")
        steps.append((name, is_open, event.reason if isinstance(event, Closed) else opened))
    except TimeoutError:
        steps.append((name, False, _("It does not open.")))
    finally:
        line.unbind()
        await _gone(line)


async def _gone(line: AdapterLine) -> None:
    try:
        async with asyncio.timeout(5):
            await line.is_closed.wait()
    except TimeoutError:
        line.drop("The check is over.")


def _stop(steps: list[Step], name: str, sentence: str) -> _Stopped:
    steps.append((name, False, sentence))
    return _Stopped(sentence)


def _context(connection: Connection, steps: list[Step]) -> ssl.SSLContext | None:
    """Return the TLS context, or None under a dated exception."""
    name, now = _("Certificates"), datetime.now(UTC)
    if connection.plain_until is not None and now.date() <= connection.plain_until:
        day = f"{connection.plain_until:%-d %b %Y}"
        steps.append((name, True, _("An exception allows it without TLS until %s.") % day))
        return None
    files = CertificateFiles(connection.ca_file, connection.cert_file, connection.key_file)
    try:
        trusted = build_context(
            files, now, minimum=connection.tls_minimum, checks_name=not connection.pins
        )
    except CertificatesRefused as refused:
        raise _stop(steps, name, refused.sentence) from refused
    ends = f"{trusted.certificates.ends_at:%-d %b %Y}"
    steps.append((name, True, _("Ours fits its key and ends on %s.") % ends))
    return trusted.context


async def _bind(
    connection: Connection,
    config: SessionConfig,
    context: ssl.SSLContext | None,
    steps: list[Step],
) -> None:
    told: asyncio.Queue[Event] = asyncio.Queue()
    deadline = lease_now() + CONNECT_SECONDS + BIND_SECONDS + 1
    wire = await _reach(connection, config, context, steps, told, deadline)
    try:
        steps.append(await _answer(connection, told))
    finally:
        wire.unbind()
        await _closed(wire)


async def _reach(
    connection: Connection,
    config: SessionConfig,
    context: ssl.SSLContext | None,
    steps: list[Step],
    told: asyncio.Queue[Event],
    deadline: float,
) -> Wire:
    """Open the transport. A partner that refuses our certificate may say so only at the bind."""
    host, port = connection.host, connection.port
    name = connection.server_name or host
    admit = partial(pin_refusal, pins=connection.pins.split()) if context else None
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _transport, wire = await asyncio.get_running_loop().create_connection(
                lambda: Wire(config, told.put_nowait, lambda: deadline, admit),
                host,
                port,
                ssl=context,
                server_hostname=name if context else None,
            )
    except (OSError, ssl.SSLError, TimeoutError) as error:
        sentence = explain(error, host=host, port=port, name=name)
        if getattr(error, "reason", "") == "WRONG_VERSION_NUMBER":
            sentence = await what_speaks(Host(host, port)) or sentence
        raise _stop(steps, _("Connection"), sentence) from error
    if wire.refusal:
        raise _stop(steps, _("Connection"), wire.refusal)
    said = _("%(host)s port %(port)s answers") % {"host": host, "port": port}
    secured = "."
    if context:
        secured = _(", with a pinned key.") if connection.pins else _FOR_NAME % name
    steps.append((_("Connection"), True, said + secured))
    return wire


def _config(connection: Connection) -> SessionConfig:
    return SessionConfig(
        system_id=connection.system_id,
        password=keys().open(bytes(connection.password_sealed), password_context(connection.name)),
        system_type=connection.system_type,
        bind_type=BindType.TRANSMITTER,
        bind_timeout=BIND_SECONDS,
        drain_timeout=1.0,
        unbind_timeout=1.0,
    )


async def _answer(connection: Connection, told: asyncio.Queue[Event]) -> Step:
    """Wait for the bind's answer: up means this, never that TLS connected."""
    name = _("Bind")
    try:
        async with asyncio.timeout(BIND_SECONDS + 1):
            while True:
                match await told.get():
                    case Bound():
                        who = connection.system_id
                        return name, True, _("Bound as %s, and unbound again.") % who
                    case BindRefused(sentence=sentence) | Closed(reason=sentence):
                        return name, False, sentence
                    case _:
                        continue
    except TimeoutError:
        return name, False, _("The partner does not answer the bind.")


async def _closed(wire: Wire) -> None:
    """Wait for the end, but not for a partner that never closes."""
    try:
        async with asyncio.timeout(3):
            await wire.is_closed.wait()
    except TimeoutError:
        wire.drop("The check is over.")
