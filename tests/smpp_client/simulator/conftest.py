"""A simulator per test over mTLS, and clients bound to it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from message_center.stack.certificates import DemoCertificates
from tests.simulator import RunningSimulator, start_simulator
from tests.smpp_client.simulator.client import TlsClient, connected

Start = Callable[..., RunningSimulator]
Bound = Callable[..., TlsClient]


@pytest.fixture
def start(tmp_path: Path, certificates: DemoCertificates) -> Iterator[Start]:
    """Start simulators that end with the test; receipts are due at once unless said otherwise."""
    running: list[RunningSimulator] = []

    def start_one(**switches: Any) -> RunningSimulator:
        wanted = {"receipt_delay": 0.0, "receipt_retry": 0.0, "check_every": 1} | switches
        running.append(start_simulator(tmp_path, certificates, **wanted))
        return running[-1]

    yield start_one
    for simulator in running:
        simulator.stop()


@pytest.fixture
def bound(certificates: DemoCertificates) -> Iterator[Bound]:
    """Bind clients as transceivers, or `mode`; they are closed with the test."""
    clients: list[TlsClient] = []

    def bind_one(
        simulator: RunningSimulator,
        *,
        mode: str = "transceiver",
        system_id: str = "campaigns",
        password: str = "secret",
    ) -> TlsClient:
        clients.append(connected(simulator, certificates))
        bind = getattr(clients[-1], f"bind_{mode}")
        bind(system_id=system_id, password=password)
        return clients[-1]

    yield bind_one
    for client in clients:
        client.disconnect()
