"""Two connections of one route at the desk: weights, backups, number ranges."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from campaigns.actions.lanes import SETTLED, clear_lanes
from campaigns.actions.sending.desk import CampaignDesk
from campaigns.models import Campaign, Progress, QueuedSegment, RateSample
from smpp_client.actions.noting import COMMAND_LINE
from smpp_client.actions.routes import remove_range
from smpp_client.carrier import Bound, Kind, LeaseKey, Room, Segment
from smpp_client.models import (
    FIRST_RECEIVER_SLOT,
    Connection,
    Lease,
    RouteConnection,
    RouteGrant,
    RouteRange,
    SessionStatus,
)
from tests import make
from tests.campaigns.sending.ground import Ground, counts, derived, outcome
from workspaces.models import Workspace
from workspaces.rules.permissions import Role

LONG = "Hello {{name}}, " + "this text takes two segments. " * 7


@dataclass
class Wire:
    """A connection whose sender is a process of its own: a lease, a desk, what it took."""

    lease: LeaseKey
    desk: CampaignDesk
    sent: list[Segment] = field(default_factory=list)

    def turn(self, now: datetime, room: int = 1_000) -> list[Segment]:
        """Claim and submit what may go now."""
        wanted = Room(room, Bound.RATE, room)
        segments = list(self.desk.claim(self.lease, room=wanted, now=now).segments)
        self.desk.record(self.lease, [outcome(one, Kind.SUBMITTED) for one in segments])
        self.sent += segments
        return segments

    @property
    def numbers(self) -> set[str]:
        return {segment.destination.value for segment in self.sent}


@dataclass
class Pair:
    """A ground with two wires over its route."""

    ground: Ground
    other: Connection
    a: Wire
    b: Wire

    def weigh(self, weight: int, other: int, *, tier: int = 0) -> None:
        """Set the weights, and the other's tier."""
        mine = RouteConnection.objects.filter(connection=self.ground.connection)
        mine.update(weight=weight)
        RouteConnection.objects.filter(connection=self.other).update(weight=other, tier=tier)

    def seen(self, state: str, now: datetime) -> None:
        """Write of both what their senders observe."""
        for wire in (self.a, self.b):
            self.observe(wire.lease.lease_id, now, state=state)

    def observe(self, lease: int, now: datetime, **seen: object) -> None:
        """Write what the owner of a lease observes."""
        SessionStatus.objects.update_or_create(
            lease_id=lease, defaults={**seen, "since_at": now, "observed_at": now}
        )


@pytest.fixture
def pair(desk: Ground) -> Pair:
    other = make.connection()
    RouteConnection.objects.create(route=desk.route, connection=other)
    held = desk.leases.take(other.pk)
    assert held is not None
    made = Pair(desk, other, Wire(desk.lease, desk.desk), Wire(held.key, CampaignDesk()))
    # Fresh for as long as the test runs, on however busy a machine.
    made.seen("bound", timezone.now() + timedelta(hours=1))
    return made


def spread(pair: Pair, rows: int, seconds: float, **fields: object) -> tuple[Campaign, datetime]:
    """Make a spread that is sending, and say when it begins."""
    start = timezone.now() + timedelta(seconds=1)
    campaign = make.approved(
        pair.ground.author,
        pair.ground.route,
        rows=rows,
        mode="spread",
        starts_at=start,
        ends_at=start + timedelta(seconds=seconds),
        **fields,
    )
    Campaign.objects.filter(pk=campaign.pk).update(state="sending", started_at=start)
    return campaign, start


def test_a_spread_splits_by_weight(pair: Pair) -> None:
    pair.weigh(3, 1)
    campaign, start = spread(pair, 200, 20)
    for tick in range(500):
        now = start + timedelta(milliseconds=40 * tick)
        pair.a.turn(now)
        pair.b.turn(now + timedelta(milliseconds=20))
    assert counts(campaign) == {"submitted": 200} == derived(campaign)
    assert len(pair.a.sent) == pytest.approx(150, rel=0.05)
    assert len(pair.a.numbers | pair.b.numbers) == 200


def test_long_messages_are_not_sent_ahead_of_their_plan(pair: Pair) -> None:
    pair.weigh(1, 0)
    campaign, start = spread(pair, 40, 20, text=LONG)
    halfway = 0
    for tick in range(500):
        pair.a.turn(start + timedelta(milliseconds=40 * tick))
        halfway = len(pair.a.sent) if tick == 250 else halfway
    assert halfway == pytest.approx(40, abs=4)
    assert counts(campaign) == {"submitted": 40}


def test_what_waits_is_divided_as_well(pair: Pair) -> None:
    pair.weigh(3, 1)
    campaign = make.sending(pair.ground.author, pair.ground.route, rows=80)
    taken = pair.ground.claim(room=100)
    now = timezone.now()
    released = [outcome(one, Kind.RELEASED)._replace(at=now) for one in taken]
    pair.ground.desk.record(pair.ground.lease, released)
    pair.b.turn(now)
    pair.a.turn(now)
    assert len(pair.b.sent) == pytest.approx(20, abs=1)
    assert counts(campaign) == {"submitted": 80} == derived(campaign)


def test_what_another_left_waiting_is_taken(pair: Pair) -> None:
    pair.weigh(3, 1)
    campaign = make.sending(pair.ground.author, pair.ground.route, rows=20)
    taken = pair.ground.claim(room=100)
    pair.ground.desk.record(pair.ground.lease, [outcome(one, Kind.RELEASED) for one in taken])
    pair.b.turn(timezone.now() + timedelta(seconds=0.2))
    assert counts(campaign) == {"submitted": 20}


def test_a_backup_waits_until_no_primary_is_seen(pair: Pair) -> None:
    pair.weigh(1, 1, tier=1)
    campaign = make.sending(pair.ground.author, pair.ground.route, rows=5)
    now = timezone.now()
    assert not pair.b.turn(now)
    pair.seen("down", now)
    assert len(pair.b.turn(now + timedelta(seconds=1))) == 5
    assert counts(campaign) == {"submitted": 5}


def test_a_backup_takes_over_when_the_primary_has_fallen_silent(pair: Pair) -> None:
    pair.weigh(1, 1, tier=1)
    make.sending(pair.ground.author, pair.ground.route, rows=5)
    now = timezone.now()
    pair.seen("bound", now - timedelta(seconds=3))
    assert len(pair.b.turn(now)) == 5


def test_a_backup_carries_while_the_primary_stands_still_and_tries_single_segments(
    pair: Pair,
) -> None:
    pair.weigh(1, 1, tier=1)
    campaign = make.sending(pair.ground.author, pair.ground.route, rows=9)
    now = timezone.now()
    fresh = now + timedelta(hours=1)
    pair.observe(pair.a.lease.lease_id, fresh, stands_still=True)
    assert len(pair.a.turn(now, room=1)) == 1
    assert len(pair.b.turn(now, room=4)) == 4
    assert len(pair.a.turn(now, room=1)) == 1
    pair.observe(pair.a.lease.lease_id, fresh, stands_still=False)
    assert not pair.b.turn(now + timedelta(seconds=1))
    pair.a.turn(now + timedelta(seconds=1))
    assert len(pair.a.numbers | pair.b.numbers) == 9
    assert counts(campaign) == {"submitted": 9} == derived(campaign)


def test_a_backup_takes_over_when_of_a_pair_only_the_receiver_is_up(pair: Pair) -> None:
    pair.weigh(1, 1, tier=1)
    make.sending(pair.ground.author, pair.ground.route, rows=5)
    receiver = Lease.objects.create(connection=pair.ground.connection, slot=FIRST_RECEIVER_SLOT)
    now = timezone.now()
    fresh = now + timedelta(hours=1)
    Lease.objects.filter(pk=receiver.pk).update(expires_at=fresh)
    pair.observe(receiver.pk, fresh, state="bound")
    assert not pair.b.turn(now)
    pair.observe(pair.a.lease.lease_id, fresh, state="down")
    assert len(pair.b.turn(now + timedelta(seconds=1))) == 5


def own_range(pair: Pair, prefix: str) -> None:
    RouteRange.objects.create(route=pair.ground.route, prefix=prefix, connection=pair.other)


@pytest.mark.parametrize("text", ["Hello {{name}}", LONG])
def test_a_number_goes_out_over_the_connection_of_its_range(pair: Pair, text: str) -> None:
    pair.weigh(1, 0)
    own_range(pair, make.number(0)[:-1])
    campaign = make.sending(pair.ground.author, pair.ground.route, rows=25, text=text)
    now = timezone.now()
    for tick in range(4):
        pair.a.turn(now + timedelta(seconds=tick))
        pair.b.turn(now + timedelta(seconds=tick))
    assert pair.b.numbers == {make.number(index) for index in range(10)}
    assert pair.a.numbers == {make.number(index) for index in range(10, 25)}
    assert counts(campaign) == {"submitted": 25} == derived(campaign)
    row = Progress.objects.get(campaign=campaign)
    assert row.claimed_segments == row.submitted_segments == campaign.segment_total
    sampled = sum(one.claimed for one in RateSample.objects.filter(campaign=campaign))
    assert sampled == campaign.segment_total
    assert not QueuedSegment.objects.exists()


def test_numbers_whose_connection_is_down_wait_while_the_others_go(pair: Pair) -> None:
    pair.weigh(1, 0)
    own_range(pair, make.number(0)[:-1])
    campaign = make.sending(pair.ground.author, pair.ground.route, rows=25)
    now = timezone.now()
    pair.a.turn(now)
    assert not pair.a.turn(now + timedelta(seconds=5))
    assert counts(campaign) == {"submitted": 15, "queued": 10} == derived(campaign)


def removed(pair: Pair, prefix: str) -> datetime:
    """Remove a range as a person does; return when its lanes are sorted anew."""
    now = timezone.now()
    remove_range(name=pair.ground.route.name, prefix=prefix, by=COMMAND_LINE, now=now)
    return now + SETTLED


def test_numbers_of_a_range_that_is_removed_go_over_the_others(pair: Pair) -> None:
    pair.weigh(1, 0)
    prefix = make.number(0)[:-1]
    own_range(pair, prefix)
    campaign = make.sending(pair.ground.author, pair.ground.route, rows=25)
    pair.a.turn(timezone.now())
    assert clear_lanes(timezone.now()) == 0
    later = removed(pair, prefix)
    assert clear_lanes(later) == 10
    pair.a.turn(later)
    assert counts(campaign) == {"submitted": 25} == derived(campaign)


def test_numbers_that_move_out_of_a_range_do_not_wait_for_its_connection_any_more(
    pair: Pair,
) -> None:
    pair.weigh(1, 0)
    prefix, kept = make.number(0)[:-1], make.number(10)[:-1]
    own_range(pair, prefix)
    own_range(pair, kept)
    campaign = make.sending(pair.ground.author, pair.ground.route, rows=25)
    pair.a.turn(timezone.now())
    later = removed(pair, prefix)
    assert clear_lanes(later - timedelta(seconds=1)) == 0
    assert clear_lanes(later) == 20
    assert clear_lanes(later) == 0
    pair.a.turn(later)
    assert counts(campaign) == {"submitted": 15, "queued": 10} == derived(campaign)
    assert QueuedSegment.objects.exclude(lane_id=None).count() == 10


def test_a_backup_still_sends_what_is_in_its_own_range(pair: Pair) -> None:
    pair.weigh(1, 1, tier=1)
    own_range(pair, make.number(0)[:-1])
    make.sending(pair.ground.author, pair.ground.route, rows=12)
    pair.a.turn(timezone.now())
    pair.b.turn(timezone.now())
    assert len(pair.a.sent) == 2
    assert len(pair.b.sent) == 10


def test_two_workspaces_on_one_route_get_their_shares(desk: Ground) -> None:
    other = make.person_in(make.workspace(), Role.ADMIN)
    RouteGrant.objects.create(workspace=other.here, route=desk.route, created_at=timezone.now())
    Workspace.objects.filter(pk=desk.author.here.pk).update(weight=3)
    mine = make.sending(desk.author, desk.route, rows=400)
    theirs = make.sending(other, desk.route, rows=400)
    for _second in range(40):
        desk.claim(room=7)
    taken = [Progress.objects.get(campaign=one).claimed_segments for one in (mine, theirs)]
    assert sum(taken) == 280
    assert taken[0] == pytest.approx(210, rel=0.05)
