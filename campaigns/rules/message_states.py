"""The states of a message, in the order in which pages and bars show them."""

from enum import StrEnum


class MessageState(StrEnum):
    """A message's state (ARCHITECTURE.md, "States")."""

    DELIVERED = "delivered"
    SUBMITTED = "submitted"
    UNDELIVERED = "undelivered"
    NO_RECEIPT = "no_receipt"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    DEFERRED = "deferred"
    SENDING = "sending"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    QUEUED = "queued"


# What is still to be done before a campaign is completed.
OPEN = frozenset({MessageState.QUEUED, MessageState.SENDING, MessageState.DEFERRED})
