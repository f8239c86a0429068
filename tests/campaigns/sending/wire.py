"""A campaign's whole way in processes: the simulator over mTLS, the sender, and the rows between
them.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils import timezone

from campaigns.actions import running
from campaigns.models import Campaign, Progress
from campaigns.rules.message_states import MessageState
from message_center.stack.certificates import DemoCertificates, demo_certificates
from smpp_client.models import Connection, Route, SessionStatus
from smpp_client.simulator.ledger import texts
from tests import make
from tests.campaigns.sending.ground import counts
from tests.poll import poll
from tests.simulator import RunningSimulator, start_simulator
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role


@dataclass
class Site:
    """One workspace with a connection to a running simulator."""

    author: Me
    connection: Connection
    route: Route
    simulator: RunningSimulator
    certificates: DemoCertificates

    def accepted(self) -> Counter[tuple[str, str]]:
        """Return how often the simulator accepted each (number, text), from its own ledger."""
        return Counter((line.destination, line.text) for line in texts(self.simulator.ledger))


def site(folder: Path, *, rate: int = 500, window: int = 50, **switches: Any) -> Site:
    """Start a simulator and make a connection, a route and a workspace for it."""
    folder.mkdir(parents=True, exist_ok=True)
    certificates = demo_certificates(folder / "certificates")
    switches.setdefault("receipt_delay", 0.05)
    simulator = start_simulator(
        folder, certificates, system_id="center", password="secret", **switches
    )
    author = make.person_in(make.workspace(), Role.ADMIN)
    connection = make.connection(
        host="127.0.0.1",
        port=simulator.port,
        server_name="localhost",
        ca_file=str(certificates.ca),
        cert_file=str(certificates.client_cert),
        key_file=str(certificates.client_key),
        rate=rate,
        window=window,
    )
    return Site(author, connection, make.route(author.here, connection), simulator, certificates)


def progress(campaign: Campaign) -> Progress:
    """Return the counters as they are."""
    return Progress.objects.get(campaign=campaign)


def wait_for_counts(campaign: Campaign, seconds: float = 30, **wanted: int) -> Progress:
    """Poll until every named counter has this value; each look checks that the counts add up."""

    def reached() -> bool:
        row = progress(campaign)
        assert sum(getattr(row, state.value) for state in MessageState) == row.total
        return all(getattr(row, name) == count for name, count in wanted.items())

    try:
        poll(reached, seconds)
    except AssertionError as late:
        late.add_note(f"wanted {wanted}, counts are {counts(campaign)}")
        raise
    return progress(campaign)


def wait_bound(connection: Connection, seconds: float = 20) -> None:
    """Poll until the sender says that the session is up."""

    def is_bound() -> bool:
        return SessionStatus.objects.filter(lease__connection=connection, state="bound").exists()

    poll(is_bound, seconds, "the session is not up")


def complete(campaign: Campaign) -> str:
    """Let the sweep make its moves and return the campaign's state."""
    running.sweep(timezone.now())
    campaign.refresh_from_db()
    return campaign.state
