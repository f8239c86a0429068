"""Opens a transport to the peer of one connection: its address, its TLS, and why there is none."""

import asyncio
import ssl
import time
from datetime import datetime

from django.utils.translation import gettext as _

from smpp_client.engine.accounts import Account, today
from smpp_client.engine.books import utc_now
from smpp_client.engine.tls import ContextKeeper, explain
from smpp_client.engine.wire import Deadline, OnEvent, Wire

CONNECT_SECONDS = 10.0
# Octets that may wait in the transport. Never 0: asyncio's TLS would pause writing and not resume.
WRITE_BUFFER = 16_384


class NoSession(Exception):
    """There is no transport; `kind` is the event's kind, `sentence` is for people."""

    def __init__(self, kind: str, sentence: str) -> None:
        super().__init__(sentence)
        self.kind = kind
        self.sentence = sentence


class Dialer:
    """Dials one connection. Its certificates are looked at before each dial and once a second."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._keeper = ContextKeeper(account.files)

    @property
    def certificate_ends_at(self) -> datetime | None:
        """When our certificate in use expires."""
        trusted = self._keeper.trusted
        return trusted.certificates.ends_at if trusted else None

    def look_at_certificates(self) -> str:
        """Take new files when they are still; return the sentence that tells of it, or ""."""
        if self._account.is_plain(today()):
            return ""
        news = self._keeper.look(utc_now(), time.monotonic())
        if news == "swapped":
            return _("New certificate files are in use from the next bind on.")
        if news == "refused" and self._keeper.trusted is not None:
            return _("The new certificate files are not used: %(why)s") % {
                "why": self._keeper.trouble
            }
        return ""

    async def dial(self, on_event: OnEvent, deadline: Deadline) -> Wire:
        """Connect and begin the bind; what the session tells goes to `on_event`. Raises NoSession.

        Nothing is written past `deadline()`, in monotonic seconds.
        """
        account = self._account
        context = self._context()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                transport, wire = await asyncio.get_running_loop().create_connection(
                    lambda: Wire(account.session, on_event, deadline),
                    account.host,
                    account.port,
                    ssl=context,
                    server_hostname=account.server_name if context else None,
                )
        except (OSError, ssl.SSLError, TimeoutError) as error:
            why = explain(error, host=account.host, port=account.port, name=account.server_name)
            raise NoSession("refused", why) from error
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        return wire

    def _context(self) -> ssl.SSLContext | None:
        """Return the TLS context, or None under a dated exception. Raises NoSession."""
        if self._account.is_plain(today()):
            return None
        if self._keeper.trusted is None:
            raise NoSession(
                "certificate", self._keeper.trouble or _("There are no certificate files.")
            )
        return self._keeper.trusted.context
