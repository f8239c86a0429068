"""Durable submit by the real sender over mutual TLS, beside smpplib's loop without a database.

BENCH_SEGMENTS is the size of a round.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from campaigns.models import Campaign
from message_center.stack.product import ROOT
from tests.bench.figures import all_of, idle_seconds, median
from tests.bench.lines import Bench, Cpu, bench, middle_rate, wait_until_sent
from tests.ground import Ground

ROUNDS = 3
SEGMENTS = int(os.environ.get("BENCH_SEGMENTS", "20000"))
# How the connection is set up: a window, and an intent budget that leaves room for claims ahead.
# smpplib's loop has the same window.
WINDOW, BUDGET = 1_000, 2_000
# What the gate asks for. A round beside busy neighbours says little by the clock: where no core was
# idle, it is judged by what a segment cost. At this price one core carries 5,000 segments/s with
# their receipts, PostgreSQL and the simulator.
FLOOR = 5_000.0
PRICE = 200e-6
BUSY = 0.05
EXCUSED = (
    f"  Below {FLOOR:,.0f} segments/s, and excused: others left no core idle, and a segment cost no"
    f" more than {PRICE * 1e6:.0f} µs of CPU."
)
DELAY, DELAYED_WINDOW, DELAYED_BUDGET = 0.02, 200, 400
WITHIN = 0.1


@dataclass(frozen=True)
class Round:
    """One round of ours: segments/s in its middle, CPU until the last receipt is applied, and how
    much of the machine's CPU nobody used meanwhile (0 to 1).
    """

    rate: float
    cpu: Cpu
    idle: float

    def is_enough(self) -> bool:
        """Whether the gate opens: fast enough, or slow only for want of CPU."""
        return self.rate >= FLOOR or (self.idle < BUSY and self.cpu.total <= PRICE * SEGMENTS)


def measure(ground: Ground, folder: Path) -> None:
    """Send rounds of ours, then of smpplib's, and print."""
    with bench(ground, folder, budget=BUDGET, **_fast()) as line:
        people = line.audience(SEGMENTS)
        ours = [_ours(line, line.approved(people)) for _round in range(ROUNDS)]
        line.join()
        both = [_ours(line, line.approved(people)) for _round in range(ROUNDS)]
        line.stop_sending()
        plain = [_smpplib(line, WINDOW, SEGMENTS) for _round in range(ROUNDS)]
    _tell(ours, both, plain)
    _measure_delayed(ground, folder / "delayed")


def gate(ground: Ground, folder: Path) -> bool:
    """Send with receipts and say whether it was good enough; the best of three rounds counts."""
    with bench(ground, folder, budget=BUDGET, **_fast()) as line:
        people = line.audience(SEGMENTS)
        for _round in range(ROUNDS):
            done = _ours(line, line.approved(people))
            print(
                f"  {done.rate:,.0f} segments/s; {done.cpu.words(SEGMENTS)}; {done.idle:.0%} idle"
            )
            if done.is_enough():
                if done.rate < FLOOR:
                    print(EXCUSED)
                return True
    return False


def _fast() -> dict[str, int]:
    return {"rate": 100_000, "window": WINDOW, "receipt_window": 5_000}


def _ours(line: Bench, campaign: Campaign) -> Round:
    before, began, idle = line.cpu(), time.time(), idle_seconds()
    line.start(campaign)
    wait_until_sent(campaign, SEGMENTS)
    could = (time.time() - began) * (os.cpu_count() or 1)
    idle_share = (idle_seconds() - idle) / could
    return Round(middle_rate(line.accepted(began)), line.cpu().since(before), idle_share)


def _smpplib(line: Bench, window: int, receipts: int) -> tuple[float, float, float]:
    """Return segments/s, and the CPU seconds of smpplib's process and of the simulator."""
    place, before, began = line.place, line.cpu(), time.time()
    words = [sys.executable, "-m", "tests.bench.smpplib_loop", str(place.simulator.port)]
    words += [str(place.certificates.ca.parent), str(SEGMENTS), str(window), str(receipts)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    rate = middle_rate(line.accepted(began))
    return rate, float(done.stdout), line.cpu().since(before).simulator


def _tell(ours: list[Round], both: list[Round], plain: list[tuple[float, float, float]]) -> None:
    others = [one[0] for one in plain]
    bare, sink = (1e6 * median([one[place] for one in plain]) / SEGMENTS for place in (1, 2))
    print(f"  {SEGMENTS:,} segments a round over mutual TLS, sealed numbers, a receipt each")
    _tell_ours("one sender, durable", ours)
    _tell_ours("two, a bind each", both)
    print(f"  {'smpplib, bare':<20}{median(others):>8,.0f} segments/s   ({all_of(others)})")
    print(f"  {'':<20}client {bare:.0f} + simulator {sink:.0f} µs CPU a segment, no database")
    ratios = [median([one.rate for one in rounds]) / median(others) for rounds in (ours, both)]
    print(f"  {'ours / smpplib':<20}{ratios[0]:>8.2f}, of two senders {ratios[1]:.2f}")


def _tell_ours(what: str, rounds: list[Round]) -> None:
    rates = [one.rate for one in rounds]
    each = Cpu(
        *(median([getattr(one.cpu, name) for one in rounds]) for name in Cpu.__dataclass_fields__)
    )
    print(f"  {what:<20}{median(rates):>8,.0f} segments/s   ({all_of(rates)})")
    print(f"  {'':<20}{each.words(SEGMENTS)}, until its receipt is applied")


def _measure_delayed(ground: Ground, folder: Path) -> None:
    """Compare the rate with what a window allows when every answer takes a while."""
    how = {"rate": 100_000, "window": DELAYED_WINDOW, "delay": DELAY, "receipts": False}
    with bench(ground, folder, budget=DELAYED_BUDGET, **how) as line:
        people = line.audience(SEGMENTS)
        rounds = [_delayed(line, line.approved(people)) for _round in range(ROUNDS)]
        line.stop_sending()
        plain = [_smpplib(line, DELAYED_WINDOW, 0)[0] for _round in range(ROUNDS)]
    rates, held = [one[0] for one in rounds], median([one[1] for one in rounds])
    rate, allowed = median(rates), DELAYED_WINDOW / DELAY
    # What the window allows goes by how long the answers were really held back.
    share = median([one[0] * one[1] / DELAYED_WINDOW for one in rounds])
    kept = "kept" if share >= 1 - WITHIN else "missed"
    print(f"  answers after {DELAY * 1000:.0f} ms, window {DELAYED_WINDOW}, intent budget")
    print(f"  {DELAYED_BUDGET}: {rate:,.0f} segments/s ({all_of(rates)}),")
    print(f"  {rate / allowed:.0%} of {allowed:,.0f}; the answers really took {held * 1e3:.1f} ms:")
    print(f"  {share:.0%} of what the window allows (within {WITHIN:.0%}: {kept})")
    bare = median(plain)
    print(f"  smpplib, bare, the same: {bare:,.0f} ({bare / allowed:.0%}; {all_of(plain)})")


def _delayed(line: Bench, campaign: Campaign) -> tuple[float, float]:
    """Send one round whose answers take a while; return segments/s, and the seconds that the
    simulator really took for an answer.
    """
    began, before = time.time(), line.place.simulator.counters()
    line.start(campaign)
    wait_until_sent(campaign, SEGMENTS, is_delivered=False)
    after = line.place.simulator.counters()
    taken, answers = (after[name] - before[name] for name in ("response_microseconds", "responses"))
    return middle_rate(line.accepted(began)), taken / answers / 1e6
