"""Receipts that pour in while a campaign is sent: durable, applied, and what sending keeps.

BENCH_RECEIPTS is how many (20,000; 1,000,000 for the full figure), BENCH_FLOOD_RATE the segments/s
of the campaign that runs beside them (1,000).
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from django.db.models import F

from campaigns.models import Campaign
from smpp_client.models import Connection
from tests.bench.lines import PATIENCE, Bench, bench, wait_until_sent
from tests.campaigns.sending.wire import progress
from tests.ground import Ground

RECEIPTS = int(os.environ.get("BENCH_RECEIPTS", "20000"))
RATE = int(os.environ.get("BENCH_FLOOD_RATE", "1000"))
QUIET_SECONDS = 5.0
# The campaign beside must outlast the receipts: so many seconds of its rate, at least.
LONGEST_SECONDS = 30.0 + RECEIPTS / 8_000


@dataclass(frozen=True)
class Flood:
    """Seconds until all were durable and until all were applied."""

    durable: float
    applied: float
    began: float
    ended: float


def measure(ground: Ground, folder: Path) -> None:
    """Send with all receipts held back, then let them go while the next campaign is sent."""
    with bench(ground, folder, rate=100_000, window=1_000, budget=2_000, receipt_window=0) as line:
        first = line.approved(line.audience(RECEIPTS))
        beside = line.approved(line.audience(int(RATE * (QUIET_SECONDS + LONGEST_SECONDS))))
        line.start(first)
        wait_until_sent(first, RECEIPTS, is_delivered=False)
        _slow_down(line)
        started = time.time()
        line.start(beside)
        time.sleep(QUIET_SECONDS)
        before = line.cpu()
        flood = _let_go(line, first)
        cpu = line.cpu().since(before)
        times = line.accepted(started)
    quiet = _rate(times, started + 1.0, flood.began)
    busy = _rate(times, flood.began, flood.ended)
    print(f"  {RECEIPTS:,} receipts beside a campaign of {RATE:,} segments/s")
    print(f"  durable in {flood.durable:.1f} s: {RECEIPTS / flood.durable:,.0f}/s")
    print(f"  applied in {flood.applied:.1f} s: {RECEIPTS / flood.applied:,.0f}/s")
    print(f"  sending {quiet:,.0f} segments/s before, {busy:,.0f} meanwhile: {busy / quiet:.0%}")
    print(
        f"  CPU seconds: {cpu.sender:.1f} sender, {cpu.database:.1f} PostgreSQL,"
        f" {cpu.simulator:.1f} simulator"
    )


def _slow_down(line: Bench) -> None:
    row = Connection.objects.filter(pk=line.place.connection.pk)
    row.update(rate=RATE, version=F("version") + 1)


def _let_go(line: Bench, first: Campaign) -> Flood:
    began, ends = time.time(), time.monotonic() + PATIENCE
    line.place.simulator.control(receipt_window=5_000)
    durable = 0.0
    while (row := progress(first)).delivered < RECEIPTS:
        # Each is acknowledged when it is durable; those of the campaign beside come after these.
        counters = line.place.simulator.counters()
        if not durable and counters["receipts_acknowledged"] >= RECEIPTS:
            durable = time.time() - began
        assert time.monotonic() < ends, f"applied {row.delivered} of {RECEIPTS}"
        time.sleep(0.1)
    ended = time.time()
    return Flood(durable or ended - began, ended - began, began, ended)


def _rate(times: list[float], since: float, until: float) -> float:
    return sum(since <= at < until for at in times) / (until - since)
