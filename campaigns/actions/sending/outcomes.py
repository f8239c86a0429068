"""Outcomes of segments, made durable: nothing is written over, and nothing counts twice."""

import threading
from collections.abc import Mapping, Sequence

from campaigns.actions.sending.literals import numbers, times, words
from smpp_client.carrier import Kind, LeaseKey, Outcome, SegmentKey
from smpp_client.engine.link import Link
from smpp_client.rules.errors import (
    QUEUE_FULL,
    SYSTEM_ERROR,
    StatusClass,
    classify,
    status_classes,
)

RECORD = (
    "SELECT record_outcomes(%s::bigint[], %s::bigint[], %s::smallint[], %s::smallint[], %s::text[],"
    " %s::integer[], %s::text[], %s::text[], %s::timestamptz[], %s::float8[], %s::integer[])"
)
RECORD_SUBMITTED = (
    "SELECT record_submitted(%s::bigint[], %s::bigint[], %s::text[], %s::timestamptz[])"
)
# What the column holds; a longer id is cut alike in answers and in receipts.
LONGEST_ID = 65
# Base of the back-off in seconds, and attempts after which a deferred segment is refused for good.
THROTTLED_RETRY = (1.0, 1_000)
QUEUE_FULL_RETRY = (5.0, 1_000)
LATER_RETRY = (10.0, 6)
# The first wait for a person, the second for the SMSC: the segment is not at fault, and an outage
# of some hours must not use it up. Its campaign's window ends all the same.
ALARM_RETRY = (30.0, 1_000)
FAULT_RETRY = (10.0, 100)
NO_RETRY = (0.0, 0)
# What the column holds; a peer's status has 32 bits without a sign, and its cause tells it whole.
LARGEST_STATUS = 0x7FFFFFFF


class Outcomes:
    """Records over a connection of its own, one group at a time."""

    def __init__(self) -> None:
        self._link = Link()
        self._lock = threading.Lock()

    def record(self, lease: LeaseKey, outcomes: Sequence[Outcome]) -> None:
        """Make outcomes durable. Calling it twice with the same outcomes changes nothing."""
        plain = [outcome for outcome in outcomes if _is_plain(outcome)]
        others = _one_each([outcome for outcome in outcomes if not _is_plain(outcome)])
        with self._lock:
            if plain:
                self._record_submitted(plain)
            if others:
                self._record(others, self._classes_for(lease.connection_id, others))

    def _record_submitted(self, outcomes: Sequence[Outcome]) -> None:
        keys_ = [outcome.key for outcome in outcomes]
        values = [
            numbers([key.batch_id for key in keys_]),
            numbers([key.position for key in keys_]),
            words([outcome.smsc_id[:LONGEST_ID] for outcome in outcomes]),
            times([outcome.at for outcome in outcomes]),
        ]
        self._link.rows(RECORD_SUBMITTED, values)

    def _classes_for(
        self, connection_id: int, outcomes: Sequence[Outcome]
    ) -> Mapping[int, StatusClass]:
        """Return the connection's own error table, where an outcome may need it."""
        if not any(outcome.kind is Kind.DEFERRED for outcome in outcomes):
            return {}
        rows = self._link.rows(
            "SELECT status_classes FROM connection WHERE id = %s", [connection_id]
        )
        return status_classes(rows[0][0]) if rows else {}

    def _record(self, outcomes: Sequence[Outcome], classes: Mapping[int, StatusClass]) -> None:
        keys_ = [outcome.key for outcome in outcomes]
        retries = [_retry(outcome, classes) for outcome in outcomes]
        values = [
            numbers([key.batch_id for key in keys_]),
            numbers([key.position for key in keys_]),
            numbers([key.part for key in keys_]),
            numbers([outcome.part_count for outcome in outcomes]),
            words([outcome.kind for outcome in outcomes]),
            numbers([min(outcome.status, LARGEST_STATUS) for outcome in outcomes]),
            words([outcome.cause[:60] for outcome in outcomes]),
            words([outcome.smsc_id[:LONGEST_ID] for outcome in outcomes]),
            times([outcome.at for outcome in outcomes]),
            [seconds for seconds, _cap in retries],
            numbers([cap for _seconds, cap in retries]),
        ]
        self._link.rows(RECORD, values)

    def settle(self, lease: LeaseKey) -> int:
        """Turn what earlier epochs of this lease left open into unknown; return how many."""
        with self._lock:
            rows = self._link.rows(
                "SELECT settle_lease(%s, %s, %s)", [lease.lease_id, lease.epoch, "the sender ended"]
            )
        return int(rows[0][0])

    def close(self) -> None:
        """Close the connection."""
        self._link.close()


def _is_plain(outcome: Outcome) -> bool:
    """Whether there is nothing to tell of an outcome but the SMSC's id."""
    return outcome.kind is Kind.SUBMITTED and outcome.part_count == 1 and not outcome.cause


def _one_each(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return one outcome for each segment: an answer that came right after its timer counts."""
    found: dict[SegmentKey, Outcome] = {}
    for outcome in outcomes:
        if outcome.kind is not Kind.UNKNOWN:
            found[outcome.key] = outcome
        else:
            found.setdefault(outcome.key, outcome)
    return list(found.values())


def _retry(outcome: Outcome, classes: Mapping[int, StatusClass]) -> tuple[float, int]:
    if outcome.kind is not Kind.DEFERRED:
        return NO_RETRY
    status_class = classify(outcome.status, classes)
    if status_class is StatusClass.SLOW_DOWN:
        return QUEUE_FULL_RETRY if outcome.status == QUEUE_FULL else THROTTLED_RETRY
    if status_class is StatusClass.ALARM:
        return ALARM_RETRY
    return FAULT_RETRY if outcome.status == SYSTEM_ERROR else LATER_RETRY
