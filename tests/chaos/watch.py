"""A look at the counts every second, from a thread and a connection of its own, during faults too.

While the database is away there is nothing to see, and that is counted. A line a minute says how
it goes, so that a run that is cut off has told its figures.
"""

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.invariants import CONSERVED
from tests.chaos.ledger import Ledger

EVERY_SECONDS = 1.0
MINUTE = 60.0
STARTED_MEBIBYTES = 60.0
IN_FLIGHT = """
SELECT lease_id, epoch, sum(open_count) FROM batch WHERE closed_at IS NULL GROUP BY 1, 2
"""
SO_FAR = """
SELECT coalesce(sum(total), 0)::bigint, coalesce(sum(delivered), 0)::bigint,
    coalesce(sum(unknown), 0)::bigint, coalesce(sum(queued + sending + deferred), 0)::bigint
FROM progress
"""


@dataclass
class Watch:
    """Looks until `close`. `faults` says what did not hold, `memory` is MiB of each process watched
    at each look, `most_open` the highest sum of claimed segments without an outcome under one
    epoch of a lease. `suffered` is how many faults there were so far.
    """

    url: str
    ledger: Ledger
    looks: int = 0
    blind: int = 0
    most_open: int = 0
    faults: list[str] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    pid: int = 0
    suffered: int = 0

    def __post_init__(self) -> None:
        self._began = self._told = time.monotonic()
        self._weighed = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        self._thread.join(10)

    def _run(self) -> None:
        link: psycopg.Connection[Any] | None = None
        while not self._ended.wait(EVERY_SECONDS):
            self._weigh()
            try:
                if link is None or link.closed:
                    link = psycopg.connect(self.url, autocommit=True, connect_timeout=2)
                self._look(link)
            except psycopg.Error:
                self.blind += 1
                link = None
        if link is not None:
            link.close()

    def _look(self, link: psycopg.Connection[Any]) -> None:
        for campaign, total, added, _unknown in link.execute(CONSERVED).fetchall():
            if total != added:
                self.faults.append(f"campaign {campaign}: {added} of {total}")
        opened = [int(row[2]) for row in link.execute(IN_FLIGHT).fetchall()]
        self.most_open = max(self.most_open, *opened, 0)
        self.looks += 1
        if time.monotonic() - self._told >= MINUTE:
            self._tell(link)

    def _tell(self, link: psycopg.Connection[Any]) -> None:
        """Say how it goes. The ledger is another thread's, so what it has read lags a little."""
        self._told = time.monotonic()
        total, delivered, unknown, moving = link.execute(SO_FAR).fetchall()[0]
        lately, self._weighed = self.memory[self._weighed :], len(self.memory)
        weight = f"{min(lately):.0f} to {max(lately):.0f}" if lately else "?"
        print(
            f"  minute {(self._told - self._began) / MINUTE:.0f}: {self.suffered} faults,"
            f" {len(self.ledger):,} accepted, {len(self.ledger.twice)} twice; of {total:,} messages"
            f" {delivered:,} delivered, {unknown:,} unknown, {moving:,} still to go; counts did not"
            f" add up {len(self.faults)} times; sender {weight} MiB",
            flush=True,
        )

    def _weigh(self) -> None:
        # A process that has just begun or just died says nothing about the sender's memory.
        if self.pid and (mebibytes := resident(self.pid)) > STARTED_MEBIBYTES:
            self.memory.append(mebibytes)


def resident(pid: int) -> float:
    """Return the resident memory of a process in MiB, 0 when it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = [line.split()[1] for line in text.splitlines() if line.startswith("VmRSS:")]
    return int(found[0]) / 1024 if found else 0
