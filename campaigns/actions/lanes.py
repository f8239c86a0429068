"""What waits for the connection of a number range that its route does not have any more."""

from datetime import datetime, timedelta

from django.db import connection, transaction

# Every sender has read the new ranges by then, and hands nothing over by the old ones.
SETTLED = timedelta(seconds=5)
# The numbers are sealed, so after a change anybody claims what waits in the route's lanes and hands
# it over again by the ranges as they are. A row in somebody's hands gets its turn next time.
CLEAR = """
WITH stale AS (
    SELECT c.id AS campaign_id, k.id AS lane_id
    FROM campaign c JOIN route r ON r.id = c.route_id CROSS JOIN connection k
    WHERE c.state IN ('sending', 'paused', 'held')
      AND (r.ranges_changed_at <= %(until)s OR NOT EXISTS (
          SELECT 1 FROM route_range g WHERE g.route_id = r.id AND g.connection_id = k.id))
), found AS (
    SELECT q.id FROM stale s
    JOIN queued_segment q ON q.campaign_id = s.campaign_id AND q.lane_id = s.lane_id
    WHERE q.batch_id IS NULL
    FOR UPDATE OF q SKIP LOCKED
)
UPDATE queued_segment q SET lane_id = NULL FROM found WHERE q.id = found.id
"""
CLEARED = "UPDATE route SET ranges_changed_at = NULL WHERE ranges_changed_at <= %(until)s"


def clear_lanes(now: datetime) -> int:
    """Let go over any connection what no range keeps for one any more; return how many segments.

    The caller sees all workspaces. Doing it twice changes nothing.
    """
    values = {"until": now - SETTLED}
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(CLEAR, values)
        count = int(cursor.rowcount)
        cursor.execute(CLEARED, values)
    return count
