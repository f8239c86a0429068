"""The simulator's ledger, read on from where the last look ended, kept as numbers only.

A million lines must fit, so a line becomes two integers, its time and its session.
"""

import itertools
from array import array
from bisect import bisect_right
from pathlib import Path


class Ledger:
    """What the SMSC accepted so far. `twice` holds (destination, message id) of every segment that
    was accepted a second time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.twice: list[tuple[str, str]] = []
        self.destinations: dict[str, int] = {}
        self.at = array("d")
        self.sessions = array("L")
        self._seen: set[int] = set()
        self._offset = 0

    def __len__(self) -> int:
        return len(self.at)

    def read_on(self) -> int:
        """Read what is new; return how many segments were accepted altogether."""
        if not self.path.exists():
            return 0
        with self.path.open("rb") as file:
            file.seek(self._offset)
            octets = file.read()
        end = octets.rfind(b"\n") + 1
        self._offset += end
        for line in octets[:end].decode().splitlines():
            self._take(line)
        return len(self.at)

    def _take(self, line: str) -> None:
        at, message_id, source, destination, _coding, _esm, text, session, *_ = line.split("\t")
        mark = hash((source, destination, text))
        if mark in self._seen:
            self.twice.append((destination, message_id))
        self._seen.add(mark)
        self.destinations[message_id] = int(destination)
        self.at.append(float(at))
        self.sessions.append(int(session))

    def first_after(self, at: float) -> float | None:
        """Return the time of the first segment accepted after this Unix time."""
        place = bisect_right(self.at, at)
        return self.at[place] if place < len(self.at) else None

    def count_after(self, at: float, *, session: int | None = None) -> int:
        """Count what was accepted after this Unix time, on one session or on all."""
        place = bisect_right(self.at, at)
        if session is None:
            return len(self.at) - place
        return sum(1 for each in self.sessions[place:] if each == session)

    def sessions_between(self, start: float, end: float) -> set[int]:
        """Return the sessions that accepted anything within these Unix times."""
        return set(self.sessions[bisect_right(self.at, start) : bisect_right(self.at, end)])

    def longest_gap(self, start: float, end: float) -> float:
        """Return the longest time between two accepted segments within these Unix times."""
        first, last = bisect_right(self.at, start), bisect_right(self.at, end)
        times = [start, *self.at[first:last], end]
        return max(after - before for before, after in itertools.pairwise(times))

    def busiest_second(self, without: list[tuple[float, float]]) -> int:
        """Return the most segments within any one second that touches none of these times."""
        most, first = 0, 0
        for last, at in enumerate(self.at):
            while at - self.at[first] >= 1.0:
                first += 1
            if last - first + 1 > most and not _touches(self.at[first], at, without):
                most = last - first + 1
        return most


def _touches(start: float, end: float, times: list[tuple[float, float]]) -> bool:
    return any(start < until and begun < end for begun, until in times)
