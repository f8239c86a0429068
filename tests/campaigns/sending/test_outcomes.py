"""Outcomes in bulk: the short way of accepted segments does what the long one does."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.utils import timezone

from campaigns.actions.sending.literals import numbers, octets, times, truths, words
from campaigns.models import Batch, QueuedSegment
from smpp_client.carrier import Kind
from smpp_client.engine.link import connect
from tests import make
from tests.campaigns.sending.ground import Ground, counts, derived, outcome

LONG = "Hello {{name}}, " + "this text takes two segments. " * 7


def test_some_of_a_flush_may_be_known_already(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=6)
    segments = desk.claim()
    desk.record(segments[:2], Kind.SUBMITTED)
    desk.record(segments[2:4], Kind.UNKNOWN)
    desk.record(segments, Kind.SUBMITTED)
    assert counts(campaign) == {"submitted": 6} == derived(campaign)
    assert not Batch.objects.filter(closed_at=None).exists()
    assert not Batch.objects.exclude(open_count=0).exists()


def test_a_flush_holds_outcomes_of_several_campaigns_batches_and_kinds(desk: Ground) -> None:
    first = make.sending(desk.author, desk.route, rows=5)
    second = make.sending(desk.author, desk.route, rows=4, text=LONG)
    segments = [*desk.claim(room=3), *desk.claim(room=3), *desk.claim()]
    refused = segments[:1]
    mixed = [outcome(segment, Kind.SUBMITTED) for segment in segments[1:]]
    desk.desk.record(desk.lease, [*mixed[:4], outcome(refused[0], Kind.REFUSED, 0x0B), *mixed[4:]])
    for campaign in (first, second):
        assert counts(campaign) == derived(campaign)
    assert counts(first).get("refused", 0) + counts(second).get("refused", 0) == 1
    assert not Batch.objects.filter(closed_at=None).exists()


def test_a_queued_segment_leaves_the_queue_when_it_is_accepted(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=3)
    desk.record(desk.claim(), Kind.RELEASED)
    assert QueuedSegment.objects.count() == 3
    desk.record(desk.claim()[:2], Kind.SUBMITTED)
    assert QueuedSegment.objects.count() == 1
    assert counts(campaign) == {"submitted": 2, "sending": 1} == derived(campaign)


def test_an_answer_right_after_its_timer_is_one_outcome_of_its_segment(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=2, text=LONG)
    segments = desk.claim()
    late = [outcome(segment, Kind.UNKNOWN) for segment in segments]
    answered = [outcome(segment, Kind.SUBMITTED) for segment in segments]
    desk.desk.record(desk.lease, [*late, *answered])
    assert counts(campaign) == {"submitted": 2} == derived(campaign)


def test_an_id_longer_than_any_column_is_cut_alike_in_answer_and_receipt(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=1)
    segments = desk.claim()
    long = outcome(segments[0], Kind.SUBMITTED)._replace(smsc_id="x" * 90)
    desk.desk.record(desk.lease, [long])
    assert counts(campaign) == {"submitted": 1} == derived(campaign)


@pytest.mark.parametrize(
    ("status", "fate"),
    [(0x53, "deferred"), (0x0E, "deferred"), (0x08, "deferred"), (0x45, "refused")],
)
def test_a_segment_is_not_used_up_by_what_is_no_fault_of_its_own(
    desk: Ground, status: int, fate: str
) -> None:
    campaign = make.sending(desk.author, desk.route, rows=1)
    now = timezone.now()
    for _attempt in range(8):
        desk.record(desk.claim(now=now), Kind.DEFERRED, status)
        now += timedelta(minutes=10)
    assert counts(campaign) == {fate: 1} == derived(campaign)


@pytest.fixture
def link(desk: Ground) -> psycopg.Connection[tuple[object, ...]]:
    """A connection of the sender's."""
    return connect()


def test_literals_come_back_as_they_were(link: psycopg.Connection[tuple[object, ...]]) -> None:
    texts = [
        "",
        "a",
        "NULL",
        "null",
        'say "hi"',
        "a,b",
        "{x}",
        "back\\slash",
        " spaced ",
        "é€",
        "\n",
    ]
    at = datetime(2026, 11, 21, 9, 0, 0, 123456, tzinfo=UTC)
    row = link.execute(
        "SELECT %s::text[], %s::bigint[], %s::timestamptz[], %s::text[], %s::text[]",
        [words(texts), numbers([1, -2]), times([at, at]), words(["7-a", "b.c"]), words([])],
    ).fetchone()
    assert row == (texts, [1, -2], [at, at], ["7-a", "b.c"], [])
    row = link.execute(
        "SELECT %s::bytea[], %s::bytea[], %s::boolean[]",
        [octets([b"", b"\0\xff\\", None]), octets([]), truths([True, False])],
    ).fetchone()
    assert row == ([b"", b"\0\xff\\", None], [], [True, False])
    # A length of four octets of ones, as a null has, inside a value.
    row = link.execute("SELECT %s::bytea[]", [octets([b"\xff" * 4, b"x" * 70_000])]).fetchone()
    assert row == ([b"\xff" * 4, b"x" * 70_000],)


def test_times_keep_their_microseconds(link: psycopg.Connection[tuple[object, ...]]) -> None:
    start = datetime(2026, 11, 21, 9, 0, 0, tzinfo=UTC)
    moments = [
        start.replace(year=year, microsecond=n)
        for year in (1999, 2026, 2099)
        for n in (0, 1, 7, 333_333, 499_999, 500_001, 999_999)
    ]
    row = link.execute("SELECT %s::timestamptz[], %s::timestamptz[]", [times(moments), times([])])
    assert row.fetchone() == (moments, [])
