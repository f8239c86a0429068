"""How a session ends on a real socket, and how long the next one waits."""

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from message_center.stack.certificates import DemoCertificates, demo_certificates
from smpp_client.engine.slot import LONGEST_WAIT, SHORTEST_WAIT, back_off
from smpp_client.engine.tls import Keepers
from smpp_client.protocol.events import Closed
from tests.smpp_client.engine.peers import BOUND, Call, account
from tests.smpp_client.protocol.make import positions, segment

End = Callable[[ssl.SSLSocket], None]
BIND_RESPONSE = struct.pack(">LLLL", 17, 0x80000009, 0, 1) + b"\0"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> DemoCertificates:
    return demo_certificates(tmp_path_factory.mktemp("good"))


def with_close_notify(tls: ssl.SSLSocket) -> None:
    """Say goodbye in TLS and leave TCP open."""
    with suppress(OSError):
        tls.settimeout(0.2)
        tls.unwrap()


def without_close_notify(tls: ssl.SSLSocket) -> None:
    """End TCP in the middle of TLS."""
    tls.shutdown(socket.SHUT_WR)


def by_reset(tls: ssl.SSLSocket) -> None:
    """Throw the connection away, with what it holds."""
    tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    tls.close()


@contextmanager
def peer(good: DemoCertificates, end: End) -> Iterator[int]:
    """Accept one bind, read one submit_sm, and end like that; TCP stays open till the test is
    over, but for a reset.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(good.server_cert, good.server_key)
    done = threading.Event()

    def serve(listening: socket.socket) -> None:
        caller, _ = listening.accept()
        with context.wrap_socket(caller, server_side=True) as tls:
            tls.recv(1024)
            tls.sendall(BIND_RESPONSE)
            tls.recv(1024)
            end(tls)
            done.wait(5)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        yield listening.getsockname()[1]
        done.set()
        thread.join(5)


async def ending(good: DemoCertificates, port: int) -> Closed:
    """Bind, submit one segment, and return how the session ended."""
    call = Call(account(good.ca, good.client_cert, good.client_key, port), Keepers())
    assert await call.outcome() == BOUND
    assert call.wire is not None
    call.wire.submit([segment(1)])
    async with asyncio.timeout(5):
        while True:
            event = await call.events.get()
            if isinstance(event, Closed):
                return event


@pytest.mark.parametrize("end", [with_close_notify, without_close_notify, by_reset])
def test_every_end_of_the_transport_is_a_drop_and_what_is_in_flight_is_unknown(
    good: DemoCertificates, end: End
) -> None:
    with peer(good, end) as port:
        closed = asyncio.run(ending(good, port))
    assert positions(closed.unknown) == [1]
    assert closed.reason


def test_each_failure_doubles_the_wait_up_to_a_bound() -> None:
    waits = [back_off(failures) for failures in range(1, 12)]
    assert waits[:4] == [SHORTEST_WAIT, 1.0, 2.0, 4.0]
    assert waits[-1] == LONGEST_WAIT
    assert back_off(10_000) == LONGEST_WAIT


def test_the_next_dial_uses_the_files_that_lie_there_then(
    good: DemoCertificates, tmp_path: Path
) -> None:
    """A connection that never had a usable pair takes the first one at once."""
    keepers = Keepers()
    cert, key = tmp_path / "client.pem", tmp_path / "client.key"
    with peer(good, with_close_notify) as port:
        one = account(good.ca, cert, key, port)
        assert "There is no file" in asyncio.run(Call(one, keepers).outcome())
        cert.write_bytes(good.client_cert.read_bytes())
        key.write_bytes(good.client_key.read_bytes())
        assert asyncio.run(Call(one, keepers).outcome()) == BOUND
