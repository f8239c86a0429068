"""The messages of a campaign by state, a page at a time, with what became of each in words.

A state is derived from a message's parts (`message_states` in the database), so a page is found in
two steps: an index gives positions that may be in the state, the function says which are. No step
looks at more than a few thousand rows, whatever the size of the campaign.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from campaigns.models import Campaign, Mode
from campaigns.queries.message_rows import Key, Shown, masked, shown, states_of
from campaigns.rules.message_states import MessageState

PAGE = 50
# Positions that one look at an index of frequent rows may pass, and looks for one page.
STRIDE = 5_000
LOOKS = 4
MANY = 1_000
S = MessageState
# What may be in a state, by an index; %(after)s is the last position that was looked at.
FROM_SUBMISSIONS = """
SELECT DISTINCT position FROM submission
WHERE campaign_id = %(campaign)s AND batch_on >= %(frozen_on)s AND position > %(after)s AND {rows}
ORDER BY position LIMIT %(limit)s
"""
NOT_DELIVERED = """
SELECT position FROM non_delivery
WHERE campaign_id = %(campaign)s AND is_reported = {is_reported} AND position > %(after)s
ORDER BY position LIMIT %(limit)s
"""
RARE: Mapping[MessageState, str] = {
    S.REFUSED: FROM_SUBMISSIONS.format(rows="kind = 'refused'"),
    S.SUPPRESSED: FROM_SUBMISSIONS.format(rows="kind = 'suppressed'"),
    S.UNKNOWN: FROM_SUBMISSIONS.format(rows="(kind = 'unknown' OR kind = 'resent')"),
    S.UNDELIVERED: NOT_DELIVERED.format(is_reported=True),
    S.NO_RECEIPT: NOT_DELIVERED.format(is_reported=False),
}
# Frequent rows have no index of their own: a look passes over a few thousand positions.
DELIVERED = """
SELECT DISTINCT position FROM submission
WHERE campaign_id = %(campaign)s AND batch_on >= %(frozen_on)s
  AND position > %(after)s AND position <= %(until)s AND receipt_state = 'delivered'
ORDER BY position LIMIT %(limit)s
"""
# Receipts are awaited where sending is now, so these come the last one first.
SUBMITTED = """
SELECT DISTINCT position FROM submission
WHERE campaign_id = %(campaign)s AND batch_on >= %(frozen_on)s
  AND position < %(after)s AND position >= %(until)s AND kind = 'submitted' AND receipt_state = ''
ORDER BY position DESC LIMIT %(limit)s
"""
IN_QUEUE = """
SELECT DISTINCT position FROM queued_segment
WHERE campaign_id = %(campaign)s AND position > %(after)s AND {rows}
ORDER BY position LIMIT %(limit)s
"""
DEFERRED = IN_QUEUE.format(rows="batch_id IS NULL AND is_deferred")
WAITING = IN_QUEUE.format(rows="batch_id IS NULL AND NOT is_deferred")
IN_FLIGHT = """
SELECT DISTINCT position FROM (
    SELECT q.position FROM queued_segment q
    WHERE q.campaign_id = %(campaign)s AND q.batch_id IS NOT NULL AND q.position > %(after)s
    UNION ALL
    SELECT n FROM batch b
    CROSS JOIN LATERAL generate_series(
        greatest(b.first_position, %(after)s + 1), b.last_position) AS n
    WHERE b.campaign_id = %(campaign)s AND b.closed_at IS NULL AND b.first_position IS NOT NULL
) found ORDER BY position LIMIT %(limit)s
"""
BEYOND_CURSOR = """
SELECT position FROM message
WHERE frozen_on = %(frozen_on)s AND campaign_id = %(campaign)s
  AND position > greatest(%(after)s, %(cursor)s - 1)
ORDER BY position LIMIT %(limit)s
"""
GIVEN_BACK = FROM_SUBMISSIONS.format(rows="kind IN ('deferred', 'released')")
NEVER_TRIED = """
SELECT position FROM message m
WHERE frozen_on = %(frozen_on)s AND campaign_id = %(campaign)s
  AND position > %(after)s AND position <= %(until)s
  AND NOT EXISTS (
      SELECT 1 FROM submission s
      WHERE s.campaign_id = m.campaign_id AND s.position = m.position
        AND s.batch_on >= %(frozen_on)s)
ORDER BY position LIMIT %(limit)s
"""
ALL = """
SELECT position FROM message
WHERE frozen_on = %(frozen_on)s AND campaign_id = %(campaign)s AND position > %(after)s
ORDER BY position LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Page:
    """Some messages in the order of sending (those that await a receipt: the last one first).

    `after` asks for the next ones, None at the end. `is_partial` says that the looks ended before
    the page was full: more may follow.
    """

    rows: Sequence[Shown]
    after: int | None
    is_partial: bool = False


@dataclass(frozen=True)
class Found:
    """Positions that may be in a state, and how far the look went (None: to the end)."""

    positions: Sequence[int]
    reached: int | None


def page_of_messages(
    campaign: Campaign,
    state: MessageState | None,
    *,
    after: int = -1,
    size: int = PAGE,
    write: Callable[[Any, int], str] = masked,
) -> Page:
    """Return messages behind position `after`, of one state or of all; `write` writes numbers."""
    if campaign.frozen_on is None or not hasattr(campaign, "progress"):
        return Page([], None)
    positions, reached = _positions(campaign, state, after, size)
    rows = shown(campaign.workspace_id, _keys(campaign, positions), write)
    return Page(rows, reached, is_partial=reached is not None and len(positions) < size)


def _keys(campaign: Campaign, positions: Sequence[int]) -> list[Key]:
    """Name messages of a campaign that is frozen."""
    assert campaign.frozen_on is not None
    return [Key(campaign.frozen_on, campaign.pk, position) for position in positions]


def message_of(campaign: Campaign, position: int) -> Shown | None:
    """Return one message, or None."""
    if campaign.frozen_on is None:
        return None
    return next(iter(shown(campaign.workspace_id, _keys(campaign, [position]))), None)


def _positions(
    campaign: Campaign, state: MessageState | None, after: int, size: int
) -> tuple[list[int], int | None]:
    """Return up to `size` positions in the state and where to go on (None at the end)."""
    found: list[int] = []
    for _look in range(LOOKS):
        look = _candidates(campaign, state, after, size + 1)
        found += _in_state(campaign, state, look.positions)
        if len(found) > size:
            return found[:size], found[size - 1]
        if look.reached is None:
            return found, None
        after = look.reached
    return found, after


def _in_state(
    campaign: Campaign, state: MessageState | None, positions: Sequence[int]
) -> list[int]:
    if state is None:
        return list(positions)
    states = states_of(_keys(campaign, positions))
    return [at for at in positions if states.get((campaign.pk, at)) == state]


def _candidates(campaign: Campaign, state: MessageState | None, after: int, limit: int) -> Found:
    if state is None:
        return _through(ALL, campaign, after, limit)
    if state in RARE:
        return _through(RARE[state], campaign, after, limit)
    if state is S.DELIVERED:
        return _onwards(DELIVERED, campaign, after, limit)
    if state is S.SUBMITTED:
        return _backwards(SUBMITTED, campaign, after, limit)
    if state is S.DEFERRED:
        return _through(DEFERRED, campaign, after, limit)
    if state is S.SENDING:
        return _through(IN_FLIGHT, campaign, after, limit)
    return _not_sent(campaign, state, after, limit)


def _not_sent(campaign: Campaign, state: MessageState, after: int, limit: int) -> Found:
    """Look at what waits behind the cursor, and at what came back to the queue before it.

    Only a campaign that was cancelled or has expired has messages in that state, and then none is
    queued.
    """
    is_over = campaign.state in {S.CANCELLED, S.EXPIRED}
    has_any = not is_over if state is S.QUEUED else campaign.state == state
    if not has_any:
        return Found([], None)
    if campaign.mode == Mode.TRIGGER:
        # What was dropped of a trigger left no trace but its own row.
        if is_over:
            return _onwards(NEVER_TRIED, campaign, after, limit)
        return _queue(campaign, after, limit)
    first = _given_back(campaign, after, limit) if is_over else _queue(campaign, after, limit)
    rest = _through(BEYOND_CURSOR, campaign, after, limit)
    both = sorted({*first.positions, *rest.positions})
    ends = [found.reached for found in (first, rest) if found.reached is not None]
    reached = min(ends, default=None)
    return Found([at for at in both if reached is None or at <= reached], reached)


def _queue(campaign: Campaign, after: int, limit: int) -> Found:
    return _through(WAITING, campaign, after, limit)


def _given_back(campaign: Campaign, after: int, limit: int) -> Found:
    """Most of what was once deferred went out later: look at many."""
    return _through(GIVEN_BACK, campaign, after, max(limit, MANY))


def _through(statement: str, campaign: Campaign, after: int, limit: int) -> Found:
    found = _column(statement, campaign, after, limit)
    return Found(found, found[-1] if len(found) >= limit else None)


def _onwards(statement: str, campaign: Campaign, after: int, limit: int) -> Found:
    """Look at the next few thousand positions only: the others in between may be in the way."""
    until = after + STRIDE
    found = _column(statement, campaign, after, limit, until=until)
    if len(found) >= limit:
        return Found(found, found[-1])
    return Found(found, until if until + 1 < _cursor(campaign) else None)


def _backwards(statement: str, campaign: Campaign, after: int, limit: int) -> Found:
    """Look at a few thousand positions before `after`, which is the cursor at first."""
    start = _cursor(campaign) if after < 0 else after
    until = max(start - STRIDE, 0)
    found = _column(statement, campaign, start, limit, until=until)
    if len(found) >= limit:
        return Found(found, found[-1])
    return Found(found, until or None)


def _cursor(campaign: Campaign) -> int:
    """Return the first position that was never claimed; of a trigger the number of messages."""
    progress = campaign.progress
    return progress.total if campaign.mode == Mode.TRIGGER else progress.cursor


def _column(
    statement: str, campaign: Campaign, after: int, limit: int, *, until: int = 0
) -> list[int]:
    values = {
        "campaign": campaign.pk,
        "frozen_on": campaign.frozen_on,
        "after": after,
        "limit": limit,
        "until": until,
        "cursor": _cursor(campaign),
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [int(row[0]) for row in cursor.fetchall()]
