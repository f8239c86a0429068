"""The listening end: TLS that requires a client certificate, or plain TCP when it is asked for."""

import asyncio
import ssl

from smpp_client.simulator.control import serve_control
from smpp_client.simulator.exchange import Config, Exchange
from smpp_client.simulator.session import Session
from smpp_client.simulator.subscribers import write_from

_BACKLOG = 128


class Simulator:
    """One running simulator; `async with Simulator(config) as simulator` in the tests."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._servers: list[asyncio.Server] = []
        self._writing: asyncio.Task[None] | None = None
        self.port = 0
        self.control_port = 0

    async def __aenter__(self) -> "Simulator":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen. OSError when a port is taken or a certificate file cannot be read."""
        config, loop = self._config, asyncio.get_running_loop()
        context = None if config.plain else server_context(config)
        self.exchange = Exchange(config, loop)
        server = await loop.create_server(
            lambda: Session(self.exchange),
            config.host,
            config.port,
            ssl=context,
            backlog=_BACKLOG,
        )
        self._servers.append(server)
        self.port = server.sockets[0].getsockname()[1]
        if config.control_port is not None:
            control = await serve_control(self.exchange, config.control_host, config.control_port)
            self._servers.append(control)
            self.control_port = control.sockets[0].getsockname()[1]
        if config.write_from is not None:
            self._writing = asyncio.create_task(write_from(config.write_from, self.exchange))

    async def stop(self) -> None:
        """Stop listening, cut what is open, close the ledger."""
        if self._writing is not None:
            self._writing.cancel()
        for server in self._servers:
            server.close()
        for connection in list(self.exchange.connections):
            connection.drop()
        self.exchange.close()
        # One turn of the loop, so that the connections notice that they are gone.
        await asyncio.sleep(0)


def server_context(config: Config) -> ssl.SSLContext:
    """Return a context that takes only TLS 1.2 and later and clients of our authority."""
    if not (config.ca and config.cert and config.key):
        raise ValueError("Name the three certificate files, or choose plain.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(config.ca)
    context.load_cert_chain(config.cert, config.key)
    return context
