"""Which campaigns may claim on a connection now, and how much each wants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from math import inf
from typing import Any

from campaigns.models import Mode
from campaigns.queries.plans import PlanRow, plan_of
from smpp_client.engine.link import Link
from smpp_client.rules.pace import Anchor, Demand, Due, Plan, PlanRefused, Priority, due

CANDIDATES = """
SELECT c.id, c.workspace_id, c.priority, c.text, c.version, c.total,
       c.mode, c.starts_at, c.ends_at, c.started_at, c.approved_at, c.created_at, c.daily_from,
       c.daily_until, c.zone, c.segment_total, c.rate_ceiling, c.runtime_rate,
       p.cursor, p.claimed_segments, p.paced_from_at, p.paced_from_segments, p.deferred,
       r.value, r.ton, r.npi, a.id, a.decided_by_id, a.digest, a.signature,
       (SELECT count(*) FROM (
            SELECT 1 FROM queued_segment q
            WHERE q.campaign_id = c.id AND q.batch_id IS NULL AND q.not_before_at <= %(now)s
            LIMIT %(room)s) w)
FROM campaign c
JOIN progress p ON p.campaign_id = c.id
JOIN route_connection rc
    ON rc.route_id = c.route_id AND rc.connection_id = %(connection)s AND rc.weight > 0
LEFT JOIN sender_revision r ON r.id = c.sender_revision_id
LEFT JOIN approval a ON a.id = c.approval_id
WHERE c.state = 'sending'
ORDER BY c.id
"""


@dataclass(frozen=True)
class Candidate:
    """A sending campaign as one claim sees it.

    `waiting` counts queued segments whose time has come.
    """

    id: int
    workspace_id: int
    priority: str
    text: str
    version: int
    total: int
    plan_row: PlanRow
    runtime_rate: Decimal | None
    cursor: int
    claimed: int
    anchor: Anchor | None
    deferred: int
    sender: tuple[str, int, int]
    approval: tuple[int, int, bytes, bytes] | None
    waiting: int


@dataclass(frozen=True)
class Wish:
    """What a candidate wants: `due` of its plan (None where the plan cannot be kept) and the demand
    for the shares.
    """

    candidate: Candidate
    plan: Plan | None
    due: Due | None
    demand: Demand

    @property
    def from_cursor(self) -> int:
        """How many segments the plan lets it claim from its cursor."""
        is_spent = self.candidate.cursor >= self.candidate.total
        return 0 if self.due is None or is_spent else self.due.segments


def candidates(link: Link, connection_id: int, now: datetime, room: int) -> list[Candidate]:
    """Return the campaigns that send over a connection, oldest first."""
    values = {"connection": connection_id, "now": now, "room": room}
    rows = link.rows(CANDIDATES, values)
    return [_candidate(row) for row in rows]


def _candidate(fields: Sequence[Any]) -> Candidate:
    paced_from_at, paced_from_segments = fields[20], fields[21]
    return Candidate(
        id=fields[0],
        workspace_id=fields[1],
        priority=fields[2],
        text=fields[3],
        version=fields[4],
        total=fields[5],
        plan_row=PlanRow(*fields[6:17]),
        runtime_rate=fields[17],
        cursor=fields[18],
        claimed=fields[19],
        anchor=Anchor(paced_from_at, paced_from_segments) if paced_from_at else None,
        deferred=fields[22],
        sender=(fields[23] or "", fields[24] or 0, fields[25] or 0),
        approval=(fields[26], fields[27], bytes(fields[28]), bytes(fields[29]))
        if fields[26]
        else None,
        waiting=fields[30],
    )


def wish_of(candidate: Candidate, now: datetime) -> Wish:
    """Return how much of a campaign is due now."""
    try:
        plan = plan_of(candidate.plan_row)
    except PlanRefused:
        plan = None
    owed = None
    if plan is not None and candidate.plan_row.mode != Mode.TRIGGER:
        limit = float(candidate.runtime_rate) if candidate.runtime_rate is not None else inf
        owed = due(
            plan, now.astimezone(UTC), candidate.claimed, anchor=candidate.anchor, limit=limit
        )
    wanted = candidate.waiting + (
        owed.segments if owed is not None and candidate.cursor < candidate.total else 0
    )
    demand = Demand(
        name=candidate.id,
        workspace=candidate.workspace_id,
        wanted=wanted,
        priority=Priority(candidate.priority),
    )
    return Wish(candidate, plan, owed, demand)


def store_anchor(link: Link, wish: Wish) -> None:
    """Keep the instant from which a late plan starts again, so that every process follows the same
    curve.
    """
    if wish.due is None or not wish.due.is_moved:
        return
    link.run(
        "UPDATE progress SET paced_from_at = %s, paced_from_segments = %s WHERE campaign_id = %s",
        [wish.due.anchor.at, round(wish.due.anchor.claimed), wish.candidate.id],
    )
