"""One dial of the engine's own dialer, without a database, and what it came to."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from smpp_client.engine.accounts import Account, Place
from smpp_client.engine.dialer import Dialer, HostChoice, NoSession
from smpp_client.engine.tls import Keepers
from smpp_client.engine.wire import Wire
from smpp_client.protocol.config import SessionConfig
from smpp_client.protocol.events import BindRefused, Bound, Closed, Event
from smpp_client.protocol.pdus import BindType
from smpp_client.queries.certificates import CertificateFiles
from smpp_client.rules.hosts import Host

PLACE = Place(0, BindType.TRANSCEIVER)
BOUND = "bound"


def account(ca: Path, cert: Path, key: Path, port: int, **changes: Any) -> Account:
    """An account on loopback whose peer is called localhost."""
    made = Account(
        id=1,
        version=1,
        name="smsc-a",
        host="127.0.0.1",
        port=port,
        server_name="localhost",
        files=CertificateFiles(str(ca), str(cert), str(key)),
        plain_until=None,
        rate=1_000,
        window=50,
        budget=50,
        session=SessionConfig(system_id="center", password="secret"),
        hosts=(Host("127.0.0.1", port),),
    )
    return replace(made, **changes)


class Call:
    """One dial and its session; `events` are what the session told."""

    def __init__(self, one: Account, keepers: Keepers) -> None:
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.wire: Wire | None = None
        self._dialer = Dialer(one, PLACE, HostChoice(one.hosts), keepers.of(one))

    async def outcome(self) -> str:
        """Return BOUND, or the sentence that says why not."""
        try:
            self.wire = await self._dialer.dial(self.events.put_nowait, lambda: float("inf"))
        except NoSession as refused:
            return refused.sentence
        while True:
            match await self.events.get():
                case Bound():
                    return BOUND
                case BindRefused(sentence=why) | Closed(reason=why):
                    return why

    async def end(self) -> None:
        """Unbind and wait for the end."""
        if self.wire is not None:
            self.wire.unbind()
            await self.wire.is_closed.wait()
