"""Every attempt to submit one message: when, over which connection, and what came back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from campaigns.models import Campaign, Submission
from campaigns.queries.message_rows import in_words
from campaigns.rules.improvements import Evidence
from campaigns.rules.part_outcomes import PartOutcome
from smpp_client.models import Connection
from smpp_client.rules.errors import classify_receipt


@dataclass(frozen=True)
class Attempt:
    """One attempt of one part. `words` say what came back; `smsc_id` is the peer's own name.

    `evidence` says what settled an attempt that was unknown; empty for all others.
    """

    part: int
    part_count: int
    happened_at: datetime
    connection: str
    kind: str
    words: str
    smsc_id: str
    receipt_state: str
    receipt_at: datetime | None
    evidence: str


EVIDENCE_WORDS: Mapping[str, str | Promise] = {
    Evidence.RESPONSE: gettext_lazy("Was unknown; a late answer settled it."),
    Evidence.RECEIPT: gettext_lazy("Was unknown; its receipt settled it."),
    Evidence.RECORDS: gettext_lazy("Was unknown; the SMSC's call records settled it."),
    Evidence.PERSON: gettext_lazy("Was unknown; a person said which receipt is its own."),
}


def attempts_of(campaign: Campaign, position: int) -> Sequence[Attempt]:
    """Return the attempts of a message, the first one first; part 0 is the whole message."""
    if campaign.frozen_on is None:
        return []
    rows = list(
        Submission.objects.filter(
            campaign=campaign, position=position, batch_on__gte=campaign.frozen_on
        ).order_by("happened_at", "batch_id", "part")
    )
    named = Connection.objects.filter(pk__in={row.connection_id for row in rows})
    connections = {one.pk: one for one in named.only("name", "receipt_classes")}
    return [_attempt(row, connections.get(row.connection_id)) for row in rows]


def _attempt(row: Submission, over: Connection | None) -> Attempt:
    part = PartOutcome(
        part=row.part,
        kind=row.kind,
        status=row.status,
        cause=row.cause,
        happened_at=row.happened_at,
        receipt_state=row.receipt_state,
        receipt_error=row.receipt_error,
        receipt_at=row.receipt_at,
        receipt_class=classify_receipt(row.receipt_error, over.receipt_classes) if over else None,
    )
    return Attempt(
        part=row.part,
        part_count=row.part_count,
        happened_at=row.happened_at,
        connection=over.name if over else "",
        kind=row.kind,
        words=in_words(part),
        smsc_id=row.smsc_id,
        receipt_state=row.receipt_state,
        receipt_at=row.receipt_at,
        evidence=str(EVIDENCE_WORDS.get(row.evidence, "")),
    )


@dataclass(frozen=True)
class Offered:
    """A receipt about the same person over the same connection that fits no message by its id."""

    id: int
    state: str
    smsc_id: str
    sender: str
    received_at: datetime


OFFERED = """
SELECT DISTINCT r.id, r.state, r.smsc_id, r.sender, r.received_at
FROM message m
JOIN submission s ON s.campaign_id = m.campaign_id AND s.position = m.position
    AND s.batch_on >= m.frozen_on AND s.kind = 'unknown'
JOIN receipt r ON r.connection_id = s.connection_id AND r.fingerprint = m.fingerprint
    AND r.result = 'orphan' AND NOT r.is_unmarked
WHERE m.frozen_on = %s AND m.campaign_id = %s AND m.position = %s
ORDER BY r.received_at, r.id LIMIT 20
"""


def offered_receipts(campaign: Campaign, position: int) -> Sequence[Offered]:
    """Return the receipts that a person may give to an unknown message, the first one first."""
    with connection.cursor() as cursor:
        cursor.execute(OFFERED, [campaign.frozen_on, campaign.pk, position])
        return [Offered(*row) for row in cursor.fetchall()]
