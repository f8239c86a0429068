"""Attempts that nobody knows about: where, when, over which connection, and why.

Newest first, a page at a time. A place in the list is one number (batch, position, part), so that
an address and a cursor can carry it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from campaigns.queries.message_rows import masked
from workspaces.models import Workspace

PAGE = 50
POSITION_BITS, PART_BITS = 48, 8
MOST_COUNTED = 10_000

# An attempt that was to be made again and has no successor is unknown still.
IS_UNKNOWN = """(s.kind = 'unknown' OR (s.kind = 'resent'
    AND NOT EXISTS (
        SELECT 1 FROM submission l
        WHERE l.campaign_id = s.campaign_id AND l.position = s.position AND l.part = s.part
          AND l.batch_on >= s.batch_on AND l.batch_id > s.batch_id)
    AND NOT EXISTS (
        SELECT 1 FROM queued_segment q
        WHERE q.campaign_id = s.campaign_id AND q.position = s.position
          AND q.part IN (0, s.part))))"""
WANTED = f"""
FROM submission s
JOIN campaign c ON c.id = s.campaign_id AND c.deleted_at IS NULL
WHERE (s.kind = 'unknown' OR s.kind = 'resent') AND {IS_UNKNOWN}
  AND (%(workspace)s::bigint IS NULL OR s.workspace_id = %(workspace)s)
  AND (%(campaign)s::integer IS NULL OR c.number = %(campaign)s)
  AND (%(connection)s::bigint IS NULL OR s.connection_id = %(connection)s)
"""
ROWS = """
SELECT s.batch_id, s.position, s.part, s.part_count, s.cause, s.happened_at, b.opened_at, n.name,
       c.number, c.name, w.id, w.slug, w.name, r.number_sealed, v.value,
       (SELECT count(*) FROM submission e
        WHERE e.campaign_id = s.campaign_id AND e.position = s.position AND e.part = s.part
          AND e.batch_id <= s.batch_id)
FROM (
    SELECT s.* {wanted}
      AND (%(batch)s = 0 OR (s.batch_id, s.position, s.part) < (%(batch)s, %(position)s, %(part)s))
    ORDER BY s.batch_id DESC, s.position DESC, s.part DESC LIMIT %(limit)s) s
JOIN campaign c ON c.id = s.campaign_id
JOIN workspace w ON w.id = s.workspace_id
JOIN batch b ON b.id = s.batch_id
JOIN message m ON m.frozen_on = c.frozen_on AND m.campaign_id = c.id AND m.position = s.position
LEFT JOIN connection n ON n.id = s.connection_id
LEFT JOIN recipient r ON r.id = m.recipient_id
LEFT JOIN sender_revision v ON v.id = c.sender_revision_id
ORDER BY s.batch_id DESC, s.position DESC, s.part DESC
""".replace("{wanted}", WANTED)
COUNT = "SELECT count(*) FROM (SELECT 1 {wanted} LIMIT %(most)s) t".replace("{wanted}", WANTED)
CAMPAIGNS = """
SELECT c.number, c.name, count(*) {wanted}
GROUP BY c.number, c.name, c.id ORDER BY c.number DESC LIMIT 50
""".replace("{wanted}", WANTED)
CONNECTIONS = """
SELECT n.id, n.name, t.count FROM (
    SELECT s.connection_id, count(*) {wanted} GROUP BY s.connection_id) t
JOIN connection n ON n.id = t.connection_id ORDER BY n.name
""".replace("{wanted}", WANTED)


@dataclass(frozen=True)
class Asked:
    """Which are wanted; None and 0 leave it open. `workspace` None is every workspace."""

    workspace: int | None
    campaign: int | None = None
    connection: int | None = None
    before: int = 0
    limit: int = PAGE


@dataclass(frozen=True)
class Unknown:
    """One attempt of one segment without an answer.

    `intended_at` is when its intent was committed, `unknown_at` when it was given up, `attempt`
    counts the attempts of this part. `place` is where it stands in the list.
    """

    place: int
    position: int
    part: int
    part_count: int
    cause: str
    intended_at: datetime
    unknown_at: datetime
    connection: str
    campaign_number: int
    campaign_name: str
    workspace_slug: str
    workspace_name: str
    sender: str
    number: str
    attempt: int

    @property
    def campaign(self) -> str:
        """The campaign as people write it."""
        return f"C-{self.campaign_number}"


@dataclass(frozen=True)
class UnknownPage:
    """A page, and the place that its next one lies behind (0: there is none)."""

    rows: Sequence[Unknown]
    after: int


def page_of_unknowns(asked: Asked) -> UnknownPage:
    """Return what was asked for."""
    rows = _run(ROWS, replace(asked, limit=asked.limit + 1))
    found = [_unknown(row) for row in rows[: asked.limit]]
    return UnknownPage(found, found[-1].place if len(rows) > asked.limit else 0)


def all_unknowns(asked: Asked) -> Iterator[Unknown]:
    """Yield everything that was asked for, a page at a time."""
    while True:
        page = page_of_unknowns(asked)
        yield from page.rows
        if not page.after:
            return
        asked = replace(asked, before=page.after)


def count_unknowns(asked: Asked) -> int:
    """Return how many there are, at most MOST_COUNTED."""
    return int(_run(COUNT, asked)[0][0])


def campaigns_with_unknowns(workspace: Workspace) -> list[tuple[int, str, int]]:
    """Return (number, name, segments) of campaigns that have any, newest first."""
    return [(row[0], row[1], row[2]) for row in _run(CAMPAIGNS, Asked(workspace.pk))]


def connections_with_unknowns(asked: Asked) -> list[tuple[int, str, int]]:
    """Return (id, name, segments) of connections that have any, by name."""
    wanted = Asked(asked.workspace, asked.campaign)
    return [(row[0], row[1], row[2]) for row in _run(CONNECTIONS, wanted)]


def _run(statement: str, asked: Asked) -> list[Any]:
    batch = asked.before >> (POSITION_BITS + PART_BITS)
    values = {
        "workspace": asked.workspace,
        "campaign": asked.campaign,
        "connection": asked.connection,
        "batch": batch,
        "position": (asked.before >> PART_BITS) & ((1 << POSITION_BITS) - 1),
        "part": asked.before & ((1 << PART_BITS) - 1),
        "limit": asked.limit,
        "most": MOST_COUNTED,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _unknown(row: Any) -> Unknown:
    batch, position, part, part_count, cause, unknown_at, intended_at, peer = row[:8]
    number, name, workspace, slug, workspace_name, sealed, sender, attempt = row[8:]
    return Unknown(
        place=(batch << (POSITION_BITS + PART_BITS)) | (position << PART_BITS) | part,
        position=position,
        part=part,
        part_count=part_count,
        cause=cause or _("no answer"),
        intended_at=intended_at,
        unknown_at=unknown_at,
        connection=peer or "",
        campaign_number=number,
        campaign_name=name,
        workspace_slug=slug,
        workspace_name=workspace_name,
        sender=sender or "",
        number=masked(sealed, workspace),
        attempt=attempt,
    )
