"""What may improve what: how evidence that comes late, twice or out of order changes a segment.

One table. The database holds the same as `receipt_rank`, and a test compares them. A receipt moves
a segment only up: an interim state never touches a final one, `delivered` beats everything, an
EXPIRED that turns into DELIVRD improves, and of two ways to fail the first stays. An attempt that
is unknown is settled by whatever tells more; a fate that is known never changes.
"""

from collections.abc import Mapping
from enum import StrEnum

# What a receipt says of an accepted segment. What is not named says nothing final: ENROUTE,
# ACCEPTD, SCHEDULED, UNKNOWN, and words that nobody knows.
RANKS: Mapping[str, int] = {
    "": 0,
    "none": 1,  # waited for in vain
    "undeliverable": 2,
    "expired": 2,
    "rejected": 2,
    "deleted": 2,
    "delivered": 3,
}
# The message state of an accepted segment, by the rank of its receipt.
ACCEPTED: Mapping[int, str] = {
    0: "submitted",
    1: "no_receipt",
    2: "undelivered",
    3: "delivered",
}
# What may follow an attempt's fate; the evidence that tells it stands in the row.
SETTLED_BY: Mapping[str, frozenset[str]] = {
    "unknown": frozenset({"submitted", "refused", "deferred", "released"}),
    "submitted": frozenset(),
    "refused": frozenset(),
    "deferred": frozenset(),
    "released": frozenset(),
    "suppressed": frozenset(),
}


class Evidence(StrEnum):
    """What settled an attempt that was unknown."""

    RESPONSE = "response"  # the answer came after its timer
    RECEIPT = "receipt"
    RECORDS = "records"  # the SMSC's call records
    PERSON = "person"  # somebody said which receipt belongs to it


def rank(receipt: str) -> int:
    """Return how much a receipt's state says."""
    return RANKS.get(receipt, 0)


def climbs(now: str, told: str) -> bool:
    """Whether a receipt with the state `told` changes a segment whose receipt state is `now`."""
    return rank(told) > rank(now)


def accepted_state(receipt: str) -> str:
    """Return the message state of an accepted segment with this receipt state."""
    return ACCEPTED[rank(receipt)]


def may_settle(fate: str, told: str) -> bool:
    """Whether an attempt with this fate becomes what an answer tells."""
    return told in SETTLED_BY[fate]
