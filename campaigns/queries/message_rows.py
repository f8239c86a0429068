"""Messages in words: each with its state, its number masked, and why it is where it is.

Everything is asked for many messages at once, of one campaign or of several.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.rules.message_states import MessageState as S
from campaigns.rules.numbers import mask
from campaigns.rules.part_outcomes import PartOutcome
from smpp_client.models import Connection
from smpp_client.rules.errors import classify_receipt, explain, explain_receipt
from workspaces.queries.keys import keys
from workspaces.rules.sealing import SealBroken

STATES = """
SELECT w.campaign_id, s.message_position, s.message_state
FROM (
    SELECT campaign_id, array_agg(position) AS positions
    FROM unnest(%s::date[], %s::bigint[], %s::bigint[]) AS w(frozen_on, campaign_id, position)
    GROUP BY campaign_id) w
CROSS JOIN LATERAL message_states(w.campaign_id, w.positions) s
"""
ROWS = """
SELECT m.campaign_id, m.position, m.segment_count, r.number_sealed, r.row_number
FROM unnest(%s::date[], %s::bigint[], %s::bigint[]) AS w(frozen_on, campaign_id, position)
JOIN message m USING (frozen_on, campaign_id, position)
LEFT JOIN recipient r ON r.id = m.recipient_id
"""
PARTS = """
SELECT DISTINCT ON (s.campaign_id, s.position, s.part)
    s.campaign_id, s.position, s.part, s.kind, s.status, s.cause, s.happened_at, s.receipt_state,
    s.receipt_error, s.receipt_at, s.connection_id
FROM unnest(%s::date[], %s::bigint[], %s::bigint[]) AS w(frozen_on, campaign_id, position)
JOIN submission s ON s.campaign_id = w.campaign_id AND s.position = w.position
    AND s.batch_on >= w.frozen_on
ORDER BY s.campaign_id, s.position, s.part, s.batch_id DESC
"""
NEXT_TRIES = """
SELECT q.campaign_id, q.position, min(q.not_before_at)
FROM unnest(%s::date[], %s::bigint[], %s::bigint[]) AS w(frozen_on, campaign_id, position)
JOIN queued_segment q USING (campaign_id, position)
WHERE q.batch_id IS NULL AND q.is_deferred
GROUP BY q.campaign_id, q.position
"""


class Key(NamedTuple):
    """Names one message."""

    frozen_on: date
    campaign_id: int
    position: int


@dataclass(frozen=True)
class Shown:
    """One message as pages and files tell it.

    `sent_at` is when the SMSC accepted its first part, `settled_at` when the last receipt came,
    `next_try_at` when what was deferred goes again. `cause` says why it is where it is.
    `row_number` is that of the recipient in the file.
    """

    campaign_id: int
    position: int
    number: str
    state: str
    part_count: int
    row_number: int | None
    cause: str
    sent_at: datetime | None
    settled_at: datetime | None
    next_try_at: datetime | None


def states_of(wanted: Sequence[Key]) -> dict[tuple[int, int], str]:
    """Return (campaign, position) -> state, derived by the database's own function."""
    return {(campaign, position): state for campaign, position, state in _ask(STATES, wanted)}


def masked(sealed: Any, workspace_id: int) -> str:
    """Return a number as pages show it; one that was erased, or does not open, says so."""
    return _opened(sealed, workspace_id, mask)


def in_full(sealed: Any, workspace_id: int) -> str:
    """Return a number in full, for those whose reason is on record."""
    return _opened(sealed, workspace_id, lambda number: f"+{number}")


def _opened(sealed: Any, workspace_id: int, write: Callable[[str], str]) -> str:
    if sealed is None:
        return _("erased")
    try:
        return write(keys().open_number(bytes(sealed), workspace_id))
    except SealBroken:
        return _("does not open")


def shown(
    workspace_id: int, wanted: Sequence[Key], write: Callable[[Any, int], str] = masked
) -> list[Shown]:
    """Return these messages as pages tell them, in the order in which they are named."""
    if not wanted:
        return []
    states, parts = states_of(wanted), last_attempts(wanted)
    tries = {(campaign, at): next_at for campaign, at, next_at in _ask(NEXT_TRIES, wanted)}
    rows = {(row[0], row[1]): row for row in _ask(ROWS, wanted)}
    places = [(key.campaign_id, key.position) for key in wanted]
    return [
        _shown(
            rows[place],
            write(rows[place][3], workspace_id),
            states.get(place, ""),
            parts.get(place, []),
            tries.get(place),
        )
        for place in places
        if place in rows
    ]


def _ask(statement: str, wanted: Sequence[Key]) -> list[Any]:
    if not wanted:
        return []
    columns: list[list[Any]] = [
        [key.frozen_on for key in wanted],
        [key.campaign_id for key in wanted],
        [key.position for key in wanted],
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, columns)
        return list(cursor.fetchall())


def last_attempts(wanted: Sequence[Key]) -> dict[tuple[int, int], list[PartOutcome]]:
    """Return (campaign, position) -> the last attempt of each part, in the order of the parts."""
    found: dict[tuple[int, int], list[PartOutcome]] = {}
    rows = _ask(PARTS, wanted)
    tables = _own_tables(
        connection_id for *_row, error, _at, connection_id in rows if error.strip("0")
    )
    for campaign, position, *fields, connection_id in rows:
        fields.append(classify_receipt(fields[6], tables.get(connection_id, {})))
        found.setdefault((campaign, position), []).append(PartOutcome(*fields))
    return found


def _own_tables(connection_ids: Iterable[int]) -> dict[int, Mapping[str, str]]:
    """Return the tables of receipts' codes that these connections have."""
    if not (wanted := set(connection_ids)):
        return {}
    found = Connection.objects.filter(pk__in=wanted).exclude(receipt_classes={})
    return dict(found.values_list("pk", "receipt_classes"))


def _shown(
    row: Any, number: str, state: str, parts: Sequence[PartOutcome], next_try_at: datetime | None
) -> Shown:
    campaign_id, position, part_count, _sealed, row_number = row
    accepted = [part.happened_at for part in parts if part.kind == "submitted"]
    receipts = [part.receipt_at for part in parts if part.receipt_at is not None]
    return Shown(
        campaign_id=campaign_id,
        position=position,
        number=number,
        state=state,
        part_count=part_count,
        row_number=row_number,
        cause=cause_of(state, parts),
        sent_at=min(accepted, default=None),
        settled_at=max(receipts) if len(receipts) == part_count else None,
        next_try_at=next_try_at,
    )


RECEIPT_WORDS: Mapping[str, str | Promise] = {
    "none": gettext_lazy("No receipt came in time."),
    "expired": gettext_lazy("Its validity ran out in the network."),
    "rejected": gettext_lazy("The network rejected it."),
    "deleted": gettext_lazy("The network deleted it."),
    "undeliverable": gettext_lazy("The network could not deliver it."),
}
SUPPRESSED_WORDS: Mapping[str, str | Promise] = {
    "opted_out": gettext_lazy("The person opted out after the approval."),
    "erased": gettext_lazy("The person's data was erased."),
}


def cause_of(state: str, parts: Sequence[PartOutcome]) -> str:
    """Return why a message is in its state, from the last attempt of each part; "" for no more."""
    return next((in_words(part) for part in parts if _speaks(part, state)), "")


def _speaks(part: PartOutcome, state: str) -> bool:
    """Whether this part is why its message is in this state."""
    if state == S.UNDELIVERED:
        return part.kind == "submitted" and part.receipt_state not in {"", "delivered", "none"}
    if state == S.UNKNOWN:
        return part.kind in {"unknown", "resent"}
    return part.kind == state


def in_words(part: PartOutcome) -> str:
    """Return what became of one attempt, with the peer's code in brackets; "" when all is well."""
    if part.kind == "submitted":
        return _receipt_in_words(part)
    if part.kind == "suppressed":
        return str(SUPPRESSED_WORDS.get(part.cause, part.cause))
    if part.status:
        return _("The SMSC said: %(answer)s.") % {"answer": explain(part.status)}
    return part.cause


def _receipt_in_words(part: PartOutcome) -> str:
    if part.receipt_state in {"", "delivered"}:
        return ""
    plain = str(RECEIPT_WORDS.get(part.receipt_state, RECEIPT_WORDS["undeliverable"]))
    return explain_receipt(part.receipt_error, part.receipt_class) or plain
