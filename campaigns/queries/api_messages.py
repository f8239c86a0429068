"""Messages that were pushed through the API, numbers masked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from campaigns.models import Campaign
from campaigns.queries.message_rows import Key, last_attempts, states_of
from campaigns.rules.api_answers import MESSAGES
from campaigns.rules.api_reasons import Reason, reason_of
from campaigns.rules.numbers import mask
from campaigns.rules.part_outcomes import PartOutcome
from workspaces.models import Workspace
from workspaces.queries.keys import keys
from workspaces.rules.sealing import SealBroken

# A page with a filter on the state looks at so many messages and then answers with what it has.
LOOKED_AT_ONCE = 500
MOST_LOOKED_AT = 5_000

ROWS = """
SELECT a.id, a.uuid, a.campaign_id, a.position, a.client_reference, a.created_at,
       c.frozen_on, c.number, r.value, m.segment_count, p.number_sealed
FROM api_message a
JOIN campaign c ON c.id = a.campaign_id
JOIN message m
    ON m.frozen_on = c.frozen_on AND m.campaign_id = a.campaign_id AND m.position = a.position
LEFT JOIN recipient p ON p.id = m.recipient_id
LEFT JOIN sender_revision r ON r.id = c.sender_revision_id
WHERE a.workspace_id = %(workspace)s AND {condition}
ORDER BY {order} DESC LIMIT %(limit)s
"""

Place = tuple[int, int]  # campaign row, position


@dataclass(frozen=True)
class ShownPart:
    """One part that was handed to the SMSC, or that the SMSC refused."""

    part: int
    state: str
    at: datetime
    receipt_at: datetime | None


@dataclass(frozen=True)
class ShownMessage:
    """A pushed message as the API shows it; `to` is None where the number is erased or does not
    open.
    """

    id: UUID
    campaign: str
    sender: str
    to: str | None
    state: str
    reason: Reason | None
    segments: int
    client_reference: str | None
    created_at: datetime
    parts: Sequence[ShownPart]

    @property
    def links(self) -> Mapping[str, str]:
        """Where the message is."""
        return {"self": f"{MESSAGES}/{self.id}"}


@dataclass(frozen=True)
class Asked:
    """Which messages are wanted: newest first, behind `before` (0: from the newest on)."""

    limit: int
    before: int = 0
    state: str = ""
    campaign: Campaign | None = None


@dataclass(frozen=True)
class MessagePage:
    """A page, and what its next page lies behind (0: there is none).

    With a filter on the state a page may have fewer messages than wanted, and a next page.
    """

    messages: Sequence[ShownMessage]
    after: int


@dataclass(frozen=True)
class _Row:
    id: int
    uuid: UUID
    campaign_id: int
    position: int
    client_reference: str
    created_at: datetime
    frozen_on: date
    number: int
    sender: str | None
    segments: int
    number_sealed: bytes | None

    @property
    def place(self) -> Place:
        return self.campaign_id, self.position

    @property
    def key(self) -> Key:
        return Key(self.frozen_on, self.campaign_id, self.position)


def message_of(here: Workspace, uuid: UUID) -> ShownMessage | None:
    """Return a pushed message of this workspace, or None."""
    rows = _rows(here, "a.uuid = %(uuid)s", "a.id", {"uuid": uuid, "limit": 1})
    return next(iter(_shown(here, rows, _states(rows))), None)


def page_of_messages(here: Workspace, asked: Asked) -> MessagePage:
    """Return the pushed messages of this workspace that were asked for."""
    found: list[_Row] = []
    states: dict[Place, str] = {}
    before, looked_at = asked.before, 0
    size = LOOKED_AT_ONCE if asked.state else asked.limit + 1
    while len(found) <= asked.limit and looked_at < MOST_LOOKED_AT:
        rows = _behind(here, asked, before, size)
        states |= _states(rows)
        found += [row for row in rows if asked.state in {"", states[row.place]}]
        looked_at += len(rows)
        if len(rows) < size:
            before = 0
            break
        before = _key(asked, rows[-1])
    if len(found) > asked.limit:
        before = _key(asked, found[asked.limit - 1])
    return MessagePage(_shown(here, found[: asked.limit], states), before)


def _key(asked: Asked, row: _Row) -> int:
    """Positions count from 0, and 0 is no cursor."""
    return row.position + 1 if asked.campaign else row.id


def _behind(here: Workspace, asked: Asked, before: int, size: int) -> list[_Row]:
    """Messages of one campaign go by its own index: their positions grow as their ids do."""
    values: dict[str, Any] = {"limit": size, "before": before}
    if asked.campaign is None:
        return _rows(here, "(%(before)s = 0 OR a.id < %(before)s)", "a.id", values)
    condition = (
        "a.campaign_id = %(campaign)s AND (%(before)s = 0 OR a.position < %(before)s::bigint - 1)"
    )
    return _rows(here, condition, "a.position", values | {"campaign": asked.campaign.pk})


def _rows(here: Workspace, condition: str, order: str, values: dict[str, Any]) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(
            ROWS.format(condition=condition, order=order), values | {"workspace": here.pk}
        )
        return [_Row(*fields) for fields in cursor.fetchall()]


def _states(rows: Sequence[_Row]) -> dict[Place, str]:
    return states_of([row.key for row in rows])


def _shown(
    here: Workspace, rows: Sequence[_Row], states: Mapping[Place, str]
) -> list[ShownMessage]:
    parts = last_attempts([row.key for row in rows])
    return [_message(here, row, states[row.place], parts.get(row.place, [])) for row in rows]


def _message(
    here: Workspace, row: _Row, state: str, outcomes: Sequence[PartOutcome]
) -> ShownMessage:
    return ShownMessage(
        id=row.uuid,
        campaign=f"C-{row.number}",
        sender=row.sender or "",
        to=_masked(row.number_sealed, here),
        state=state,
        reason=_translated(reason_of(state, outcomes)),
        segments=row.segments,
        client_reference=row.client_reference or None,
        created_at=row.created_at,
        parts=[
            ShownPart(one.part, one.state, one.happened_at, one.receipt_at)
            for one in outcomes
            if one.part > 0
        ],
    )


def _masked(sealed: bytes | None, here: Workspace) -> str | None:
    if sealed is None:
        return None
    try:
        return mask(keys().open_number(sealed, here.pk))
    except SealBroken:
        return None


def _translated(reason: Reason | None) -> Reason | None:
    return Reason(reason.code, _(reason.message)) if reason is not None else None
