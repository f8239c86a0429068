"""What the faults happen to: the product's sender over a real database, and an SMSC behind a proxy.

The route has two connections, and the first of them two bind slots: a claim that is lost, a lease
that is taken over and a session that ends have others beside them. Campaigns are supplied as they
are used up, so that there is always something to send.
"""

import contextlib
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connections
from django.utils import timezone

from audit.actions.record import open_chain
from campaigns.actions import running
from campaigns.models import Campaign, RecipientList
from message_center.stack.certificates import DemoCertificates, demo_certificates
from smpp_client.models import Connection, Route, RouteConnection
from tests import make
from tests.chaos.invariants import Checker
from tests.chaos.ledger import Ledger
from tests.chaos.proxy import Proxy
from tests.chaos.watch import Watch
from tests.poll import poll
from tests.processes import Handle, Processes
from tests.simulator import RunningSimulator, start_simulator
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role

LEASE_SECONDS = 6.0
PATIENCE = 60.0
# Sessions of each connection of the route, which share the whole rate evenly.
BINDS = (2, 1)
# How the SMSC is when nothing is wrong with it; its delay fills a good part of the window.
USUAL: dict[str, Any] = {"receipts": True, "receipt_delay": 0.2, "delay": 0.1}
TEXT = "Hello {{name}}, this is note %d."
LONG = TEXT + " It is long enough for two segments, so that parts can part." * 3


@dataclass(frozen=True)
class Size:
    """The route's rate in segments/s and its sessions' window together, how many messages a
    campaign has, and how many seconds an answer may take.
    """

    rate: int
    rows: int
    window: int
    patience: int


@dataclass
class Stage:
    """Everything at hand. `rate` is the route's, in segments/s; `budget` is the most segments that
    one session may leave unknown, and `sessions` how many there are.
    """

    processes: Processes
    folder: Path
    rate: int
    rows: int
    budget: int
    sessions: int
    response_seconds: int
    author: Me
    route: Route
    proxy: Proxy
    simulator: RunningSimulator
    recipients: RecipientList
    checker: Checker
    watch: Watch
    campaigns: list[Campaign] = field(default_factory=list)
    disturbed: list[tuple[float, float]] = field(default_factory=list)
    decisions: Counter[str] = field(default_factory=Counter)
    opted_out: dict[int, float] = field(default_factory=dict)
    names: tuple[str, str] = ("sender", "sender-2")

    # The senders

    @property
    def sender(self) -> Handle:
        """The sender that holds the leases, or has held them longer."""
        return self.processes[self.names[0]]

    @property
    def spare(self) -> Handle:
        """The other one, which may not run."""
        return self.processes[self.names[1]]

    def swap(self) -> None:
        """The spare has taken over."""
        self.names = (self.names[1], self.names[0])
        self.watch.pid = self.sender.pid

    def begin(self) -> None:
        """Start the sender (again) and do not wait."""
        self.sender.begin()
        self.watch.pid = self.sender.pid

    def recover(self) -> None:
        """After a fault that went wrong: heal what the kit broke, and let a sender run."""
        self.proxy.heal()
        self.simulator.thaw()
        if self.spare.is_running:
            self.swap()
        elif not self.sender.is_running:
            self.begin()

    # What flows

    @property
    def ledger(self) -> Ledger:
        return self.checker.ledger

    def wait_accepted(self, count: int, seconds: float = PATIENCE) -> None:
        """Poll until the SMSC has accepted so many more segments."""
        wanted = self.ledger.read_on() + count
        poll(lambda: self.ledger.read_on() >= wanted, seconds, f"never {count} more accepted")

    def wait_flow(self, after: float, seconds: float = PATIENCE) -> float:
        """Poll until segments flow again and return the time of the first after this Unix time."""

        def flows() -> float | None:
            self.ledger.read_on()
            return self.ledger.first_after(after) if self.ledger.count_after(after) > 5 else None

        found = poll(flows, seconds, f"nothing flows\n{self.sender.log_text[-3000:]}")
        assert found is not None
        return found

    def wait_taken_over(self, pid: int, seconds: float = PATIENCE) -> None:
        """Poll until every session's lease is held by another sender than this process."""
        poll(
            lambda: self.checker.leases_of_others(pid) == self.sessions,
            seconds,
            f"leases are not taken over\n{self.spare.log_text[-3000:]}",
        )

    def wait_known(self, seconds: float = PATIENCE) -> None:
        """Poll until outcomes are recorded again: the database moves."""
        statement = "SELECT coalesce(sum(submitted_segments), 0) FROM progress"
        before = self.checker.rows(statement)[0][0]
        poll(lambda: self.checker.rows(statement)[0][0] > before, seconds, "no outcome recorded")

    def faults(self, **switches: object) -> None:
        """Set switches of the simulator."""
        self.simulator.control(**switches)

    def restart_simulator(self) -> None:
        """Bring the SMSC back at its place, with its ledger."""
        self.simulator = _simulator(self.folder, self.simulator.port)

    # What there is to send

    def wait_settled(self, before: float, seconds: float = PATIENCE) -> None:
        """Poll until every batch opened before this Unix time is closed."""
        poll(
            lambda: (
                not self.checker.rows(
                    "SELECT 1 FROM batch WHERE closed_at IS NULL AND opened_at < to_timestamp(%s)",
                    [before],
                )
            ),
            seconds,
            "a batch stays open",
        )

    def supply(self) -> None:
        """Begin another campaign when little is left."""
        left = self.checker.rows("SELECT coalesce(sum(queued), 0) FROM progress")[0][0]
        if left < self.rows // 2:
            self.add_campaign()

    def add_campaign(self) -> Campaign:
        """Begin a campaign to everybody; every fourth has messages of two segments."""
        fresh_connections()
        number = len(self.campaigns) + 1
        text = (LONG if number % 4 == 3 else TEXT) % number
        made = make.sending(
            self.author, self.route, self.rows, text=text, recipient_list_id=self.recipients.pk
        )
        self.campaigns.append(made)
        self.decisions.update(["campaign.submit", "campaign.approve", "campaign.start"])
        return made

    @property
    def campaign_ids(self) -> list[int]:
        return [campaign.pk for campaign in self.campaigns]

    def finish(self, seconds: float) -> None:
        """Let everything be sent as fast as it goes, and poll until all is settled."""
        fresh_connections()
        statement = "SELECT coalesce(sum(queued + sending + deferred), 0) FROM progress"
        poll(lambda: not self.checker.rows(statement)[0][0], seconds, "something is still open")
        poll(self._is_complete, 30, "a campaign is not completed")

    def _is_complete(self) -> bool:
        running.sweep(timezone.now())
        states = self.checker.rows("SELECT DISTINCT state FROM campaign")
        return {str(row[0]) for row in states} == {"completed"}

    def close(self) -> None:
        """End what the kit itself started."""
        self.watch.close()
        with contextlib.suppress(OSError):
            self.simulator.thaw()
        self.simulator.kill()
        self.proxy.close()


def build_stage(processes: Processes, folder: Path, size: Size) -> Stage:
    """Make everything but the sender. The caller has opened a scope for all workspaces."""
    processes.environment |= {
        "LEASE_SECONDS": str(LEASE_SECONDS),
        "LEASE_RENEW_SECONDS": str(LEASE_SECONDS / 12),
    }
    folder.mkdir(parents=True, exist_ok=True)
    certificates = demo_certificates(folder / "certificates")
    simulator = _simulator(folder, 0)
    proxy = Proxy(simulator.port)
    author = make.person_in(make.workspace(), Role.ADMIN)
    open_chain(author.here.uuid, now=timezone.now())
    connections = [
        _connection(proxy, certificates, size, system_id, binds)
        for system_id, binds in zip(("center", "center-2"), BINDS, strict=True)
    ]
    route = make.route(author.here, *connections)
    for one in connections:
        RouteConnection.objects.filter(connection=one).update(weight=one.bind_count)
    people = [{"name": f"Name{index}"} for index in range(size.rows)]
    checker = Checker(
        processes.ground.url("superuser", processes.database), Ledger(simulator.ledger)
    )
    stage = Stage(
        processes=processes,
        folder=folder,
        rate=size.rate,
        rows=size.rows,
        budget=connections[0].budget,
        sessions=sum(BINDS),
        response_seconds=size.patience,
        author=author,
        route=route,
        proxy=proxy,
        simulator=simulator,
        recipients=make.recipient_list(author.here, author.user, people),
        checker=checker,
        watch=Watch(checker.url, checker.ledger),
    )
    processes.prepare("sender")
    processes.prepare("sender", known_as="sender-2")
    return stage


def _connection(
    proxy: Proxy, certificates: DemoCertificates, size: Size, system_id: str, binds: int
) -> Connection:
    """Make a connection with its part of the rate, and a system_id to get its own receipts by."""
    return make.connection(
        host="127.0.0.1",
        port=proxy.port,
        server_name="localhost",
        ca_file=str(certificates.ca),
        cert_file=str(certificates.client_cert),
        key_file=str(certificates.client_key),
        system_id=system_id,
        bind_count=binds,
        rate=size.rate * binds // sum(BINDS),
        window=size.window // sum(BINDS),
        response_seconds=size.patience,
        enquire_seconds=size.patience + 2,
    )


def _simulator(folder: Path, port: int) -> RunningSimulator:
    return start_simulator(
        folder,
        demo_certificates(folder / "certificates"),
        port=port,
        **USUAL,
    )


def fresh_connections() -> None:
    """Let Django connect again at its next statement: the database may have been away."""
    for alias in ("default", "denied"):
        connections[alias].close()


def now() -> float:
    """Return Unix time, as the ledger has it."""
    return time.time()
