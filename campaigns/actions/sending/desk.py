"""The desk: what the engine asks the product for. Intent before bytes, outcomes append only."""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import psycopg
import structlog
from django.conf import settings

from campaigns.actions import inbound
from campaigns.actions.review import sign
from campaigns.actions.running import hold
from campaigns.actions.sending.arrivals import Arrivals
from campaigns.actions.sending.candidates import (
    Candidate,
    Wish,
    candidates,
    late_before,
    store_anchor,
    wish_of,
)
from campaigns.actions.sending.literals import numbers, octets, times, truths, words
from campaigns.actions.sending.locked import Locked
from campaigns.actions.sending.rendering import Account, ClaimedRow, Rendered, render
from campaigns.actions.sending.threads import on_own_connection
from campaigns.actions.sending.wording import (
    HOLDS,
    PASSING,
    bound_sentence,
    plan_sentence,
    turn_sentence,
)
from smpp_client.carrier import (
    Fenced,
    InboundMessage,
    Kind,
    LeaseKey,
    Outcome,
    Receipt,
    Room,
    Segment,
    SegmentKey,
    Work,
)
from smpp_client.engine.link import Link
from smpp_client.engine.routing import Routing
from smpp_client.rules.errors import (
    QUEUE_FULL,
    SYSTEM_ERROR,
    StatusClass,
    classify,
    status_classes,
)
from smpp_client.rules.pace import Fairness, Priority, Ration
from smpp_client.rules.segments import Alphabet
from workspaces.queries.keys import keys

CLAIM = "SELECT * FROM claim_range(%s, %s, %s, %s, %s, %s, %s)"
CLAIM_QUEUE = "SELECT * FROM claim_queue(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
HAND_OVER = (
    "UPDATE queued_segment q SET lane_id = l.lane"
    " FROM unnest(%s::bigint[], %s::bigint[]) AS l(position, lane)"
    " WHERE q.campaign_id = %s AND q.position = l.position AND q.batch_id IS NULL"
)
NOTE = "UPDATE progress SET reason = %s, reason_at = %s WHERE campaign_id = %s"
RECORD = (
    "SELECT record_outcomes(%s::bigint[], %s::bigint[], %s::smallint[], %s::smallint[], %s::text[],"
    " %s::integer[], %s::text[], %s::text[], %s::timestamptz[], %s::float8[], %s::integer[])"
)
RECORD_SUBMITTED = (
    "SELECT record_submitted(%s::bigint[], %s::bigint[], %s::text[], %s::timestamptz[])"
)
TAKE_RECEIPTS = (
    "SELECT take_receipts(%s, %s::text[], %s::text[], %s::text[], %s::integer[], %s::bytea[],"
    " %s::timestamptz[], %s::bytea[], %s::text[], %s::boolean[], %s)"
)
# Errors of a statement that could still do its first half: no lock in time, a deadlock, too slow,
# counters that do not fit.
NOT_APPLIED = ("23", "40", "55", "57014")
RECEIPTS_A_TIME, FEWEST_RECEIPTS = 2_000, 30
SENDER_LENGTH = 21
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
ACCOUNT_SECONDS = 3.0
# One thread claims for all sessions of a process: who holds a campaign's rows holds up no other
# campaign for longer than this.
LOCK_TIMEOUT_MS = 500

T = TypeVar("T")

log = structlog.get_logger(__name__)


class CampaignDesk:
    """Implements smpp_client.carrier.Desk.

    Claims, outcomes, receipts and what is applied later have a connection each, used under its own
    lock: outcomes free the intent budget and must not stand behind receipts.
    """

    def __init__(self) -> None:
        self._claims = Link(LOCK_TIMEOUT_MS)
        self._outcomes = Link()
        self._receipts = Link()
        self._applying = Link()
        self._claim_lock = threading.Lock()
        self._outcome_lock = threading.Lock()
        self._receipt_lock = threading.Lock()
        self._apply_lock = threading.Lock()
        self._fairness: dict[int, Fairness] = {}
        self._routing = Routing(self._claims)
        self._rations: dict[int, dict[int, Ration]] = {}
        self._trusted: set[tuple[int, bytes]] = set()
        self._reasons: dict[int, tuple[int, str]] = {}
        self._arrivals = Arrivals()
        self._locked, self._not_held = Locked(), Locked()
        self._receipts_a_time = RECEIPTS_A_TIME
        self._accounts: dict[int, tuple[float, Account]] = {}

    def claim(self, lease: LeaseKey, *, room: Room, now: datetime) -> Work:
        """Commit the intent to submit what fits the room, fairly over those that want it.

        Raises Fenced.
        """
        with self._claim_lock:
            self._release_lost(lease)
            self._arrivals.expect(lease)
            work = self._claim(lease, room, now)
            self._arrivals.arrived(lease, {segment.key.batch_id for segment in work.segments})
            return work

    def leave(self, lease: LeaseKey) -> None:
        """Give back what a claim without an answer may have committed, before others get the
        lease.
        """
        with self._claim_lock:
            self._release_lost(lease)

    def _release_lost(self, lease: LeaseKey) -> None:
        """After a claim without an answer: what was committed and never reached us goes back.

        What did reach us may be in flight, however long ago that was, and is left alone.
        """
        if not self._arrivals.is_in_doubt(lease):
            return
        self._claims.rows(
            "SELECT release_lost(%s, %s, %s)",
            [lease.lease_id, lease.epoch, self._arrivals.newest(lease)],
        )
        self._arrivals.cleared(lease)

    def _claim(self, lease: LeaseKey, room: Room, now: datetime) -> Work:
        wishes = self._wishes(lease, room, now)
        if not wishes:
            return Work((), "")
        fairness = self._fairness.setdefault(lease.connection_id, Fairness())
        granted = fairness.divide(room.segments, [wish.demand for wish in wishes])
        segments: list[Segment] = []
        for wish in wishes:
            # Each may finish a message beyond its grant, but not all of them beyond the room.
            grant = min(granted.get(wish.candidate.id, 0), room.segments - len(segments))
            taken = self._claim_one(lease, wish, grant, now)
            fairness.passed(wish.candidate.id, len(taken) - granted.get(wish.candidate.id, 0))
            segments.extend(taken)
            rivals = sum(other.demand.wanted >= 1 for other in wishes if other is not wish)
            self._explain(wish, granted.get(wish.candidate.id, 0), room, rivals, now)
        return Work(segments, "")

    def _wishes(self, lease: LeaseKey, room: Room, now: datetime) -> list[Wish]:
        ways = self._routing.ways(lease.connection_id, now.timestamp())
        found = candidates(self._claims, ways, now, max(room.segments, 1))
        rows = [row for row in found if not self._locked.has(row.id, now)]
        before = self._rations.get(lease.connection_id, {})
        rations = {row.id: before.get(row.id) or Ration() for row in rows}
        self._rations[lease.connection_id] = rations
        return [wish_of(row, rations[row.id], now) for row in rows if self._is_signed(row, now)]

    def _is_signed(self, candidate: Candidate, now: datetime) -> bool:
        """Whether the approval was made with our key; one that was not is held before anything is
        claimed.
        """
        if candidate.approval is None:
            self._hold(candidate, "no_approval", now)
            return False
        _pk, decider, digest, signature = candidate.approval
        if (candidate.id, signature) in self._trusted:
            return True
        if sign(candidate.id, decider, digest) != signature:
            self._hold(candidate, "signature", now)
            return False
        self._trusted.add((candidate.id, signature))
        return True

    def _claim_one(self, lease: LeaseKey, wish: Wish, room: int, now: datetime) -> list[Segment]:
        candidate = wish.candidate
        self._unless_locked(candidate, partial(store_anchor, self._claims, wish), now)
        segments: list[Segment] = []
        if candidate.waiting and self._is_free(candidate, room, now):
            segments += self._take_queued(lease, wish, room, now)
        left = min(room - len(segments), wish.from_cursor)
        if self._is_free(candidate, left, now):
            segments += self._take_next(lease, wish, left, now)
        return segments

    def _is_free(self, candidate: Candidate, room: int, now: datetime) -> bool:
        return room > 0 and not self._locked.has(candidate.id, now)

    def _take_queued(self, lease: LeaseKey, wish: Wish, room: int, now: datetime) -> list[Segment]:
        candidate = wish.candidate
        share = candidate.way.share
        late = late_before(candidate.way, Priority(candidate.priority), now)
        values = [*_claim_values(lease, wish, room, now), share.start, share.stop, late]
        return self._taken(lease, candidate, self._rows(candidate, CLAIM_QUEUE, values, now), now)

    def _take_next(self, lease: LeaseKey, wish: Wish, room: int, now: datetime) -> list[Segment]:
        rows = self._rows(wish.candidate, CLAIM, _claim_values(lease, wish, room, now), now)
        count = sum(row[3] for row in rows if row[1])
        self._rations[lease.connection_id][wish.candidate.id].took(count)
        return self._taken(lease, wish.candidate, rows, now)

    def _rows(
        self, candidate: Candidate, statement: str, values: list[Any], now: datetime
    ) -> Sequence[Sequence[Any]]:
        rows = self._unless_locked(candidate, partial(self._claims.rows, statement, values), now)
        if rows is None:
            return []
        self._locked.passed(candidate.id)
        return rows

    def _unless_locked(self, candidate: Candidate, act: Callable[[], T], now: datetime) -> T | None:
        """Do one statement; None where somebody holds the campaign's rows, which is left alone for
        a while: all others of the process wait behind it.
        """
        try:
            return act()
        except psycopg.errors.LockNotAvailable as error:
            log.warning("campaign_locked", campaign=candidate.id, error=str(error))
            self._locked.found(candidate.id, now)
            return None

    def _taken(
        self, lease: LeaseKey, candidate: Candidate, claimed: Sequence[Sequence[Any]], now: datetime
    ) -> list[Segment]:
        rows = [ClaimedRow._make(row) for row in claimed]
        if rows and rows[0].refusal:
            self._refused(candidate, rows[0].refusal, now)
            return []
        rows = [row for row in rows if row.batch_id]
        account = self._account(lease.connection_id, now)
        done = render(candidate, rows, account, keys(), now)
        self._settle_unsent(lease, candidate, done)
        if done.misfits:
            self._hold(candidate, "alphabet", now)
        return done.segments

    def _settle_unsent(self, lease: LeaseKey, candidate: Candidate, done: Rendered) -> None:
        """Record what is not for this wire: refused for good, or another connection's number.

        Between the two statements anybody may claim it, and then hands it over as well.
        """
        if done.unsent:
            self.record(lease, done.unsent)
        if done.lanes:
            positions, lanes = list(done.lanes), list(done.lanes.values())
            self._claims.run(HAND_OVER, [positions, lanes, candidate.id])

    def _account(self, connection_id: int, now: datetime) -> Account:
        """Return how the peer wants its segments; read again every few seconds, so that a change
        needs no restart.
        """
        read_at, account = self._accounts.get(connection_id, (0.0, Account(Alphabet.GSM, 3)))
        if now.timestamp() - read_at > ACCOUNT_SECONDS:
            rows = self._claims.rows(
                "SELECT alphabet, short_code_ton, CASE WHEN carrier = 'smpp' THEN long_form"
                " ELSE 'udh' END FROM connection WHERE id = %s",
                [connection_id],
            )
            account = Account(Alphabet(rows[0][0]), rows[0][1], rows[0][2])
            self._accounts[connection_id] = (now.timestamp(), account)
        return account

    def _refused(self, candidate: Candidate, refusal: str, now: datetime) -> None:
        if refusal == "fenced":
            raise Fenced("Another sender has this connection now.")
        if refusal in HOLDS:
            self._hold(candidate, refusal, now)
        elif refusal in PASSING:
            self._note_reason(candidate, PASSING[refusal], now)

    def _hold(self, candidate: Candidate, reason: str, now: datetime) -> None:
        """Hold a campaign of which nothing may be claimed. What keeps it from being held is no
        matter of the session's, and is tried again by a later claim.
        """
        if self._not_held.has(candidate.id, now):
            return
        try:
            with on_own_connection(
                "the sender holds campaigns of all workspaces", lock_timeout_ms=LOCK_TIMEOUT_MS
            ):
                hold(candidate.id, reason=reason, sentence=HOLDS[reason], now=now)
        except psycopg.Error as error:
            log.warning("not_held", campaign=candidate.id, reason=reason, error=str(error))
            self._not_held.found(candidate.id, now)
        else:
            self._not_held.passed(candidate.id)

    def _explain(self, wish: Wish, granted: int, room: Room, rivals: int, now: datetime) -> None:
        """Say, at most once a second, what bound this claim."""
        if wish.candidate.way.share.is_backup or self._locked.has(wish.candidate.id, now):
            return  # the connection whose turn it is says why
        if wish.is_left_to_others:
            if self._reasons.get(wish.candidate.id, (0, ""))[0] < int(now.timestamp()) - 1:
                self._note_reason(wish.candidate, turn_sentence(), now)
            return
        is_bound_by_room = wish.demand.wanted > granted and wish.demand.wanted >= 1
        sentence = bound_sentence(room, rivals) if is_bound_by_room else plan_sentence(wish, now)
        self._note_reason(wish.candidate, sentence, now)

    def _note_reason(self, candidate: Candidate, sentence: str, now: datetime) -> None:
        second = int(now.timestamp())
        if self._reasons.get(candidate.id, (0, ""))[0] == second:
            return
        self._reasons[candidate.id] = (second, sentence)
        self._unless_locked(
            candidate, partial(self._claims.run, NOTE, [sentence[:300], now, candidate.id]), now
        )

    def record(self, lease: LeaseKey, outcomes: Sequence[Outcome]) -> None:
        """Make outcomes durable. Calling it twice with the same outcomes changes nothing."""
        plain = [outcome for outcome in outcomes if _is_plain(outcome)]
        others = _one_each([outcome for outcome in outcomes if not _is_plain(outcome)])
        with self._outcome_lock:
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
        self._outcomes.rows(RECORD_SUBMITTED, values)

    def _classes_for(
        self, connection_id: int, outcomes: Sequence[Outcome]
    ) -> Mapping[int, StatusClass]:
        """Return the connection's own error table, where an outcome may need it."""
        if not any(outcome.kind is Kind.DEFERRED for outcome in outcomes):
            return {}
        rows = self._outcomes.rows(
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
            numbers([outcome.status for outcome in outcomes]),
            words([outcome.cause[:60] for outcome in outcomes]),
            words([outcome.smsc_id[:LONGEST_ID] for outcome in outcomes]),
            times([outcome.at for outcome in outcomes]),
            [seconds for seconds, _cap in retries],
            numbers([cap for _seconds, cap in retries]),
        ]
        self._outcomes.rows(RECORD, values)

    def receive(self, connection_id: int, receipts: Sequence[Receipt]) -> int:
        """Make receipts durable and apply what is plain about them, in one transaction; return how
        many wait for `tidy`.

        What keeps them from being applied does not keep them from being stored. The subscriber is
        kept as a fingerprint.
        """
        values = _receipt_values(connection_id, receipts)
        with self._receipt_lock:
            try:
                rows = self._receipts.rows(TAKE_RECEIPTS, [*values, True])
            except psycopg.Error as error:
                if not (error.sqlstate or "").startswith(NOT_APPLIED):
                    raise
                log.warning("receipts_only_stored", error=str(error))
                rows = self._receipts.rows(TAKE_RECEIPTS, [*values, False])
        return int(rows[0][0])

    def receive_messages(self, connection_id: int, messages: Sequence[InboundMessage]) -> None:
        """Make subscribers' messages durable, with the opt-outs that they ask for."""
        inbound.receive(connection_id, messages)

    def settle_messages(self, connection_id: int, messages: Sequence[InboundMessage]) -> None:
        """Note that the peer has surely read the answers to these."""
        inbound.settle(connection_id, messages)

    def tidy(self) -> int:
        """Apply receipts that could not be applied as they came; return how many were looked at.

        Where they take longer than a statement may, fewer are taken: else the same ones would be
        begun again and again.
        """
        with self._apply_lock:
            values = [self._receipts_a_time, int(settings.RECEIPT_WAIT_HOURS)]
            try:
                rows = self._applying.rows("SELECT apply_receipts(%s, %s)", values)
            except psycopg.errors.QueryCanceled:
                self._receipts_a_time = max(FEWEST_RECEIPTS, self._receipts_a_time // 4)
                raise
            self._receipts_a_time = min(RECEIPTS_A_TIME, 2 * self._receipts_a_time)
        return int(rows[0][0])

    def settle(self, lease: LeaseKey) -> int:
        """Turn what earlier epochs of this lease left open into unknown; return how many."""
        with self._outcome_lock:
            rows = self._outcomes.rows(
                "SELECT settle_lease(%s, %s, %s)", [lease.lease_id, lease.epoch, "the sender ended"]
            )
        return int(rows[0][0])

    def close(self) -> None:
        """Close the connections."""
        self._claims.close()
        self._outcomes.close()
        self._receipts.close()
        self._applying.close()


def _claim_values(lease: LeaseKey, wish: Wish, room: int, now: datetime) -> list[Any]:
    planned = wish.plan.rate if wish.plan is not None and wish.plan.is_spread else 0.0
    candidate = wish.candidate
    return [lease.lease_id, lease.epoch, candidate.id, room, now, planned, candidate.request_id]


def _receipt_values(connection_id: int, receipts: Sequence[Receipt]) -> list[Any]:
    fingerprint = keys().fingerprinter().fingerprint
    return [
        connection_id,
        words([receipt.smsc_id for receipt in receipts]),
        words([receipt.state for receipt in receipts]),
        words([receipt.error for receipt in receipts]),
        numbers([receipt.reference for receipt in receipts]),
        octets([receipt.raw for receipt in receipts]),
        times([receipt.received_at for receipt in receipts]),
        octets(
            [
                fingerprint(receipt.subscriber.lstrip("+")) if receipt.subscriber else None
                for receipt in receipts
            ]
        ),
        words([receipt.sender[:SENDER_LENGTH] for receipt in receipts]),
        truths([receipt.is_unmarked for receipt in receipts]),
    ]


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
