"""The states of a campaign and the moves between them:

the one table, held by a trigger in the database as well.
"""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """A campaign's state (ARCHITECTURE.md, "States")."""

    DRAFT = "draft"
    BUILDING = "building"
    READY = "ready"
    IN_REVIEW = "in_review"
    RETURNED = "returned"
    REJECTED = "rejected"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    HELD = "held"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"


S = State

MOVES: Mapping[State, frozenset[State]] = {
    S.DRAFT: frozenset({S.BUILDING, S.CANCELLED}),
    S.RETURNED: frozenset({S.BUILDING, S.DRAFT, S.CANCELLED}),
    S.BUILDING: frozenset({S.READY, S.DRAFT, S.FAILED, S.CANCELLED}),
    S.FAILED: frozenset({S.DRAFT, S.BUILDING, S.CANCELLED}),
    S.READY: frozenset({S.IN_REVIEW, S.DRAFT, S.CANCELLED}),
    S.IN_REVIEW: frozenset({S.APPROVED, S.RETURNED, S.REJECTED, S.READY, S.CANCELLED, S.EXPIRED}),
    S.REJECTED: frozenset(),
    S.APPROVED: frozenset({S.SCHEDULED, S.SENDING, S.HELD, S.CANCELLED, S.EXPIRED}),
    S.SCHEDULED: frozenset({S.SENDING, S.HELD, S.CANCELLED, S.EXPIRED}),
    S.SENDING: frozenset({S.PAUSED, S.HELD, S.COMPLETED, S.CANCELLED, S.EXPIRED}),
    S.PAUSED: frozenset({S.SENDING, S.HELD, S.COMPLETED, S.CANCELLED, S.EXPIRED}),
    S.HELD: frozenset({S.SENDING, S.PAUSED, S.COMPLETED, S.CANCELLED, S.EXPIRED}),
    # Only by two people's decision to send unknown messages again.
    S.COMPLETED: frozenset({S.SENDING}),
    S.CANCELLED: frozenset(),
    S.EXPIRED: frozenset(),
}

EDITABLE = frozenset({S.DRAFT, S.RETURNED, S.READY, S.FAILED})
RUNNING = frozenset({S.SENDING, S.PAUSED, S.HELD})
FINAL = frozenset({S.COMPLETED, S.CANCELLED, S.EXPIRED, S.REJECTED})


def may_move(old: State, new: State) -> bool:
    """Whether the table has a move from `old` to `new`."""
    return new in MOVES[old]


def moves_as_sql() -> str:
    """The table as SQL VALUES, for the trigger that refuses what is not in it."""
    pairs = [(old, new) for old, news in MOVES.items() for new in sorted(news)]
    return ", ".join(f"('{old}','{new}')" for old, new in pairs)
