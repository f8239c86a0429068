"""The scheduler that is the only one: it leads while it holds one lock of the database."""

from typing import Any

import psycopg
import structlog
from celery.beat import PersistentScheduler

from smpp_client.engine.link import Link

BEAT_LOCK = 7_002
STANDBY_SECONDS = 1.0
# Advisory locks count; it is taken again only where the connection that held it is gone.
HOLD = """
SELECT EXISTS (
    SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
        AND classid = 0 AND objid = %(lock)s AND objsubid = 1 AND granted)
    OR pg_try_advisory_lock(%(lock)s)
"""

log = structlog.get_logger(__name__)


class Lead:
    """Whether this beat leads. A lock goes with its connection, so it is looked at each time."""

    def __init__(self) -> None:
        self._link = Link()
        self._is_ours = False

    def is_ours(self) -> bool:
        """Return whether the lock is held, taking it if it is free.

        While the database is away nobody can take it: who led goes on, who stood by does so.
        """
        try:
            is_ours = bool(self._link.rows(HOLD, {"lock": BEAT_LOCK})[0][0])
        except psycopg.Error as error:
            log.warning("beat_lock_not_seen", error=str(error))
            return self._is_ours
        if is_ours is not self._is_ours:
            log.info("beat_leads" if is_ours else "beat_stands_by")
        self._is_ours = is_ours
        return is_ours

    def close(self) -> None:
        """Leave the lock to others."""
        self._link.close()


class SingleScheduler(PersistentScheduler):
    """Sends what is due while it leads; one that stands by takes over when the first is gone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.lead = Lead()
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due and return the seconds until the next look."""
        if not self.lead.is_ours():
            return STANDBY_SECONDS
        return float(super().tick(*args, **kwargs))
