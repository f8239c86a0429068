"""Campaigns whose rows somebody else holds: left alone for a while, so that others go on."""

from datetime import datetime

FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0


class Locked:
    """Which campaigns are left alone, in seconds of the caller's clock. Used by one thread."""

    def __init__(self) -> None:
        # By campaign: since when, and for how long.
        self._found: dict[int, tuple[float, float]] = {}

    def found(self, campaign: int, now: datetime) -> None:
        """Leave a campaign alone, twice as long as the last time."""
        _since, wait = self._found.get(campaign, (0.0, FIRST_WAIT / 2))
        self._found[campaign] = (now.timestamp(), min(LONGEST_WAIT, 2 * wait))

    def passed(self, campaign: int) -> None:
        """It is free again."""
        self._found.pop(campaign, None)

    def has(self, campaign: int, now: datetime) -> bool:
        """Whether it is left alone now; a clock that steps ends that."""
        since, wait = self._found.get(campaign, (0.0, 0.0))
        return abs(now.timestamp() - since) < wait
