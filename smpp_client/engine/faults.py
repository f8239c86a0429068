"""What a peer does wrong, counted for as long as its slot lives."""

import time

import structlog

# Each of the first is logged, then one in so many seconds: a peer that never does it right must not
# fill the log.
FIRST, EACH_SECONDS = 10, 60.0

log = structlog.get_logger(__name__)


class PeerFaults:
    """Counts the faults of one peer and logs them, with their count."""

    def __init__(self) -> None:
        self.count = 0
        self._logged_at = float("-inf")

    def add(self, connection: str, sentence: str) -> None:
        """Count one; `connection` is the name of the peer's connection."""
        self.count += 1
        now = time.monotonic()
        if self.count <= FIRST or now - self._logged_at >= EACH_SECONDS:
            self._logged_at = now
            log.warning("peer_fault", connection=connection, fault=sentence, count=self.count)
