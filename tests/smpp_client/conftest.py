"""Partners over mutual TLS: simulators as processes of their own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from message_center.stack.certificates import DemoCertificates, demo_certificates
from tests.simulator import RunningSimulator, start_simulator

StartPartner = Callable[..., RunningSimulator]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> DemoCertificates:
    """Certificates for both ends, made once."""
    return demo_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def start_partner(
    certificates: DemoCertificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartPartner]:
    """Start partners that want our certificate and know one account; they end with the file.

    Keywords are the simulator's switches.
    """
    with ExitStack() as ends:

        def start(**switches: Any) -> RunningSimulator:
            folder = tmp_path_factory.mktemp("partner")
            running = start_simulator(
                folder, certificates, system_id="center", password="secret", **switches
            )
            ends.callback(running.stop)
            return running

        yield start
