"""What measuring the sending needs: a site, an audience, a sender, and who used which CPU."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.utils import timezone

from campaigns.actions import running
from campaigns.models import Campaign, RecipientList
from smpp_client.models import Connection, SessionStatus
from smpp_client.simulator.ledger import read
from tests import make
from tests.bench.figures import cpu_seconds
from tests.campaigns.sending.wire import Site, progress, site, wait_bound
from tests.ground import SHARED, Ground
from tests.poll import poll
from tests.processes import Handle, Processes
from workspaces.scope import scope_everywhere

PATIENCE = 600.0
WHO = ("sender", "PostgreSQL", "simulator")


@dataclass(frozen=True)
class Cpu:
    """CPU seconds by process; the simulator is one of its own."""

    sender: float
    database: float
    simulator: float

    @property
    def total(self) -> float:
        """All together."""
        return self.sender + self.database + self.simulator

    def since(self, before: "Cpu") -> "Cpu":
        """Return what was used since `before`."""
        return Cpu(
            self.sender - before.sender,
            self.database - before.database,
            self.simulator - before.simulator,
        )

    def words(self, count: int) -> str:
        """Return microseconds for each of `count` segments, by process and together."""
        each = [1e6 * used / count for used in (self.sender, self.database, self.simulator)]
        parts = [f"{who} {used:.0f}" for who, used in zip(WHO, each, strict=True)]
        return f"{' + '.join(parts)} = {sum(each):.0f} µs CPU a segment"


@dataclass
class Bench:
    """A bound sender over mutual TLS to a simulator in a process of its own; a second one may join,
    with a bind of its own.
    """

    place: Site
    processes: Processes
    senders: list[Handle]
    postmaster: int

    def cpu(self) -> Cpu:
        """Return the CPU seconds of all three so far."""
        return Cpu(
            sum(cpu_seconds(sender.pid) for sender in self.senders),
            cpu_seconds(self.postmaster),
            cpu_seconds(self.place.simulator.process.pid),
        )

    def join(self) -> None:
        """Give the connection another bind, and start the sender that takes it."""
        binds = len(self.senders) + 1
        bound = SessionStatus.objects.filter(lease__connection=self.place.connection, state="bound")
        Connection.objects.filter(pk=self.place.connection.pk).update(bind_count=binds)
        self.senders.append(self.processes.start("sender", known_as=f"sender{binds}"))
        owners = bound.values_list("lease__owner", flat=True)
        poll(lambda: len(set(owners.all())) == binds, 60, "not each has a session of its own")

    def stop_sending(self) -> None:
        """Let all senders end: a second client of the account would take receipts of another."""
        for sender in self.senders:
            sender.term()

    def audience(self, count: int) -> RecipientList:
        """Make a list of so many people, their numbers sealed."""
        people = [{"name": f"Name{index}"} for index in range(count)]
        return make.recipient_list(self.place.author.here, self.place.author.user, people)

    def approved(self, people: RecipientList) -> Campaign:
        """Make an approved campaign to them."""
        place = self.place
        name = make.sender(place.author.here)
        fields = {"recipient_list_id": people.pk, "sender_id": name.pk}
        return make.approved(place.author, place.route, **fields)

    def start(self, campaign: Campaign) -> None:
        """Start a campaign."""
        running.start(number=campaign.number, by=self.place.author, now=timezone.now())

    def accepted(self, since: float) -> list[float]:
        """Return when the simulator accepted segments, from Unix time `since` on, in order."""
        return sorted(line.at for line in read(self.place.simulator.ledger) if line.at >= since)


@contextmanager
def bench(ground: Ground, folder: Path, *, budget: int = 0, **how: Any) -> Iterator[Bench]:
    """Start a simulator and a sender that is bound to it; `how` is of `tests...wire.site`."""
    # One folder for every part: a sender that does not find its marks of this database beside it
    # takes the database for a restored one and sends nothing.
    processes = Processes(ground, SHARED, ground.folder / "bench")
    with scope_everywhere("the bench looks at everything"):
        place = site(folder / "wire", check_every=1_000, **how)
        if budget:
            Connection.objects.filter(pk=place.connection.pk).update(intent_budget=budget)
        try:
            sender = processes.start("sender")
            wait_bound(place.connection)
            yield Bench(place, processes, [sender], postmaster(ground))
        finally:
            processes.stop()
            place.simulator.stop()
            Connection.objects.filter(pk=place.connection.pk).update(is_enabled=False)


def wait_until_sent(campaign: Campaign, count: int, *, is_delivered: bool = True) -> None:
    """Poll until so many messages have their receipt, or at least their answer."""
    ends = time.monotonic() + PATIENCE
    while True:
        row = progress(campaign)
        done = row.delivered if is_delivered else row.delivered + row.submitted
        if done >= count:
            return
        assert time.monotonic() < ends, f"{done} of {count}"
        time.sleep(0.1)


def middle_rate(times: list[float]) -> float:
    """Return segments/s between the tenth and the ninetieth percent."""
    first, last = len(times) // 10, len(times) * 9 // 10
    return (last - first) / (times[last] - times[first])


def postmaster(ground: Ground) -> int:
    """Return the process id of PostgreSQL's first process as we see it."""
    assert ground.postgres.running is not None
    with psycopg.connect(ground.url("superuser", SHARED)):
        return ground.postgres.running.pid
