"""The rows behind what diagnostics found. Needs scope_everywhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from smpp_client.models import SessionStatus

# A batch closes when every segment has its answer: response times count in seconds.
OLD_BATCH = timedelta(minutes=2)


@dataclass(frozen=True)
class OldBatch:
    """An intent that has been waiting for outcomes for too long."""

    batch_id: int
    workspace: str
    slug: str
    number: int
    connection: str
    open_count: int
    opened_at: datetime
    is_fenced: bool


@dataclass(frozen=True)
class WrongCount:
    """A campaign whose counts do not add up."""

    workspace: str
    slug: str
    number: int
    counted: int
    total: int


OLD_BATCHES = """
SELECT b.id, w.name, w.slug, c.number, n.name, b.open_count, b.opened_at, b.epoch < l.epoch
FROM batch b
JOIN campaign c ON c.id = b.campaign_id
JOIN workspace w ON w.id = b.workspace_id
JOIN connection n ON n.id = b.connection_id
JOIN lease l ON l.id = b.lease_id
WHERE b.closed_at IS NULL AND b.opened_at < %s
ORDER BY b.opened_at, b.id LIMIT 100
"""
WRONG_COUNTS = """
SELECT * FROM (
    SELECT w.name, w.slug, c.number,
           p.queued + p.suppressed + p.sending + p.submitted + p.deferred + p.refused + p.unknown
               + p.delivered + p.undelivered + p.expired + p.cancelled + p.no_receipt AS counted,
           CASE WHEN c.mode = 'trigger' THEN p.total ELSE c.total END AS total
    FROM progress p
    JOIN campaign c ON c.id = p.campaign_id
    JOIN workspace w ON w.id = c.workspace_id
    WHERE c.deleted_at IS NULL) t
WHERE counted <> total ORDER BY slug, number LIMIT 100
"""


def old_batches(now: datetime) -> list[OldBatch]:
    """Return batches that are open for more than two minutes, the oldest first; 100 at most.

    One that is fenced waits for the new owner of its lease to settle it.
    """
    with connection.cursor() as cursor:
        cursor.execute(OLD_BATCHES, [now - OLD_BATCH])
        return [OldBatch(*row) for row in cursor.fetchall()]


def wrong_counts() -> list[WrongCount]:
    """Return campaigns whose states do not add up to their total; 100 at most."""
    with connection.cursor() as cursor:
        cursor.execute(WRONG_COUNTS)
        return [WrongCount(*row) for row in cursor.fetchall()]


def sessions() -> list[SessionStatus]:
    """Return every bind slot as its owner saw it last, by connection."""
    rows = SessionStatus.objects.select_related("lease__connection")
    return list(rows.order_by("lease__connection__name", "lease__slot"))
