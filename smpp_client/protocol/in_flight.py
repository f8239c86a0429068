"""What was submitted and is not answered: sequence numbers, timers, the window."""

from collections import deque
from enum import StrEnum
from typing import Final, NamedTuple

from smpp_client.carrier import Segment
from smpp_client.rules.pace.throttles import CUT

MAX_SEQUENCE: Final = 0x7FFFFFFF
LATE_MEMORY: Final = 10_000  # segments whose answer may still come after their timer


class Own(StrEnum):
    """A request of ours about the session itself."""

    BIND = "bind"
    ENQUIRE = "enquire_link"
    UNBIND = "unbind"


class Waiting(NamedTuple):
    """A segment without an answer. `number` is its place in the order of writing."""

    segment: Segment
    submitted_at: float
    number: int


class InFlight:
    """Our open requests by sequence number: segments in the order of writing, and our own.

    A segment's timer starts when the transport takes its last octet: what waits in our own buffer
    is not the peer's delay.
    """

    def __init__(self, last_sequence: int = 0) -> None:
        self.waiting: dict[int, Waiting] = {}
        self.late: dict[int, Segment] = {}
        self.own: dict[int, Own] = {}
        self._last = last_sequence
        self._marks: deque[tuple[int, float]] = deque()  # up to this number taken, and when

    def next_sequence(self) -> int:
        """Return a number from 1 to 0x7fffffff that is not in use, in turn."""
        while True:
            self._last = 1 if self._last >= MAX_SEQUENCE else self._last + 1
            number = self._last
            if number not in self.waiting and number not in self.late and number not in self.own:
                return number

    def mark_taken(self, number: int, now: float) -> None:
        """Note that segments up to this number were taken now."""
        if not self._marks or self._marks[-1][0] < number:
            self._marks.append((number, now))

    def overdue(self, timeout: float, now: float) -> list[Segment]:
        """Take out the segments whose timer ran out; their late answers stay known."""
        overdue: list[Segment] = []
        while (started := self._oldest_start()) is not None and now >= started + timeout:
            sequence = next(iter(self.waiting))
            segment = self.waiting.pop(sequence).segment
            overdue.append(segment)
            self._remember(sequence, segment)
        return overdue

    def next_overdue(self, timeout: float) -> float | None:
        """Return when the next timer runs out."""
        started = self._oldest_start()
        return None if started is None else started + timeout

    def take_after(self, number: int) -> list[Waiting]:
        """Take out what comes after this number in the order of writing."""
        after = [sequence for sequence, one in self.waiting.items() if one.number > number]
        return [self.waiting.pop(sequence) for sequence in after]

    def empty(self) -> list[Waiting]:
        """Take everything out, in the order of writing."""
        waiting = list(self.waiting.values())
        self.waiting.clear()
        return waiting

    def _oldest_start(self) -> float | None:
        if not self.waiting:
            self._forget_marks()
            return None
        number = next(iter(self.waiting.values())).number
        while self._marks and self._marks[0][0] < number:
            self._marks.popleft()
        return self._marks[0][1] if self._marks else None

    def _forget_marks(self) -> None:
        while len(self._marks) > 1:  # the newest still tells what comes twice
            self._marks.popleft()

    def _remember(self, sequence: int, segment: Segment) -> None:
        self.late[sequence] = segment
        if len(self.late) > LATE_MEMORY:
            del self.late[next(iter(self.late))]


class Window:
    """How many segments may be unanswered: at most `limit`, fewer while the peer complains.

    Answers to what was written before the last cut do not cut again.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._size = float(limit)
        self._cut_after = 0

    @property
    def size(self) -> int:
        """The window now."""
        return int(self._size)

    @property
    def is_shrunk(self) -> bool:
        """Whether the peer's complaints still count."""
        return self._size < self.limit

    def set_limit(self, limit: int) -> None:
        """Change the most that the window grows to."""
        self._size = min(self._size, float(limit)) if self.is_shrunk else float(limit)
        self.limit = limit

    def shrink(self, number: int, newest: int) -> None:
        """Cut for the complaint about one segment; `newest` is the last that was written."""
        if number > self._cut_after:
            self._size = max(self._size * CUT, 1.0)
            self._cut_after = newest

    def grow(self) -> None:
        """Climb by one for each window that was accepted."""
        self._size = min(self._size + 1.0 / self._size, float(self.limit))
