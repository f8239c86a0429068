"""Where an export of evidence stands, and the moves between."""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """`waiting` is for the second person, `queued` for a worker, `running` for its end."""

    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"
    REFUSED = "refused"
    FAILED = "failed"
    EXPIRED = "expired"


MOVES: Mapping[State, frozenset[State]] = {
    State.WAITING: frozenset({State.QUEUED, State.REFUSED}),
    State.QUEUED: frozenset({State.RUNNING, State.FAILED}),
    State.RUNNING: frozenset({State.QUEUED, State.READY, State.FAILED}),
    State.READY: frozenset({State.EXPIRED}),
    State.REFUSED: frozenset(),
    State.FAILED: frozenset(),
    State.EXPIRED: frozenset(),
}
# Somebody or something still has to act.
UNFINISHED = (State.WAITING, State.QUEUED, State.RUNNING)
