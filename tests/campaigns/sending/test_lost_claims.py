"""A claim whose answer never came: what it committed goes back, what is in flight does not."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection as database
from django.utils import timezone

from campaigns.actions.sending.desk import CLAIM
from campaigns.models import Batch
from smpp_client.carrier import Bound, Kind, LeaseKey, Room, Segment
from smpp_client.engine.link import Link, connect
from smpp_client.models import RouteConnection, SessionStatus
from tests import make
from tests.campaigns.sending.ground import Ground, counts, derived
from tests.poll import poll


class Cut(Link):
    """A link that breaks once, after the server has committed and before its answer is read."""

    is_due = False

    def rows(
        self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Run the statement; lose the answer of one claim."""
        found = super().rows(statement, values)
        if self.is_due and statement == CLAIM:
            self.is_due = False
            self.close()
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return found


class Slow(Link):
    """A link that breaks once while its claim still runs, in a transaction that others commit."""

    running: psycopg.Connection[tuple[Any, ...]] | None = None

    def rows(
        self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Run the statement; leave the first claim behind."""
        if self.running is not None or statement != CLAIM:
            return super().rows(statement, values)
        self.running = connect()
        self.running.execute("SET idle_in_transaction_session_timeout = 0")
        self.running.autocommit = False
        self.running.execute(statement.encode(), values)
        raise psycopg.OperationalError("server closed the connection unexpectedly")


@pytest.fixture
def cut(desk: Ground) -> Cut:
    """The link of the desk's claims."""
    desk.desk._claims.close()
    link = desk.desk._claims = Cut()
    desk.desk._routing._link = link
    return link


def lose_a_claim(desk: Ground, cut: Cut) -> None:
    """Let a claim of three messages be committed and not answered."""
    cut.is_due = True
    with pytest.raises(psycopg.OperationalError):
        desk.claim(room=3)
    assert Batch.objects.latest("pk").open_count == 3


def other_lease(desk: Ground) -> LeaseKey:
    """Return the lease of another connection of the same route and process."""
    other = make.connection()
    RouteConnection.objects.create(route=desk.route, connection=other)
    held = desk.leases.take(other.pk)
    assert held is not None
    now = timezone.now()
    for lease in (desk.lease, held.key):
        SessionStatus.objects.create(
            lease_id=lease.lease_id, state="bound", since_at=now, observed_at=now
        )
    return held.key


def soon() -> datetime:
    """Return when what was just given back may be claimed by anybody."""
    return timezone.now() + timedelta(seconds=1)


def positions(segments: Sequence[Segment]) -> list[int]:
    return sorted(segment.key.position for segment in segments)


def test_only_what_never_arrived_goes_back_however_long_the_rest_is_in_flight(
    desk: Ground, cut: Cut
) -> None:
    campaign = make.sending(desk.author, desk.route, rows=30)
    in_flight = desk.claim(room=2)
    for _turn in range(8):
        desk.record(desk.claim(room=2), Kind.SUBMITTED)
    lose_a_claim(desk, cut)
    again = [*desk.claim(), *desk.claim(now=soon())]
    assert not set(positions(again)) & set(positions(in_flight))
    assert positions(again) == list(range(18, 30))
    desk.record([*in_flight, *again], Kind.SUBMITTED)
    assert counts(campaign) == {"submitted": 30} == derived(campaign)


def test_a_lost_claim_stays_in_doubt_while_another_lease_claims(desk: Ground, cut: Cut) -> None:
    campaign = make.sending(desk.author, desk.route, rows=12)
    theirs = other_lease(desk)
    room = Room(2, Bound.RATE, 100)
    first = desk.desk.claim(theirs, room=room, now=timezone.now()).segments
    lose_a_claim(desk, cut)
    second = desk.desk.claim(theirs, room=room, now=timezone.now()).segments
    third = desk.claim()
    ours = [*first, *second, *third]
    desk.record(ours, Kind.SUBMITTED)
    rest = desk.claim(now=soon())
    desk.record(rest, Kind.SUBMITTED)
    assert sorted([*positions(ours), *positions(rest)]) == list(range(12))
    assert counts(campaign) == {"submitted": 12} == derived(campaign)
    assert not Batch.objects.filter(closed_at=None).exists()


def test_a_lost_claim_goes_back_before_its_lease_is_left(desk: Ground, cut: Cut) -> None:
    campaign = make.sending(desk.author, desk.route, rows=5)
    in_flight = desk.claim(room=2)
    lose_a_claim(desk, cut)
    desk.desk.leave(desk.lease)
    assert counts(campaign) == {"sending": 2, "queued": 3} == derived(campaign)
    assert set(Batch.objects.filter(closed_at=None).values_list("pk", flat=True)) == {
        segment.key.batch_id for segment in in_flight
    }


def test_a_claim_that_still_runs_is_waited_for_and_then_goes_back(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=5)
    slow = desk.desk._claims = Slow()
    desk.desk._routing._link = slow
    with pytest.raises(psycopg.OperationalError):
        desk.claim(room=3)
    assert slow.running is not None
    with ThreadPoolExecutor(1) as pool:
        left = pool.submit(desk.desk.leave, desk.lease)
        poll(lambda: waits_for_a_lock() or left.done(), 10)
        slow.running.commit()
        slow.running.close()
        left.result(10)
    assert counts(campaign) == {"queued": 5} == derived(campaign)
    assert not Batch.objects.filter(closed_at=None).exists()


def waits_for_a_lock() -> bool:
    """Tell whether somebody waits for a row of this database."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return cursor.fetchone() is not None


def test_what_an_earlier_epoch_left_is_no_later_epochs_to_release(desk: Ground, cut: Cut) -> None:
    campaign = make.sending(desk.author, desk.route, rows=9)
    desk.claim(room=2)
    desk.leases.release(desk.held)
    taken = desk.leases.take(desk.connection.pk)
    assert taken is not None
    desk.held = taken
    lose_a_claim(desk, cut)
    desk.desk.leave(desk.lease)
    assert counts(campaign) == {"sending": 2, "queued": 7}
    assert desk.desk.settle(desk.lease) == 2
    assert counts(campaign) == {"unknown": 2, "queued": 7} == derived(campaign)
