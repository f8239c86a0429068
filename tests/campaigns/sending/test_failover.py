"""Two connections of one route over the wire: weights, the death of one, the death of both."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from audit.queries.entries import of_object
from audit.rules.events import Obj
from campaigns.models import Campaign, Mode
from smpp_client.models import Connection, RouteConnection
from smpp_client.simulator.ledger import Accepted, texts
from tests import make
from tests.campaigns.sending.wire import Site, progress, wait_bound
from tests.poll import poll
from tests.processes import Processes
from tests.simulator import RunningSimulator, start_simulator

pytestmark = [pytest.mark.processes, pytest.mark.alone]
RATE, SECONDS = 60, 90


@dataclass
class Peer:
    """A second simulator and the connection to it."""

    folder: Path
    connection: Connection
    simulator: RunningSimulator


@pytest.fixture
def peer(wired: Site, tmp_path: Path) -> Iterator[Peer]:
    """A second peer on the route; the first has three parts of the traffic, it has one."""
    folder = tmp_path / "peer"
    folder.mkdir()
    simulator = _start(folder, wired)
    connection = make.connection(
        host="127.0.0.1",
        port=simulator.port,
        server_name="localhost",
        ca_file=wired.connection.ca_file,
        cert_file=wired.connection.cert_file,
        key_file=wired.connection.key_file,
        rate=500,
        window=50,
    )
    RouteConnection.objects.filter(connection=wired.connection).update(weight=3)
    RouteConnection.objects.create(route=wired.route, connection=connection, weight=1)
    made = Peer(folder, connection, simulator)
    yield made
    made.simulator.kill()


def _start(folder: Path, wired: Site, port: int = 0) -> RunningSimulator:
    return start_simulator(
        folder,
        wired.certificates,
        port=port,
        system_id="center",
        password="secret",
        receipt_delay=0.05,
    )


def lines(simulator: RunningSimulator, first: datetime, last: datetime) -> list[Accepted]:
    """Return what a simulator accepted between two instants."""
    return [
        line for line in texts(simulator.ledger) if first.timestamp() <= line.at < last.timestamp()
    ]


def run_for(campaign: Campaign, count: int, seconds: float = 30) -> None:
    """Poll until so many more segments are accepted."""
    before = progress(campaign).submitted_segments
    poll(
        lambda: progress(campaign).submitted_segments >= before + count,
        seconds,
        f"never {count} more",
    )


def state(campaign: Campaign) -> str:
    campaign.refresh_from_db()
    return campaign.state


@pytest.mark.timeout(180)
def test_one_that_dies_gives_its_share_away_and_with_both_dead_the_campaign_waits(
    wired: Site, peer: Peer, processes: Processes
) -> None:
    processes.start("sender")
    wait_bound(wired.connection)
    wait_bound(peer.connection)
    start = timezone.now()
    campaign = make.approved(
        wired.author,
        wired.route,
        rows=RATE * SECONDS,
        mode=Mode.SPREAD,
        starts_at=start + timedelta(seconds=3),
        ends_at=start + timedelta(seconds=3 + SECONDS),
    )
    Campaign.objects.filter(pk=campaign.pk).update(state="sending", started_at=timezone.now())

    # Both are up: three to one.
    run_for(campaign, 8 * RATE)
    now = timezone.now()
    first, second = (len(lines(one, start, now)) for one in (wired.simulator, peer.simulator))
    print(f"split {first}:{second}")
    assert first / (first + second) == pytest.approx(0.75, rel=0.05)

    # The first dies: two seconds later the second carries everything.
    died = timezone.now()
    wired.simulator.kill()
    run_for(campaign, 6 * RATE)
    moved = lines(peer.simulator, died + timedelta(seconds=2), died + timedelta(seconds=5))
    early = lines(peer.simulator, died, died + timedelta(seconds=2))
    print(f"after the death {len(early)} in 2 s, then {len(moved) / 3:.1f}/s of {RATE}")
    assert len(moved) / 3 >= 0.95 * RATE
    assert state(campaign) == "sending"

    # Both are dead: held with the reason, nothing refused.
    peer.simulator.kill()
    died = timezone.now()
    poll(lambda: state(campaign) == "held", 10, "it was not held")
    print(f"held {(timezone.now() - died).total_seconds():.1f} s after the death of both")
    assert campaign.hold_reason == "route_down"
    assert wired.route.name in campaign.hold_sentence

    # One is back: it goes on by itself.
    peer.simulator = _start(peer.folder, wired, port=peer.simulator.port)
    poll(lambda: state(campaign) == "sending", 30, "it does not go on")
    run_for(campaign, 2 * RATE)
    row = progress(campaign)
    assert row.refused == 0
    entries = of_object(campaign.workspace.uuid, Obj("campaign", f"cmp_{campaign.pk}"), limit=9)
    moves = [(entry.op, entry.actor.kind) for entry in entries][:2]
    assert moves == [("campaign.release", "system"), ("campaign.hold", "system")]
    sent = Counter(
        line.destination for one in (wired.simulator, peer.simulator) for line in texts(one.ledger)
    )
    assert max(sent.values()) == 1


# It is bound and answers enquire_link: it refuses all for a fault of its own, or says nothing to a
# segment, and then is well again.
TROUBLES: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({"refuse_destination": [["*", 0x08]]}, {"refuse_destination": []}),
    ({"silent_after": 1}, {"silent_after": 0}),
)


@pytest.mark.timeout(240)
def test_a_backup_carries_while_the_primary_takes_no_segment_and_rests_when_it_is_well(
    wired: Site, peer: Peer, processes: Processes
) -> None:
    Connection.objects.update(rate=RATE, response_seconds=2)
    RouteConnection.objects.filter(connection=peer.connection).update(tier=1)
    processes.start("sender")
    wait_bound(wired.connection)
    wait_bound(peer.connection)
    campaign = make.sending(wired.author, wired.route, rows=RATE * SECONDS)

    def backup_rests() -> bool:
        before = accepted(peer.simulator)
        run_for(campaign, RATE)
        return accepted(peer.simulator) == before

    for trouble, cure in TROUBLES:
        poll(backup_rests, 60, "the backup sends as well")
        failed = timezone.now()
        wired.simulator.control(**trouble)
        wait_accepted(peer.simulator, RATE)
        first = next(line for line in texts(peer.simulator.ledger) if line.at > failed.timestamp())
        print(f"{trouble}: the backup began after {first.at - failed.timestamp():.1f} s")
        # One of the segments that are tried passes.
        wired.simulator.control(**cure)
        wait_accepted(wired.simulator, 2 * RATE)
    poll(backup_rests, 60, "the backup goes on beside it")
    assert progress(campaign).refused == 0
    sent = Counter(
        line.destination for one in (wired.simulator, peer.simulator) for line in texts(one.ledger)
    )
    assert max(sent.values()) == 1


def accepted(simulator: RunningSimulator) -> int:
    """Return how many segments a peer has taken."""
    return simulator.counters()["accepted"]


def wait_accepted(simulator: RunningSimulator, count: int) -> None:
    """Poll until a peer has taken so many more."""
    wanted = accepted(simulator) + count
    poll(lambda: accepted(simulator) >= wanted, 60, f"it does not take {count} more")
