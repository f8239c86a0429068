"""What keeps subscribers' messages well: erased when their time is over, settled when nobody brings
them back.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from audit.actions.record import record
from audit.rules.events import Actor, Obj
from workspaces.models import DEFAULT_REPLY_DAYS, Workspace
from workspaces.queries.access import installation_uuid
from workspaces.scope import scope_everywhere

SWEEP: Final = Actor(kind="system", id="sweep")
# A peer that has not brought a message back by now hardly will: a text stored twice does less harm
# than a new one taken for an old one.
REDELIVERY_HOURS = 24
ROWS_A_TIME = 5_000

SETTLE = "UPDATE inbound_message SET is_settled = true WHERE NOT is_settled AND received_at < %s"
# The row stays, so that counts do not change; nothing in it leads to a person.
ERASE = """
UPDATE inbound_message
SET fingerprint = NULL, number_sealed = NULL, content_sealed = NULL, digest = '', is_settled = true
WHERE id IN (
    SELECT i.id FROM inbound_message i LEFT JOIN workspace w ON w.id = i.workspace_id
    WHERE i.content_sealed IS NOT NULL
      AND i.received_at < %s - make_interval(days => coalesce(w.reply_days, %s))
    ORDER BY i.received_at LIMIT %s)
RETURNING workspace_id
"""


def forget_redeliveries(now: datetime) -> int:
    """Settle what no peer brings back any more; return how many."""
    with scope_everywhere("old messages of all workspaces are settled"), connection.cursor() as one:
        one.execute(SETTLE, [now - timedelta(hours=REDELIVERY_HOURS)])
        return int(one.rowcount)


def erase_replies(now: datetime) -> int:
    """Erase text and number of what each workspace has kept long enough; return how many messages
    and parts.

    What is for no workspace is kept as long as a new workspace keeps its own.
    """
    total = 0
    with scope_everywhere("each workspace keeps replies for its own time"):
        while done := _erase_some(now):
            total += done
    return total


def _erase_some(now: datetime) -> int:
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(ERASE, [now, DEFAULT_REPLY_DAYS, ROWS_A_TIME])
        counts = Counter(workspace_id for (workspace_id,) in cursor.fetchall())
        uuids = dict(Workspace.objects.filter(pk__in=counts).values_list("pk", "uuid"))
        for workspace_id, count in counts.items():
            record(
                "replies.erase",
                workspace=uuids.get(workspace_id) or installation_uuid(),
                actor=SWEEP,
                obj=Obj("inbound_message", "inb_all"),
                now=now,
                diff={"erased": (None, count)},
                why="The time for which replies are kept is over.",
            )
    return counts.total()
