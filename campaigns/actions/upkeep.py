"""What keeps the tables well: partitions ahead, receipts given up, old answers and observations
forgotten.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from smpp_client.models import ConnectionEvent
from workspaces.models import IdempotentRequest
from workspaces.scope import scope_everywhere

ROWS_A_TIME = 5_000
# Longer than any client retries; a campaign's own end may come later, its idempotency need not.
REQUEST_DAYS = 14
# The chart of a trigger shows one day; of any other campaign it shows the whole course, for ever.
SAMPLE_DAYS = 7
EVENT_DAYS = 400
OLD_SAMPLES = """
DELETE FROM rate_sample s USING campaign c
WHERE c.mode = 'trigger' AND s.campaign_id = c.id AND s.second < %s
"""


def give_up_receipts(now: datetime) -> int:
    """Mark accepted messages whose receipt did not come in time; return how many."""
    before = now - timedelta(hours=settings.RECEIPT_WAIT_HOURS)
    total = 0
    with scope_everywhere("receipts are given up in all workspaces"):
        while done := _call("SELECT give_up_receipts(%s, %s)", [before, ROWS_A_TIME]):
            total += done
    return total


def ensure_partitions(now: datetime) -> int:
    """Make the partitions of this month and the next where they are missing; return how many."""
    return sum(
        _call("SELECT ensure_partitions(%s)", [day])
        for day in (now.date(), (now + timedelta(days=31)).date())
    )


def forget_requests(now: datetime) -> int:
    """Delete answers to create calls that are older than REQUEST_DAYS; return how many."""
    with scope_everywhere("old answers are forgotten in all workspaces"):
        old = IdempotentRequest.objects.filter(created_at__lt=now - timedelta(days=REQUEST_DAYS))
        return old.delete()[0]


def forget_observations(now: datetime) -> int:
    """Delete the seconds of triggers that no chart shows any more, and what happened on connections
    more than EVENT_DAYS ago; return how many rows.
    """
    before = now - timedelta(days=SAMPLE_DAYS)
    with scope_everywhere("old observations are forgotten in all workspaces"):
        with connection.cursor() as cursor:
            cursor.execute(OLD_SAMPLES, [int(before.timestamp())])
            samples = int(cursor.rowcount)
        old = ConnectionEvent.objects.filter(happened_at__lt=now - timedelta(days=EVENT_DAYS))
        return samples + old.delete()[0]


def _call(statement: str, values: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return int(row[0])
