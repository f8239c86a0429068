"""Opens a transport to the peer of one connection: its address, its TLS, and why there is none."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from smpp_client.engine.accounts import Account, Place, today
from smpp_client.engine.books import utc_now
from smpp_client.engine.guarded import Deadline, connect
from smpp_client.engine.tls import ContextKeeper, explain, pin_refusal, server_name_for, what_speaks
from smpp_client.engine.wire import OnEvent, Wire
from smpp_client.queries.certificates import CertificatesRefused
from smpp_client.rules.hosts import Host

CONNECT_SECONDS = 10.0
# Octets that may wait in the transport. Never 0: asyncio's TLS would pause writing and not resume.
WRITE_BUFFER = 16_384
# A host that failed is tried first again after this.
RETURN_SECONDS = 60.0


class NoSession(Exception):
    """There is no transport; `kind` is the event's kind, `sentence` is for people."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.sentence = sentence


class HostChoice:
    """Which of a connection's hosts one slot tries next. Times are monotonic seconds."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        self._hosts = hosts
        self._at = 0
        self._left_at = float("-inf")

    @property
    def current(self) -> Host:
        """The host of the session, or of the next one."""
        return self._hosts[self._at]

    def next(self, now: float) -> Host:
        """Return where to dial: the first host again when it has had some time to recover."""
        if self._at and now - self._left_at >= RETURN_SECONDS:
            self._at = 0
        return self.current

    @property
    def is_away(self) -> bool:
        """Whether the session is with another host than the first."""
        return self._at > 0

    def go_home(self) -> Host:
        """Let the next dial be to the first host."""
        self._at = 0
        return self.current

    def failed(self, now: float) -> None:
        """The dial failed, or the session was lost: the next host is next."""
        if self._at == 0:
            self._left_at = now
        self._at = (self._at + 1) % len(self._hosts)


async def answers(host: Host) -> bool:
    """Say whether a host takes connections at all."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _reader, writer = await asyncio.open_connection(host.name, host.port)
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    return True


class Dialer:
    """Dials one connection for one slot."""

    def __init__(
        self, account: Account, place: Place, hosts: HostChoice, keeper: ContextKeeper
    ) -> None:
        self._account = account
        self._place = place
        self._hosts = hosts
        self._keeper = keeper

    @property
    def certificate_ends_at(self) -> datetime | None:
        """When our certificate in use expires."""
        trusted = self._keeper.trusted
        return trusted.certificates.ends_at if trusted else None

    def look_at_certificates(self) -> str:
        """Nothing to tell: the connection's files are watched for all its slots together."""
        return ""

    async def dial(self, on_event: OnEvent, deadline: Deadline) -> Wire:
        """Connect and begin the bind; what the session tells goes to `on_event`. Raises NoSession.

        Nothing is written past `deadline()`, in seconds of lease_now.
        """
        account, host = self._account, self._hosts.current
        name = server_name_for(account, host)
        context = self._context()
        config = account.session_of(self._place)
        admit = self._admit if context and account.pins else None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                transport, wire = await asyncio.get_running_loop().create_connection(
                    lambda: Wire(config, on_event, deadline, admit),
                    sock=await connect(host, deadline),
                    ssl=context,
                    server_hostname=name if context else None,
                )
        except (OSError, ssl.SSLError, TimeoutError) as error:
            why = explain(error, host=host.name, port=host.port, name=name)
            if getattr(error, "reason", "") == "WRONG_VERSION_NUMBER":
                why = await what_speaks(host) or why
            raise NoSession("refused", why) from error
        if wire.refusal:
            raise NoSession("refused", wire.refusal)
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        return wire

    def _admit(self, transport: asyncio.BaseTransport) -> str:
        """Return "" for a peer with a pinned key, else why there is no bind."""
        return pin_refusal(transport, self._account.pins)

    def _context(self) -> ssl.SSLContext | None:
        """Return the TLS context, or None under a dated exception. Raises NoSession."""
        if self._account.is_plain(today()):
            return None
        if self._keeper.trusted is None:
            self._look_first()
        if self._keeper.trusted is None:
            raise NoSession(
                "certificate", self._keeper.trouble or _("There are no certificate files.")
            )
        return self._keeper.trusted.context

    def _look_first(self) -> None:
        try:
            self._keeper.look(utc_now(), time.monotonic())
        except CertificatesRefused as refused:
            raise NoSession("certificate", refused.sentence) from refused
