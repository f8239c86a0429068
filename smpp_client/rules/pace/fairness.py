"""Who gets a connection's room: classes first, then workspaces by weight, then campaigns alike."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from enum import StrEnum
from heapq import heapify, heappop, heapreplace
from math import floor
from typing import Final, NamedTuple


class Priority(StrEnum):
    """The class of a campaign's traffic."""

    TRANSACTIONAL = "transactional"
    OPERATIONAL = "operational"
    PROMOTIONAL = "promotional"


# The first class takes up to this share before anybody else is looked at.
RESERVED: Final = 0.3
CLASS_WEIGHTS: Final[Mapping[Priority, float]] = {
    Priority.TRANSACTIONAL: 8.0,
    Priority.OPERATIONAL: 3.0,
    Priority.PROMOTIONAL: 1.0,
}


class Demand(NamedTuple):
    """What one campaign wants now, in segments. `weight` is its workspace's (above zero)."""

    name: Hashable
    workspace: Hashable
    wanted: float
    priority: Priority = Priority.PROMOTIONAL
    weight: float = 1.0


class _Claim(NamedTuple):
    name: Hashable
    wanted: float
    weight: float


def shares(capacity: float, demands: Sequence[Demand]) -> dict[Hashable, float]:
    """Divide `capacity` segments; nobody gets more than wanted, and nothing wanted is left over.

    What somebody does not want goes to the others by the same weights.
    """
    by_class = {
        priority: [demand for demand in demands if demand.priority is priority]
        for priority in Priority
    }
    given: dict[Hashable, float] = {}
    for priority, room in _class_rooms(capacity, by_class).items():
        given |= _within_class(room, by_class[priority])
    return given


def _class_rooms(
    capacity: float, by_class: Mapping[Priority, Sequence[Demand]]
) -> dict[Priority, float]:
    wanted = {
        priority: sum(demand.wanted for demand in demands) for priority, demands in by_class.items()
    }
    first = Priority.TRANSACTIONAL
    reserved = min(wanted[first], capacity * RESERVED)
    wanted[first] -= reserved
    rooms = _fill(
        capacity - reserved,
        [_Claim(priority, wanted[priority], CLASS_WEIGHTS[priority]) for priority in Priority],
    )
    return {
        priority: rooms[priority] + (reserved if priority is first else 0.0)
        for priority in Priority
    }


def _within_class(room: float, demands: Sequence[Demand]) -> dict[Hashable, float]:
    groups: dict[Hashable, list[Demand]] = {}
    for demand in demands:
        groups.setdefault(demand.workspace, []).append(demand)
    rooms = _fill(
        room,
        [
            _Claim(workspace, sum(one.wanted for one in group), group[0].weight)
            for workspace, group in groups.items()
        ],
    )
    given: dict[Hashable, float] = {}
    for workspace, group in groups.items():
        given |= _fill(rooms[workspace], [_Claim(one.name, one.wanted, 1.0) for one in group])
    return given


def _fill(capacity: float, claims: Iterable[_Claim]) -> dict[Hashable, float]:
    """Weighted max-min: the most modest for their weight first, the rest share what is left."""
    ordered = sorted(claims, key=lambda claim: claim.wanted / claim.weight)
    left, weight_left = capacity, sum(claim.weight for claim in ordered)
    given: dict[Hashable, float] = {}
    for claim in ordered:
        share = left * claim.weight / weight_left
        given[claim.name] = min(claim.wanted, share)
        left -= given[claim.name]
        weight_left -= claim.weight
    return given


class Fairness:
    """Turns shares into whole segments and remembers the fractions, so that small rooms rotate.

    Credits add up to about zero; a name that wants nothing loses its own.
    """

    def __init__(self) -> None:
        self._credits: dict[Hashable, float] = {}

    def divide(self, capacity: int, demands: Sequence[Demand]) -> dict[Hashable, int]:
        """Return how many segments each name may claim now; together at most `capacity`."""
        wanted = {demand.name: floor(demand.wanted) for demand in demands if demand.wanted >= 1}
        active = [demand for demand in demands if demand.name in wanted]
        given = shares(capacity, active)
        credits_ = {name: self._credits.get(name, 0.0) + given[name] for name in wanted}
        granted = _whole(capacity, credits_, wanted)
        self._credits = {name: credits_[name] - granted[name] for name in wanted}
        return granted

    def passed(self, name: Hashable, count: int) -> None:
        """Charge what a claim took beyond its grant to finish a message; negative gives back."""
        if name in self._credits:
            self._credits[name] -= count


def _whole(
    capacity: int, credits_: Mapping[Hashable, float], wanted: Mapping[Hashable, int]
) -> dict[Hashable, int]:
    """Grant whole segments, highest credit first, and leave no room while somebody wants it."""
    order = sorted(credits_, key=lambda name: credits_[name], reverse=True)
    granted: dict[Hashable, int] = {}
    left = capacity
    for name in order:
        granted[name] = max(min(floor(credits_[name] + 1e-9), wanted[name], left), 0)
        left -= granted[name]
    _fill_up(left, granted, credits_, wanted)
    return granted


def _fill_up(
    left: int,
    granted: dict[Hashable, int],
    credits_: Mapping[Hashable, float],
    wanted: Mapping[Hashable, int],
) -> None:
    """Grant what is left one by one to whoever has the highest credit and still wants it."""
    heap = [
        (granted[name] - credits_[name], place, name)
        for place, name in enumerate(granted)
        if granted[name] < wanted[name]
    ]
    heapify(heap)
    while left > 0 and heap:
        debt, place, name = heap[0]
        granted[name] += 1
        left -= 1
        if granted[name] < wanted[name]:
            heapreplace(heap, (debt + 1, place, name))
        else:
            heappop(heap)
