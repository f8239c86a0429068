"""The cap of one connection: never more in any second than its rate and one message."""

from collections import deque
from math import floor
from typing import Final

BURST: Final = 0.02  # seconds of rate that may go at once after there was nothing to send
STALL: Final = 0.2  # seconds of rate that a stall does not lose while there is something to send
SLOT: Final = 0.001  # seconds: how finely the last second is remembered


class Bucket:
    """A token bucket with the last second on record.

    The tokens even the flow out, the record keeps the promise: in any second at most `rate` and one
    message. `now` is monotonic seconds. Ask `room`, then `spend` what is taken; a whole message may
    pass the room by its further parts.
    """

    def __init__(self, rate: float, now: float) -> None:
        self.rate = rate
        self._tokens = 1.0
        self._at = now
        self._is_hungry = False
        self._offered = 0
        self._slots: deque[list[int]] = deque()  # [slot number, segments]
        self._last_second = 0
        self._slack = 1

    def set_rate(self, rate: float, now: float, *, is_part: bool = False) -> None:
        """Change the rate from now on; zero stops.

        Where the rate is one part of several, the one message more is left out: the parts add up.
        """
        self._refill(now)
        self.rate = rate
        self._slack = 0 if is_part and rate >= 1 else 1
        self._tokens = min(self._tokens, self._capacity())

    def room(self, now: float) -> int:
        """Return how many segments may be written now."""
        if self._offered:
            self._is_hungry = False  # what was offered last was not wanted
        self._offered = self._available(now)
        return self._offered

    def spend(self, count: int, now: float) -> None:
        """Take segments out."""
        self._is_hungry = count >= self._offered
        self._offered = 0
        self._tokens -= count
        self._last_second += count
        slot = floor(now / SLOT)
        if self._slots and self._slots[-1][0] >= slot:
            self._slots[-1][1] += count
        else:
            self._slots.append([slot, count])

    def assume_spent(self, count: int, now: float) -> None:
        """Count a second's worth as gone: whoever sent before us may have used it just now."""
        self._refill(now)
        self._tokens = min(self._tokens, 1.0)
        self._slots = deque([[floor(now / SLOT), count]])
        self._last_second = count

    def give_back(self, count: int) -> None:
        """Put back what was spent and not written."""
        self._tokens = min(self._tokens + count, self._capacity())
        left = count
        while left > 0 and self._slots:
            newest = self._slots[-1]
            taken = min(left, newest[1])
            newest[1] -= taken
            left -= taken
            self._last_second -= taken
            if newest[1] == 0:
                self._slots.pop()

    def ready_in(self, now: float) -> float:
        """Return the seconds until there is room for one segment; infinite when stopped."""
        if self.rate <= 0:
            return float("inf")
        if self._available(now) > 0:
            return 0.0
        for_token = (1.0 - self._tokens) / self.rate
        for_record = 0.0
        if self._slots and self._last_second >= self._cap():
            for_record = (self._slots[0][0] + 1) * SLOT + 1.0 - now
        return max(for_token, for_record, SLOT)

    def _available(self, now: float) -> int:
        self._refill(now)
        self._forget(now)
        under_cap = self._cap() - self._last_second if self.rate > 0 else 0
        return max(min(floor(self._tokens + 1e-9), under_cap), 0)

    def _cap(self) -> int:
        """Return the most that may go in any second."""
        return floor(self.rate + 1e-9) + self._slack

    def _capacity(self) -> float:
        return max(1.0, self.rate * (STALL if self._is_hungry else BURST))

    def _refill(self, now: float) -> None:
        passed = max(now - self._at, 0.0)
        self._at = max(now, self._at)
        self._tokens = min(self._tokens + passed * self.rate, self._capacity())

    def _forget(self, now: float) -> None:
        """Drop slots that lie wholly more than a second back."""
        oldest = floor((now - 1.0) / SLOT)
        while self._slots and self._slots[0][0] < oldest:
            self._last_second -= self._slots.popleft()[1]
