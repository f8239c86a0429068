"""Watches the certificate files of every connection: new ones are tried before they are used, bad
ones are refused with an alarm, and a coming end is told in time.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import datetime
from functools import partial
from typing import Protocol

import structlog
from django.utils.translation import gettext as _

from smpp_client.carrier.adapters import BUILT_IN
from smpp_client.engine.accounts import Account, today
from smpp_client.engine.books import utc_now
from smpp_client.engine.tls import ContextKeeper, Keepers, Trusted, explain, server_name_for
from smpp_client.queries.certificates import CertificatesRefused
from smpp_client.rules.expiry import alarm_due
from smpp_client.rules.hosts import Host

LOOK_SECONDS = 1.0
PROBE_SECONDS = 5.0
# With TLS 1.3 a peer refuses our certificate only after our part of the handshake is done.
REFUSAL_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Alarms(Protocol):
    """Who tells people and the audit log. Every call is made on a database thread."""

    def swapped(self, connection_id: int, sentence: str, now: datetime) -> None:
        """New certificate files are in use."""

    def refused(self, connection_id: int, sentence: str, now: datetime) -> None:
        """New certificate files are not used, and why."""

    def ending(
        self, connection_id: int, fingerprint: str, days: int, ends_at: datetime, now: datetime
    ) -> None:
        """A certificate ends within these days; told once, whoever calls it how often."""


class CertificateWatch:
    """Looks at the files of all connections about once a second.

    What could not be told because the database was away is told later.
    """

    def __init__(self, keepers: Keepers, alarms: Alarms, executor: Executor | None) -> None:
        self._keepers = keepers
        self._alarms = alarms
        self._executor = executor
        self._untold: list[Callable[[], None]] = []
        self._told: set[tuple[int, str, int]] = set()
        # What broke the last look at a connection, by its id: said once, not every second.
        self._broken: dict[int, str] = {}

    async def run(self, accounts: Callable[[], Sequence[Account]]) -> None:
        """Look at what `accounts` returns until cancelled."""
        while True:
            for account in accounts():
                await self._look_safely(account)
            await self._tell()
            await asyncio.sleep(LOOK_SECONDS)

    async def _look_safely(self, account: Account) -> None:
        """One odd host or certificate must not end the watch of all the others."""
        try:
            if account.carrier == BUILT_IN and not account.is_plain(today()):
                await self.look(account)
        except Exception as error:
            if self._broken.get(account.id) != repr(error):
                self._broken[account.id] = repr(error)
                log.exception("certificate_look_failed", connection=account.name)
        else:
            self._broken.pop(account.id, None)

    async def look(self, account: Account) -> None:
        """Look at one connection's files; new ones are tried before they are taken."""
        keeper = self._keepers.of(account)
        try:
            fresh = keeper.look(utc_now(), time.monotonic())
        except CertificatesRefused as refused:
            self._refused(account, refused.sentence)
        else:
            if fresh is not None:
                await self._try(account, keeper, fresh)
        if keeper.trusted is not None:
            self._watch_end(account, keeper.trusted)

    async def _try(self, account: Account, keeper: ContextKeeper, fresh: Trusted) -> None:
        """Take a new pair that the peer takes, or about which nobody could be asked."""
        used = keeper.trusted.context if keeper.trusted is not None else None
        why = await probe(account, fresh.context, used)
        if why:
            keeper.refuse(why)
            self._refused(account, why)
            return
        keeper.take(fresh)
        said = _("New certificate files are in use from the next bind on; ours ends on %(day)s.")
        day = f"{fresh.certificates.ends_at:%-d %b %Y}"
        log.info("certificate_swapped", connection=account.name)
        self._later(self._alarms.swapped, account.id, said % {"day": day}, utc_now())

    def _refused(self, account: Account, why: str) -> None:
        said = _("The new certificate files are not used: %(why)s") % {"why": why}
        log.warning("certificate_refused", connection=account.name, why=why)
        self._later(self._alarms.refused, account.id, said, utc_now())

    def _watch_end(self, account: Account, trusted: Trusted) -> None:
        now, own = utc_now(), trusted.certificates
        days = alarm_due(own.ends_at, now)
        if days is None or (account.id, own.fingerprint, days) in self._told:
            return
        self._told.add((account.id, own.fingerprint, days))
        self._later(self._alarms.ending, account.id, own.fingerprint, days, own.ends_at, now)

    def _later(self, tell: Callable[..., None], *values: object) -> None:
        self._untold.append(partial(tell, *values))

    async def _tell(self) -> None:
        while self._untold:
            try:
                await asyncio.get_running_loop().run_in_executor(self._executor, self._untold[0])
            except Exception as error:  # the database is away, or the log cannot be written
                log.warning("certificate_not_told", error=str(error))
                return
            del self._untold[0]


class ClosedAtOnce(OSError):
    """The peer closed after the handshake and said nothing."""


async def probe(account: Account, fresh: ssl.SSLContext, used: ssl.SSLContext | None) -> str:
    """Shake hands with the first host that answers, without a bind; return why the pair is refused
    there, "" when it is not or when nobody answers.

    A peer that closes without a word refuses it only if it lets the pair in use be.
    """
    for host in account.hosts:
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await _shake_hands(account, host, fresh)
                return ""
        except ssl.SSLError as error:
            name = server_name_for(account, host)
            return explain(error, host=host.name, port=host.port, name=name)
        except (ClosedAtOnce, ConnectionResetError):
            if used is None or not await _lets_be(account, host, used):
                return ""
            return _("The peer closes the connection when it sees the new certificate.")
        except (OSError, TimeoutError, ValueError):
            # ValueError: the name cannot even be asked for, as one with an overlong label.
            continue
    return ""


async def _lets_be(account: Account, host: Host, context: ssl.SSLContext) -> bool:
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await _shake_hands(account, host, context)
    except (OSError, TimeoutError, ValueError):
        return False
    return True


async def _shake_hands(account: Account, host: Host, context: ssl.SSLContext) -> None:
    """Raises what the handshake raises, and ClosedAtOnce."""
    reader, writer = await asyncio.open_connection(
        host.name, host.port, ssl=context, server_hostname=server_name_for(account, host)
    )
    try:
        async with asyncio.timeout(REFUSAL_SECONDS):
            if not await reader.read(1):
                raise ClosedAtOnce
    except TimeoutError:
        pass
    finally:
        writer.transport.abort()
