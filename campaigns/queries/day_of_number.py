"""What a workspace sent to one number on one day."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import connection

from campaigns.queries.finding import MOST, Hit, hits_of
from campaigns.queries.message_rows import Key
from workspaces.models import Workspace

ON_DAY = """
SELECT DISTINCT m.frozen_on, m.campaign_id, m.position FROM message m
JOIN submission s ON s.campaign_id = m.campaign_id AND s.position = m.position
    AND s.batch_on >= m.frozen_on
WHERE m.workspace_id = %s AND m.fingerprint = %s AND s.happened_at >= %s AND s.happened_at < %s
ORDER BY m.frozen_on DESC, m.campaign_id DESC, m.position DESC LIMIT %s
"""


def span_of(day: date, zone: str) -> tuple[datetime, datetime]:
    """Return the beginning of a day in a zone, and of the next."""
    begin = datetime.combine(day, time(), ZoneInfo(zone))
    return begin, datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))


def sent_on(workspace: Workspace, fingerprint: bytes, day: date, zone: str) -> list[Hit]:
    """Return messages to a number of which an attempt ended on that day, newest campaigns first.

    At most MOST: nobody gets more from one workspace on one day.
    """
    since, until = span_of(day, zone)
    with connection.cursor() as cursor:
        cursor.execute(ON_DAY, [workspace.pk, fingerprint, since, until, MOST])
        found = [Key(*row) for row in cursor.fetchall()]
    return hits_of(workspace, found, with_deleted=True)
