"""Moments in which this machine ran nothing at all, seen by a process that only looks at the clock.

What the product itself is late with does not hold up such a process: its own faults are not
excused by it.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from message_center.stack.product import ROOT
from tests.poll import poll

LOOK_SECONDS: Final = 0.005
LONG: Final = 0.05
# What was late by one comes in until so long after it.
AFTER: Final = 0.25
# So much of what is measured has to be left, or nothing is said by it.
ENOUGH: Final = 0.7


class Standstill(NamedTuple):
    """From when until when nothing ran, in seconds of the epoch: time.time()."""

    since: float
    until: float


def is_hit(still: Sequence[Standstill], since: float, until: float) -> bool:
    """Say whether one of these falls into this time, or what was late by it."""
    return any(one.since < until and since < one.until + AFTER for one in still)


def seconds_lost(still: Sequence[Standstill], since: float, until: float) -> float:
    """Return how much of this time they took."""
    return sum(max(0.0, min(one.until, until) - max(one.since, since)) for one in still)


def require_enough(judged: float, of: float) -> None:
    """Fail the test where too little can be judged: what is excused has a bound."""
    assert judged >= ENOUGH * of, "The machine stood still too often to measure anything."


class Witness:
    """Keeps what one process has seen."""

    def __init__(self, pid: int, seen: Path) -> None:
        self.pid = pid
        self._seen = seen

    def all(self) -> list[Standstill]:
        """Return those seen so far, in order."""
        lines = self._seen.read_text().splitlines(keepends=True)
        pairs = (line.split() for line in lines[1:] if line.endswith("\n"))
        return [Standstill(float(since), float(until)) for since, until in pairs]


@contextmanager
def witness(folder: Path) -> Iterator[Witness]:
    """Have a process look on from now until the end."""
    told = folder / "standstills"
    with told.open("wb") as to:
        looking = subprocess.Popen([sys.executable, "-m", "tests.standstills"], stdout=to, cwd=ROOT)
    seen = Witness(looking.pid, told)
    try:
        poll(lambda: told.stat().st_size, 30, "it does not look")
        yield seen
    finally:
        looking.terminate()
        looking.wait()


def look() -> None:
    """Print a line when it begins, then each standstill as it ends."""
    print(flush=True)
    last = time.time()
    while True:
        time.sleep(LOOK_SECONDS)
        now = time.time()
        if now - last > LONG + LOOK_SECONDS:
            print(last, now, flush=True)
        last = now


if __name__ == "__main__":
    look()
