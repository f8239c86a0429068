"""Medians, and the CPU seconds of processes that we only watch, that nobody used or that were
taken from us.
"""

import os
import statistics
from collections.abc import Sequence
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def median(values: Sequence[float]) -> float:
    """Return the median of what three rounds gave."""
    return statistics.median(values)


def all_of(values: Sequence[float]) -> str:
    """Return every round's figure, so that a reader sees how much they differ."""
    return ", ".join(f"{value:,.0f}" for value in values)


def cpu_seconds(root: int) -> float:
    """Return the CPU seconds so far of a process, its living descendants and its dead children."""
    processes = {
        int(entry.name): entry for entry in Path("/proc").iterdir() if entry.name.isdigit()
    }
    stats = {pid: found for pid, entry in processes.items() if (found := _stat(entry))}
    family, grows = {root}, True
    while grows:
        young = {pid for pid, stat in stats.items() if int(stat[1]) in family} - family
        family |= young
        grows = bool(young)
    # utime and stime, and those of children that were waited for.
    return sum(sum(map(int, stats[pid][11:15])) for pid in family if pid in stats) / TICKS


def idle_seconds() -> float:
    """Return the seconds that the cores of this machine were idle so far, all together."""
    fields = _machine()
    return (fields[3] + fields[4]) / TICKS  # idle, and waiting for a disk


class Taken:
    """What a virtual machine's host gave to others since this was made: time that no program of
    ours had, and that every figure by the clock counts.
    """

    def __init__(self) -> None:
        self._before = _machine()

    def said(self) -> str:
        """Return a line; 0 % on a machine of its own."""
        passed = [now - then for now, then in zip(_machine(), self._before, strict=True)]
        return f"Meanwhile the host took {passed[7] / max(sum(passed), 1):.0%} of the CPU."


def _machine() -> list[int]:
    """Return the ticks of all cores: user, nice, system, idle, iowait, irq, softirq, steal."""
    words = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return [int(word) for word in words[1:9]]


def _stat(entry: Path) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on; nothing when the process has gone."""
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
