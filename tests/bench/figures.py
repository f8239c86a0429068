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
    return sum(_ticks()[3:5]) / TICKS  # idle, and waiting for a disk


def taken_seconds() -> float:
    """Return the seconds that a virtual machine's host gave to others so far: no program of ours
    had them, and every figure by the clock counts them.
    """
    return _ticks()[7] / TICKS


def _ticks() -> list[int]:
    """Return the ticks of all cores: user, nice, system, idle, iowait, irq, softirq, steal."""
    words = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    return [int(word) for word in words[1:9]]


def _stat(entry: Path) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on; nothing when the process has gone."""
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
