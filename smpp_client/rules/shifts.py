"""A shift of traffic in steps: weights on the way from one division to another."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

HIGHEST_WEIGHT = 1_000
MOST_STEPS = 20


def weights_at(before: Mapping[str, int], after: Mapping[str, int], percent: int) -> dict[str, int]:
    """Return the weights when `percent` of the way is gone; both name the same connections.

    Between the ends they are in thousandths of the whole, and nobody with a part gets none.
    """
    if percent >= 100:
        return dict(after)
    if percent <= 0:
        return dict(before)
    first, last = sum(before.values()), sum(after.values())
    found: dict[str, int] = {}
    for name, weight in before.items():
        part = (100 - percent) * weight / first + percent * after[name] / last
        found[name] = max(round(part * HIGHEST_WEIGHT / 100), int(part > 0))
    return found


def due_count(begins_at: datetime, step: timedelta, steps: Sequence[int], now: datetime) -> int:
    """Return how many steps should have been made by now, one each `step` from `begins_at` on."""
    if now < begins_at:
        return 0
    return min(len(steps), (now - begins_at) // step + 1)


def are_steps_wrong(steps: Sequence[int]) -> bool:
    """Whether steps do not climb from above 0 to exactly 100 percent."""
    climbs = all(one < after for one, after in pairwise(steps))
    is_whole = bool(steps) and steps[0] > 0 and steps[-1] == 100
    return not (climbs and is_whole and len(steps) <= MOST_STEPS)
