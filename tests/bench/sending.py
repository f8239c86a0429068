"""Durable submit by the real sender over mutual TLS, beside smpplib's loop without a database."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
from django.utils import timezone

from campaigns.actions import running
from campaigns.models import Campaign
from message_center.stack.product import ROOT
from smpp_client.simulator.ledger import read
from tests import make
from tests.bench.figures import all_of, cpu_seconds, median
from tests.campaigns.sending.wire import Site, progress, site, wait_bound
from tests.ground import SHARED, Ground
from tests.processes import Processes
from workspaces.scope import scope_everywhere

ROUNDS = 3
SEGMENTS = int(os.environ.get("BENCH_SEGMENTS", "8000"))
WINDOW, PLAIN_WINDOW = 500, 200
PATIENCE = 120.0


@dataclass(frozen=True)
class Run:
    """One round: segments/s in the middle of the run, CPU seconds from start to last receipt."""

    rate: float
    ours: float
    simulator: float
    database: float = 0.0


def measure(ground: Ground, folder: Path) -> None:
    """Run both in turn, three times, and print."""
    with scope_everywhere("the bench looks at everything"):
        place = site(folder / "wire", rate=100_000, window=WINDOW, receipt_window=5_000)
        processes = Processes(ground, SHARED, folder / "data")
        try:
            pairs = _pairs(place, processes)
        finally:
            processes.stop()
            place.simulator.stop()
    _tell([ours for ours, _plain in pairs], [plain for _ours, plain in pairs])


def _pairs(place: Site, processes: Processes) -> list[tuple[Run, Run]]:
    people = [{"name": f"Name{index}"} for index in range(SEGMENTS)]
    made = make.recipient_list(place.author.here, place.author.user, people)
    name = make.sender(place.author.here, "Bench")
    fields = {"recipient_list_id": made.pk, "sender_id": name.pk}
    pairs = []
    for _round in range(ROUNDS):
        campaign = make.approved(place.author, place.route, **fields)
        pairs.append((_ours(place, processes, campaign), _smpplib(place)))
    return pairs


def _ours(place: Site, processes: Processes, campaign: Campaign) -> Run:
    """Send one approved campaign with a sender that is bound before it starts."""
    sender = processes.start("sender")
    wait_bound(place.connection)
    postmaster = _postmaster(processes.ground)
    watched = (sender.pid, place.simulator.process.pid, postmaster)
    before = [cpu_seconds(pid) for pid in watched]
    rate = _rate_of(place, lambda: _send(place, campaign))
    used = [cpu_seconds(pid) - was for pid, was in zip(watched, before, strict=True)]
    sender.term()
    return Run(rate, *used)


def _send(place: Site, campaign: Campaign) -> None:
    running.start(number=campaign.number, by=place.author, now=timezone.now())
    ends = time.monotonic() + PATIENCE
    while progress(campaign).delivered < SEGMENTS:
        assert time.monotonic() < ends, f"not delivered: {progress(campaign).delivered}"
        time.sleep(0.2)


def _smpplib(place: Site) -> Run:
    before = cpu_seconds(place.simulator.process.pid)
    used: list[float] = []
    rate = _rate_of(place, lambda: used.append(_loop(place)))
    return Run(rate, used[0], cpu_seconds(place.simulator.process.pid) - before)


def _loop(place: Site) -> float:
    words = [sys.executable, "-m", "tests.bench.smpplib_loop", str(place.simulator.port)]
    words += [str(place.certificates.ca.parent), str(SEGMENTS), str(PLAIN_WINDOW)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    return float(done.stdout)


def _rate_of(place: Site, send: Callable[[], object]) -> float:
    """Return segments/s between the tenth and the ninetieth percent, by the simulator's clock."""
    began = time.time()
    send()
    times = sorted(line.at for line in read(place.simulator.ledger) if line.at >= began)
    assert len(times) == SEGMENTS, f"the simulator accepted {len(times)} of {SEGMENTS}"
    first, last = SEGMENTS // 10, SEGMENTS * 9 // 10
    return (last - first) / (times[last] - times[first])


def _postmaster(ground: Ground) -> int:
    """Return the process id of PostgreSQL's first process as we see it."""
    assert ground.postgres.running is not None
    with psycopg.connect(ground.url("superuser", SHARED)):
        return ground.postgres.running.pid


def _tell(ours: list[Run], plain: list[Run]) -> None:
    a, b = (median([run.rate for run in runs]) for runs in (ours, plain))
    print(f"  {SEGMENTS:,} segments a round over one TLS session, receipts on")
    print(f"  ours, durable   {a:>8,.0f} segments/s   ({all_of([run.rate for run in ours])})")
    print(f"  smpplib, bare   {b:>8,.0f} segments/s   ({all_of([run.rate for run in plain])})")
    print(f"  ours / smpplib  {a / b:>8.2f}")
    print("  CPU seconds of a round until the last receipt is applied:")
    print(f"    ours          {_cpu(ours)}")
    print(f"    smpplib       {_cpu(plain)}")


def _cpu(runs: list[Run]) -> str:
    client, simulator, database = (
        median([getattr(run, name) for run in runs]) for name in ("ours", "simulator", "database")
    )
    return f"client {client:.2f}, simulator {simulator:.2f}, PostgreSQL {database:.2f}"
