"""The desk: what the engine asks the product for. Intent before bytes, outcomes append only."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import psycopg
import structlog

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
from campaigns.actions.sending.locked import Locked
from campaigns.actions.sending.outcomes import Outcomes
from campaigns.actions.sending.receipts import Receipts
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
    LeaseKey,
    Outcome,
    Receipt,
    Room,
    Segment,
    Work,
)
from smpp_client.engine.link import Link
from smpp_client.engine.routing import Routing
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
        self._outcomes = Outcomes()
        self._receipts = Receipts()
        self._claim_lock = threading.Lock()
        self._fairness: dict[int, Fairness] = {}
        self._routing = Routing(self._claims)
        self._rations: dict[int, dict[int, Ration]] = {}
        self._trusted: set[tuple[int, bytes]] = set()
        self._reasons: dict[int, tuple[int, str]] = {}
        self._arrivals = Arrivals()
        self._locked, self._not_held = Locked(), Locked()
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
        if abs(now.timestamp() - read_at) > ACCOUNT_SECONDS:
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
        self._outcomes.record(lease, outcomes)

    def settle(self, lease: LeaseKey) -> int:
        """Turn what earlier epochs of this lease left open into unknown; return how many."""
        return self._outcomes.settle(lease)

    def receive(self, connection_id: int, receipts: Sequence[Receipt]) -> int:
        """Make receipts durable, each as far as it is plain; return how many wait for `tidy`."""
        return self._receipts.receive(connection_id, receipts)

    def tidy(self) -> int:
        """Apply receipts that could not be applied as they came; return how many were looked at."""
        return self._receipts.tidy()

    def receive_messages(self, connection_id: int, messages: Sequence[InboundMessage]) -> None:
        """Make subscribers' messages durable, with the opt-outs that they ask for."""
        inbound.receive(connection_id, messages)

    def settle_messages(self, connection_id: int, messages: Sequence[InboundMessage]) -> None:
        """Note that the peer has surely read the answers to these."""
        inbound.settle(connection_id, messages)

    def close(self) -> None:
        """Close the connections."""
        self._claims.close()
        self._outcomes.close()
        self._receipts.close()


def _claim_values(lease: LeaseKey, wish: Wish, room: int, now: datetime) -> list[Any]:
    planned = wish.plan.rate if wish.plan is not None and wish.plan.is_spread else 0.0
    candidate = wish.candidate
    return [lease.lease_id, lease.epoch, candidate.id, room, now, planned, candidate.request_id]
