"""A sender that ends in the middle of a message, and outcomes that come when all is over: nothing
is forgotten, and nothing waits for what does not come any more.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection as database
from django.utils import timezone

from campaigns.actions.pushing import PushRequest, push
from campaigns.actions.running import sweep
from campaigns.models import Batch, Campaign, QueuedSegment, Submission
from smpp_client.carrier import Kind, Segment
from smpp_client.engine.leases import Leases
from smpp_client.models import Lease
from tests import make
from tests.campaigns.api.care import TEXT, VALUES, trigger
from tests.campaigns.sending.ground import Ground, counts, derived, outcome
from tests.campaigns.sending.test_receipts import about, bring
from workspaces.actions.keys import create_key
from workspaces.models import ApiKey
from workspaces.rules.permissions import SCOPES

LONG = TEXT + " This text takes three segments." * 10


@pytest.fixture
def pushed(desk: Ground) -> Campaign:
    """A trigger campaign into which one message of three parts was pushed."""
    campaign = trigger(desk.author, desk.route, text=LONG)
    now = timezone.now()
    create_key(by=desk.author, name="Care", scopes=tuple(SCOPES), days=30, now=now)
    by = replace(desk.author, key=ApiKey.objects.get())
    request = PushRequest(campaign.number, "+447700900123", VALUES, "", "00" * 32)
    push(by=by, request=request, key="call-1", now=now)
    return campaign


def killed(desk: Ground) -> None:
    """Let another sender take the lease and settle what this one left."""
    Lease.objects.update(expires_at="2020-01-01T00:00Z")
    other = Leases("other", 60, 1)
    taken = other.take(desk.connection.pk)
    assert taken is not None
    desk.held = taken
    desk.desk.settle(taken.key)
    other.close()


def attempts() -> list[tuple[int, str]]:
    return list(Submission.objects.order_by("part").values_list("part", "kind"))


def claimed(desk: Ground) -> Sequence[Segment]:
    segments = desk.claim()
    assert len(segments) == 3
    return segments


@pytest.mark.parametrize("answered", [0, 1, 2, 3])
def test_the_parts_of_a_pushed_message_are_unknown_if_their_sender_is_killed(
    desk: Ground, pushed: Campaign, answered: int
) -> None:
    segments = claimed(desk)
    desk.record(segments[:answered], Kind.SUBMITTED)
    assert counts(pushed) == ({"submitted": 1} if answered == 3 else {"sending": 1})
    killed(desk)
    fates = ["submitted"] * answered + ["unknown"] * (3 - answered)
    assert attempts() == list(enumerate(fates, start=1))
    assert counts(pushed) == ({"submitted": 1} if answered == 3 else {"unknown": 1})
    assert not QueuedSegment.objects.exists()
    assert not Batch.objects.filter(closed_at=None).exists()


def test_a_part_of_a_pushed_message_that_is_put_off_goes_again_alone(
    desk: Ground, pushed: Campaign
) -> None:
    segments = claimed(desk)
    desk.record(segments[:1], Kind.SUBMITTED)
    desk.record(segments[1:2], Kind.RELEASED)
    desk.record(segments[2:], Kind.SUBMITTED)
    (again,) = desk.claim()
    assert again.key.part == 2
    desk.record([again], Kind.SUBMITTED)
    assert counts(pushed) == {"submitted": 1}
    assert not QueuedSegment.objects.exists()


def test_a_receipt_settles_the_part_of_a_pushed_message_whose_answer_is_lost(
    desk: Ground, pushed: Campaign
) -> None:
    segments = claimed(desk)
    desk.record(segments[:2], Kind.SUBMITTED)
    killed(desk)
    bring(desk, about(segments[2], reference=segments[2].reference))
    assert attempts() == [(1, "submitted"), (2, "submitted"), (3, "submitted")]


@pytest.mark.parametrize("late", [Kind.DEFERRED, Kind.RELEASED])
def test_what_is_unknown_in_a_completed_campaign_stays_for_two_people_to_decide(
    desk: Ground, late: Kind
) -> None:
    campaign = make.sending(desk.author, desk.route, rows=2)
    segments = desk.claim()
    desk.record(segments, Kind.UNKNOWN)
    sweep(now=timezone.now() + timedelta(seconds=5))
    campaign.refresh_from_db()
    assert campaign.state == "completed"
    desk.desk.record(desk.lease, [outcome(one, late, 0x58) for one in segments])
    assert counts(campaign) == {"unknown": 2} == derived(campaign)
    assert not QueuedSegment.objects.exists()
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM resendable(%s, %s)", [campaign.pk, [0, 1]])
        assert cursor.fetchone() == (2,)
    desk.record(segments, Kind.SUBMITTED)
    assert counts(campaign) == {"submitted": 2} == derived(campaign)


def test_a_status_of_any_32_bits_is_stored(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=1)
    (segment,) = desk.claim()
    desk.desk.record(desk.lease, [outcome(segment, Kind.REFUSED, 0xFFFFFFFF)])
    assert Submission.objects.get(campaign=campaign).status == 0x7FFFFFFF
    assert counts(campaign) == {"refused": 1}
