"""How often each key calls. Every process counts for itself: the limit keeps one caller from taking
a process from all others; what may be sent a day is the campaign's own cap, in the database.
"""

import threading
import time
from collections import OrderedDict

from campaigns.rules.api_rates import CallBucket, Left

MOST_KEYS = 10_000


class CallLimits:
    """The buckets of this process, by key; the least used ones are forgotten, which fills them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buckets: OrderedDict[tuple[int, int], CallBucket] = OrderedDict()

    def take(self, key_id: int, per_minute: int) -> Left:
        """Count one call of a key."""
        now = time.monotonic()
        with self._lock:
            place = key_id, per_minute
            bucket = self._buckets.setdefault(place, CallBucket(per_minute, now))
            self._buckets.move_to_end(place)
            if len(self._buckets) > MOST_KEYS:
                self._buckets.popitem(last=False)
            return bucket.take(now)


CALLS = CallLimits()
