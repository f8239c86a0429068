"""How the connections of a route divide its traffic: tiers first, then weights, nothing waiting.

Nobody is asked and nothing is shared but the rows: each connection takes its own part of what has
come due, and what stays although it is due goes to whoever has room.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, inf, isinf
from typing import Final

# What stays due for longer than this is not taken by those whose turn it is: they are slow or gone.
PATIENCE: Final = 0.08  # seconds
URGENT_PATIENCE: Final = 0.03  # and of the first class
# What a connection may owe, for whole messages and for what others left lying, or be owed beyond
# what is due, in segments.
DEBT: Final = 10.0
# Places of a route are told in billionths, as the database counts them.
PLACES: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Member:
    """A connection of a route. Tier 0 is primary; a weight of 0 takes no new traffic."""

    connection: int
    weight: int
    tier: int
    is_up: bool


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a route that is a connection's now: from `start` to `stop` of PLACES.

    `is_backup` says that a connection of a lower tier is up, so that nothing is its own.
    """

    start: int
    stop: int
    is_backup: bool = False

    @property
    def part(self) -> float:
        """The share as a fraction."""
        return (self.stop - self.start) / PLACES


WHOLE: Final = Share(0, PLACES)
NOTHING: Final = Share(0, 0)


def share_of(connection: int, members: Iterable[Member]) -> Share:
    """Return the share of a connection that asks, which is up therefore."""
    taking = sorted(
        (
            member
            for member in members
            if member.weight > 0 and (member.is_up or member.connection == connection)
        ),
        key=lambda member: member.connection,
    )
    own = next((member for member in taking if member.connection == connection), None)
    if own is None:
        return NOTHING
    first = min(member.tier for member in taking)
    if own.tier > first:
        return Share(0, 0, is_backup=True)
    tier = [member for member in taking if member.tier == first]
    total = sum(member.weight for member in tier)
    before = sum(member.weight for member in tier if member.connection < connection)
    return Share(PLACES * before // total, PLACES * (before + own.weight) // total)


class Ration:
    """One connection's part of what comes due of one campaign, over time.

    The curve of what is due climbs for all; a connection earns its part of each climb and takes
    that, so that the parts add up without anybody counting them. `now` is in seconds of any clock.
    """

    def __init__(self) -> None:
        self._earned = 0.0
        self._height = -1
        self._climbed_at = inf
        self._claimed = -1
        self._claimed_at = inf

    def wanted(self, due: int, claimed: int, part: float, rate: float, now: float) -> int:
        """Return how many of the `due` segments this connection may take.

        `claimed` counts what all connections took so far, `rate` is the plan's. A rate without end
        leaves it to the connections' own rates.
        """
        climbed = self._look(due, claimed, now)
        if part >= 1 or isinf(rate):
            self._earned = 0.0
            return due
        # What others took meanwhile, while this one was away, is not owed any more.
        self._earned = min(self._earned + part * climbed, due + DEBT)
        own = min(due, max(floor(self._earned + 1e-9), 0))
        return max(own, self._left_lying(due, rate, now))

    def took(self, count: int) -> None:
        """Charge what was taken."""
        self._earned = max(self._earned - count, -DEBT)

    def _look(self, due: int, claimed: int, now: float) -> int:
        """Note what has moved since the last look; return how far the curve climbed."""
        height = due + claimed
        before = self._height if self._height >= 0 else claimed
        if height != self._height or due == 0 or now < self._climbed_at:
            self._height, self._climbed_at = height, now
        if claimed != self._claimed or due == 0 or now < self._claimed_at:
            self._claimed, self._claimed_at = claimed, now
        return max(height - before, 0)

    def _left_lying(self, due: int, rate: float, now: float) -> int:
        """Return how much of what is due is so for too long: nobody takes any, or no more comes
        and it is still there, or it is more than comes due in that time.
        """
        if now - min(self._climbed_at, self._claimed_at) >= PATIENCE:
            return due
        return max(due - floor(1 + rate * PATIENCE), 0)
