"""Which campaigns may claim on a connection now, and how much each wants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import inf
from typing import Any

from campaigns.models import Mode
from campaigns.queries.plans import PlanRow, plan_of
from smpp_client.engine.link import Link
from smpp_client.engine.routing import Way
from smpp_client.rules.pace import (
    PATIENCE,
    URGENT_PATIENCE,
    Anchor,
    Demand,
    Due,
    Plan,
    PlanRefused,
    Priority,
    Ration,
    due,
)
from smpp_client.rules.segments import MAX_PARTS, Alphabet

# As many segments of a campaign may wait for the connections of their number ranges; beyond that
# the others wait for them.
MOST_IN_LANES = 5_000

CANDIDATES = """
SELECT c.id, c.workspace_id, c.priority, c.text, c.version, c.total,
       c.mode, c.starts_at, c.ends_at, c.started_at, c.approved_at, c.created_at, c.daily_from,
       c.daily_until, c.zone, c.segment_total, c.rate_ceiling, c.runtime_rate,
       p.cursor, p.claimed_segments, p.paced_from_at, p.paced_from_segments, p.deferred,
       r.value, r.ton, r.npi, a.id, a.decided_by_id, a.digest, a.signature,
       (SELECT coalesce(sum(w.segments), 0) FROM (
            SELECT CASE WHEN q.part = 0 THEN q.part_count ELSE 1 END AS segments
            FROM queued_segment q
            WHERE q.campaign_id = c.id AND q.batch_id IS NULL AND q.not_before_at <= %(now)s
              AND may_take(%(connection)s, q.lane_id, q.position, q.not_before_at, way.place_from,
                  way.place_upto,
                  CASE WHEN c.priority = 'transactional' THEN way.urgent ELSE way.late END)
            LIMIT %(room)s) w),
       w.weight,
       CASE WHEN way.has_ranges THEN (SELECT count(*) FROM (
            SELECT 1 FROM queued_segment q
            WHERE q.campaign_id = c.id AND q.batch_id IS NULL AND q.lane_id IS NOT NULL
            LIMIT %(most_in_lanes)s) l) ELSE 0 END,
       way.place, c.run_request_id, c.alphabet
FROM unnest(%(routes)s::bigint[], %(from)s::bigint[], %(upto)s::bigint[], %(late)s::timestamptz[],
        %(urgent)s::timestamptz[], %(ranged)s::boolean[])
    WITH ORDINALITY AS way(route_id, place_from, place_upto, late, urgent, has_ranges, place)
JOIN campaign c ON c.route_id = way.route_id
JOIN progress p ON p.campaign_id = c.id
JOIN workspace w ON w.id = c.workspace_id
LEFT JOIN sender_revision r ON r.id = c.sender_revision_id
LEFT JOIN approval a ON a.id = c.approval_id
WHERE c.state = 'sending'
ORDER BY c.priority = 'transactional' DESC, c.id
"""


@dataclass(frozen=True)
class Candidate:
    """A sending campaign as one claim sees it.

    `waiting` counts queued segments whose time has come and that this connection may take, at most
    its room; `in_lanes` those of it that wait for the connections of their number ranges.
    `request_id` is the request that set it going, `alphabet` what its segments were counted for.
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
    weight: int
    in_lanes: int
    way: Way
    request_id: str
    alphabet: Alphabet


@dataclass(frozen=True)
class Wish:
    """What a candidate wants: `due` of its plan (None where the plan cannot be kept), how much of
    that this connection takes from the cursor, and the demand for the shares.
    """

    candidate: Candidate
    plan: Plan | None
    due: Due | None
    from_cursor: int
    demand: Demand

    @property
    def is_left_to_others(self) -> bool:
        """Whether all that is due now is the turn of other connections of the route."""
        return self.demand.wanted == 0 and self.due is not None and self.due.segments > 0


def candidates(link: Link, ways: Sequence[Way], now: datetime, room: int) -> list[Candidate]:
    """Return the campaigns that send over one connection, urgent ones first, then the oldest.

    `ways` are its routes. Raises psycopg.Error.
    """
    if not ways:
        return []
    values = {
        "connection": ways[0].connection,
        "now": now,
        "room": room,
        "routes": [way.route for way in ways],
        "from": [way.share.start for way in ways],
        "upto": [way.share.stop for way in ways],
        "late": [late_before(way, Priority.PROMOTIONAL, now) for way in ways],
        "urgent": [late_before(way, Priority.TRANSACTIONAL, now) for way in ways],
        "ranged": [bool(way.ranges) for way in ways],
        "most_in_lanes": MOST_IN_LANES,
    }
    return [_candidate(row, ways) for row in link.rows(CANDIDATES, values)]


def late_before(way: Way, priority: Priority, now: datetime) -> datetime | None:
    """Return since when a waiting segment has to be due so that it is no other's turn any more.

    None for a connection that takes nothing but its own number ranges.
    """
    if not way.share.part:
        return None
    patience = URGENT_PATIENCE if priority is Priority.TRANSACTIONAL else PATIENCE
    return now - timedelta(seconds=patience)


def _candidate(fields: Sequence[Any], ways: Sequence[Way]) -> Candidate:
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
        weight=fields[31],
        in_lanes=fields[32],
        way=ways[fields[33] - 1],
        request_id=fields[34],
        alphabet=Alphabet(fields[35]),
    )


def wish_of(candidate: Candidate, ration: Ration, now: datetime) -> Wish:
    """Return how much of a campaign is due now, and how much of that is this connection's."""
    plan, owed = _owed(candidate, now)
    from_cursor = 0
    if plan is not None and owed is not None and _may_go_on(candidate):
        part = candidate.way.share.part
        from_cursor = ration.wanted(
            owed.segments, candidate.claimed, part, owed.rate, now.timestamp()
        )
    demand = Demand(
        name=candidate.id,
        workspace=candidate.workspace_id,
        wanted=candidate.waiting + from_cursor,
        priority=Priority(candidate.priority),
        weight=float(candidate.weight),
    )
    return Wish(candidate, plan, owed, from_cursor, demand)


def _owed(candidate: Candidate, now: datetime) -> tuple[Plan | None, Due | None]:
    try:
        plan = plan_of(candidate.plan_row)
    except PlanRefused:
        return None, None
    if candidate.plan_row.mode == Mode.TRIGGER:
        return plan, None
    limit = float(candidate.runtime_rate) if candidate.runtime_rate is not None else inf
    return plan, due(
        plan,
        now.astimezone(UTC),
        candidate.claimed,
        anchor=candidate.anchor,
        limit=limit,
        longest=MAX_PARTS,
    )


def _may_go_on(candidate: Candidate) -> bool:
    """Whether anything is left behind the cursor that this connection may read."""
    is_spent = candidate.cursor >= candidate.total
    return not is_spent and candidate.way.share.part > 0 and candidate.in_lanes < MOST_IN_LANES


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
