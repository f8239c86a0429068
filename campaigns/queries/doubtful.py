"""What may have been sent after the backup that this database was restored from."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from workspaces.models import Installation
from workspaces.rules.epochs import Epoch

# The epoch advances once a second; a claim may have been under way on both sides.
UNCERTAIN = timedelta(seconds=5)

CAMPAIGNS = """
SELECT c.id, w.name, c.number, c.name, p.total - p.cursor,
    (SELECT count(*) FROM queued_segment q WHERE q.campaign_id = c.id AND q.batch_id IS NULL),
    (SELECT coalesce(sum(n.rate), 0) FROM route_connection rc
        JOIN connection n ON n.id = rc.connection_id WHERE rc.route_id = c.route_id)
FROM campaign c
JOIN workspace w ON w.id = c.workspace_id
JOIN progress p ON p.campaign_id = c.id
WHERE c.deleted_at IS NULL AND p.queued + p.deferred > 0
  AND (c.state IN ('approved', 'sending', 'paused', 'held')
       OR (c.state = 'scheduled' AND c.starts_at <= %s))
ORDER BY c.id
"""

UNDECIDED = """
SELECT w.name, c.number, c.name FROM campaign c JOIN workspace w ON w.id = c.workspace_id
WHERE c.deleted_at IS NULL AND c.state IN ('ready', 'in_review') ORDER BY c.id
"""


@dataclass(frozen=True)
class Doubtful:
    """A campaign that may have gone on after the backup.

    `waiting` messages are beyond its cursor, of which `most` can have been sent; `queued` segments
    wait outside of it.
    """

    campaign_id: int
    workspace: str
    number: int
    name: str
    waiting: int
    most: int
    queued: int


@dataclass(frozen=True)
class Undecided:
    """A campaign that waited for its approval at the backup, and may have had it since."""

    workspace: str
    number: int
    name: str


def undecided() -> list[Undecided]:
    """Return those that somebody would approve without a second thought, and send a second time.
    Needs scope_everywhere.
    """
    with connection.cursor() as cursor:
        cursor.execute(UNDECIDED)
        return [Undecided(*row) for row in cursor.fetchall()]


def gap(installation: Installation, kept: Epoch | None, now: datetime) -> timedelta | None:
    """Return for how long the lost database can have been sending, None where nobody knows.

    Without a believable file that is until now.
    """
    if installation.epoch_at is None:
        return None
    last = kept.at if kept is not None and kept.installation == installation.uuid else now
    return max(last - installation.epoch_at, timedelta(0)) + UNCERTAIN


def doubtful(installation: Installation, kept: Epoch | None, now: datetime) -> list[Doubtful]:
    """Return every campaign that may have gone on. Needs scope_everywhere.

    No connection sends faster than its rate, and no message has less than one segment: that bounds
    what can have been sent.
    """
    lasted = gap(installation, kept, now)
    with connection.cursor() as cursor:
        cursor.execute(CAMPAIGNS, [now])
        rows = cursor.fetchall()
    found = []
    for pk, workspace, number, name, waiting, queued, rate in rows:
        can = waiting if lasted is None else math.ceil(lasted.total_seconds() * rate)
        found.append(Doubtful(pk, workspace, number, name, waiting, min(waiting, can), queued))
    return found
