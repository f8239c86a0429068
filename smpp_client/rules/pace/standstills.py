"""What a partner that refuses nearly everything makes of a link: single segments, tried now and
then, until one passes.
"""

from dataclasses import dataclass, replace
from typing import Final, Self

GAIN: Final = 1 / 16  # what one answer weighs: eleven refusals in a row are most of the last
MOST: Final = 0.5
AFTER_A_PASS: Final = 0.25
CALM: Final = 0.05
LONGEST: Final = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Standstill:
    """Whether a link stands still.

    `share` is the part of the last answers that were refusals, weighed by age, `count` how many
    pauses there were since the link was calm, `until` the end of the last one in monotonic seconds.
    """

    is_on: bool = False
    share: float = 0.0
    count: int = 0
    until: float = float("-inf")

    def answered(self, now: float, *, written_at: float, shortest: float) -> Self:
        """Return the standstill after an answer to what was written at `written_at`.

        `shortest` is 0 for a segment that passed, and for a refusal the first pause in seconds;
        each that follows is twice as long. What was written before a pause ended says nothing new.
        """
        if written_at < self.until:
            return self
        if not shortest:
            return self._passed()
        share = self.share + GAIN * (1 - self.share)
        if not self.is_on and share <= MOST:
            return replace(self, share=share)
        pause = min(LONGEST, shortest * 2**self.count)
        return replace(self, is_on=True, share=share, count=self.count + 1, until=now + pause)

    def room(self, in_flight: int, now: float) -> float:
        """Return how many more segments may be written: one at a time after a pause."""
        if not self.is_on:
            return float("inf")
        return 0 if now < self.until else max(0, 1 - in_flight)

    def _passed(self) -> Self:
        if self.is_on:
            return replace(self, is_on=False, share=AFTER_A_PASS)
        if not self.share:
            return self
        share = (1 - GAIN) * self.share
        return replace(self, share=share) if share >= CALM else type(self)()


FLOWING: Final = Standstill()
