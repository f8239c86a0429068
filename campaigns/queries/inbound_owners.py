"""Whom a subscriber's message is for, and whom else a STOP in it concerns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from campaigns.rules.subscribers import spellings
from smpp_client.rules.addresses import Address

# A STOP to an address that is not one workspace's own counts where the number was sent to so
# lately; triggers send for up to a year after their audience was opened.
LATELY_DAYS = 30
OLDEST_AUDIENCE_DAYS = 400

OWNERS = """
SELECT ltrim(r.value, '+') AS value, r.workspace_id, bool_or(EXISTS (
    SELECT 1 FROM route_grant g JOIN route_connection c ON c.route_id = g.route_id
    WHERE g.workspace_id = r.workspace_id AND c.connection_id = %s)) AS uses_it
FROM sender_revision r
WHERE ltrim(r.value, '+') = ANY(%s) AND r.state IN ('approved', 'replaced')
GROUP BY 1, 2
"""
SENT_LATELY = """
SELECT w.id FROM workspace w WHERE EXISTS (
    SELECT 1 FROM message m
    JOIN submission s ON s.campaign_id = m.campaign_id AND s.position = m.position
        AND s.batch_on >= m.frozen_on AND s.batch_on >= %(since)s::date
    WHERE m.workspace_id = w.id AND m.fingerprint = %(fingerprint)s AND m.frozen_on >= %(oldest)s
      AND s.connection_id = %(connection)s AND s.happened_at >= %(since)s
      AND s.kind IN ('submitted', 'unknown'))
"""


@dataclass(frozen=True)
class Owners:
    """The workspaces that have an address as a sender name, in use or replaced since.

    `sole` is the one that a message to it is for: the only one whose routes use the connection.
    """

    all: frozenset[int] = frozenset()
    sole: int | None = None


def owners_of(connection_id: int, addresses: Sequence[Address]) -> Mapping[str, Owners]:
    """Return who has each of these addresses, by its value; needs to see every workspace."""
    spelled = {one.value: spellings(one, settings.DEFAULT_COUNTRY) for one in addresses}
    with connection.cursor() as cursor:
        cursor.execute(OWNERS, [connection_id, sorted(frozenset().union(*spelled.values()))])
        rows = cursor.fetchall()
    return {value: _owners(rows, mine) for value, mine in spelled.items()}


def _owners(rows: Sequence[tuple[str, int, bool]], spelled: frozenset[str]) -> Owners:
    mine = [row for row in rows if row[0] in spelled]
    using = {workspace_id for _value, workspace_id, uses_it in mine if uses_it}
    return Owners(
        all=frozenset(workspace_id for _value, workspace_id, _uses_it in mine),
        sole=next(iter(using)) if len(using) == 1 else None,
    )


def senders_to(fingerprint: bytes, connection_id: int, now: datetime) -> frozenset[int]:
    """Return the workspaces that sent to a number over a connection within LATELY_DAYS."""
    values: dict[str, Any] = {
        "connection": connection_id,
        "fingerprint": fingerprint,
        "since": now - timedelta(days=LATELY_DAYS),
        "oldest": (now - timedelta(days=OLDEST_AUDIENCE_DAYS)).date(),
    }
    with connection.cursor() as cursor:
        cursor.execute(SENT_LATELY, values)
        return frozenset(int(row[0]) for row in cursor.fetchall())
