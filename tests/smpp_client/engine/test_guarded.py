"""Nothing leaves a socket past its deadline, whenever its process was frozen."""

import asyncio
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from message_center.stack.certificates import DemoCertificates, demo_certificates
from smpp_client.engine import clock
from smpp_client.engine.clock import lease_now
from smpp_client.engine.guarded import Found, GuardedSocket, LeaseOver, connect, in_turn
from smpp_client.rules.hosts import Host
from tests.poll import poll
from tests.simulator import ROOT

FREEZES = 6
LEASE_SECONDS = 0.3
MUCH = 16 * 1024 * 1024


class Reader:
    """A TLS server that reads and throws away; `octets` of each connection, in their order."""

    def __init__(self, certificates: DemoCertificates) -> None:
        self.octets: list[int] = []
        self.ended = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates.server_cert, certificates.server_key)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listening.accept()
                self._read(caller)

    def _read(self, caller: socket.socket) -> None:
        self.octets.append(0)
        with suppress(OSError), self._context.wrap_socket(caller, server_side=True) as tls:
            while piece := tls.recv(65_536):
                self.octets[-1] += len(piece)
        self.ended += 1


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> DemoCertificates:
    return demo_certificates(tmp_path_factory.mktemp("good"))


@contextmanager
def writer(port: int, ca: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start tests.smpp_client.engine.writer."""
    words = [sys.executable, "-m", "tests.smpp_client.engine.writer"]
    started = subprocess.Popen([*words, str(port), str(ca), str(LEASE_SECONDS)], cwd=ROOT)
    try:
        yield started
    finally:
        started.kill()
        started.wait(10)


def is_still(reader: Reader) -> bool:
    """Whether nothing comes for longer than the lease."""
    before = list(reader.octets)
    time.sleep(2 * LEASE_SECONDS)
    return reader.octets == before


def test_a_process_that_wakes_up_after_its_lease_writes_not_one_octet(
    good: DemoCertificates,
) -> None:
    """Frozen at any moment, while another of its threads keeps the interpreter busy."""
    with closing(Reader(good)) as reader, writer(reader.port, good.ca) as process:
        for freeze in range(FREEZES):
            poll(lambda: sum(reader.octets[freeze:]) > 10_000, 60, "nothing is written")  # noqa: B023
            process.send_signal(signal.SIGSTOP)
            poll(lambda: is_still(reader), 60, "it does not stop")
            # A busy machine may have ended one by itself; what counts is the one that is open.
            before, number = list(reader.octets), len(reader.octets)
            process.send_signal(signal.SIGCONT)
            poll(lambda: reader.ended >= number, 60, "the session goes on")  # noqa: B023
            assert reader.octets[:number] == before


class Told(asyncio.Protocol):
    """Notes how its transport ended."""

    def __init__(self) -> None:
        self.end = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note it."""
        self.end.set_result(exc)


async def overfilled(port: int) -> Exception | None:
    """Write more than the kernel takes to a peer that begins to read when the lease has ended."""
    deadline = float("inf")
    loop = asyncio.get_running_loop()
    transport, told = await loop.create_connection(
        Told, sock=await connect(Host("127.0.0.1", port), lambda: deadline)
    )
    transport.write(bytes(MUCH))
    assert transport.get_write_buffer_size() > 0
    deadline = float("-inf")
    end: Exception | None = await told.end
    return end


def test_what_waits_in_the_transport_when_the_lease_ends_stays_there() -> None:
    read = 0
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with asyncio.Runner() as runner:
            late = threading.Event()

            def drain() -> None:
                nonlocal read
                caller, _ = listening.accept()
                late.wait(10)
                with caller, suppress(OSError):
                    while piece := caller.recv(65_536):
                        read += len(piece)

            thread = threading.Thread(target=drain)
            thread.start()
            runner.get_loop().call_later(0.05, late.set)
            end = runner.run(overfilled(listening.getsockname()[1]))
        thread.join(10)
    assert isinstance(end, LeaseOver)
    assert 0 < read < MUCH


def test_a_lease_runs_out_while_the_machine_is_suspended(monkeypatch: pytest.MonkeyPatch) -> None:
    def after_a_suspend(which: int) -> float:
        return time.clock_gettime(which) + 61 * (which == time.CLOCK_BOOTTIME)

    ends_at = lease_now() + 60
    with GuardedSocket(socket.AF_INET, socket.SOCK_STREAM, 0, lambda: ends_at) as guarded:
        monkeypatch.setattr(clock, "_read", after_a_suspend)
        with pytest.raises(LeaseOver):
            guarded.send(b"late")


def test_addresses_of_both_families_are_tried_in_turn() -> None:
    four, six = int(socket.AF_INET), int(socket.AF_INET6)
    found: list[Found] = [(family, 1, 6, "", (n,)) for n, family in enumerate((six, six, four))]
    assert [one[4][0] for one in in_turn(found)] == [0, 2, 1]


def test_a_name_that_nobody_answers_at_is_refused_with_the_first_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(connect(Host("127.0.0.1", port), lambda: float("inf")))
