"""Claims, outcomes and receipts at the desk, against the database's own functions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection as database
from django.utils import timezone

from campaigns.actions import review, running
from campaigns.models import (
    Batch,
    Campaign,
    OptOut,
    QueuedSegment,
    Recipient,
    RecipientList,
)
from campaigns.rules.campaign_states import State
from smpp_client.carrier import Fenced, Kind
from smpp_client.engine.link import connect
from tests import make
from tests.campaigns.names import revised
from tests.campaigns.sending.ground import Ground, counts, derived
from tests.workspaces.log import entries
from workspaces.queries.keys import keys
from workspaces.rules.permissions import Role

LONG = "Hello {{name}}, " + "this text takes two segments. " * 7


def test_every_person_gets_his_own_text_once(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=7)
    first, rest = desk.claim(room=3), desk.claim(room=100)
    assert len(first) == 3
    segments = [*first, *rest]
    assert sorted(segment.destination.value for segment in segments) == [
        make.number(index) for index in range(7)
    ]
    texts = {s.destination.value: s.short_message.decode() for s in segments}
    assert texts[make.number(4)] == "Hello Name4"
    assert not desk.claim()
    assert counts(campaign) == {"sending": 7} == derived(campaign)


def test_a_batch_carries_the_request_that_set_its_campaign_going(desk: Ground) -> None:
    moderator = make.person_in(desk.author.here, Role.MODERATOR)
    approver = replace(moderator, request_id="approved-by-this")
    author = replace(desk.author, request_id="resumed-by-this")
    waiting = make.in_review(desk.author, desk.route, rows=4)
    seen = review.digest_of(waiting.pk).hex()
    review.approve(number=waiting.number, by=approver, seen=seen, now=timezone.now())
    running.sweep(timezone.now())
    desk.claim(room=2)
    running.pause(number=waiting.number, by=author, now=timezone.now())
    running.resume(number=waiting.number, by=author, now=timezone.now())
    desk.claim()
    carried = list(Batch.objects.order_by("pk").values_list("request_id", flat=True))
    assert carried == ["approved-by-this", "resumed-by-this"]
    [started] = [entry for entry in entries(desk.author.here) if entry["op"] == "campaign.start"]
    assert started["req"] == "approved-by-this"


def test_outcomes_move_the_counters_and_close_the_batch(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=4)
    segments = desk.claim()
    desk.record(segments[:1], Kind.SUBMITTED)
    desk.record(segments[1:2], Kind.REFUSED, 0x0B)
    desk.record(segments[2:3], Kind.UNKNOWN)
    desk.record(segments[3:], Kind.DEFERRED, 0x58)
    wanted = {"submitted": 1, "refused": 1, "unknown": 1, "deferred": 1}
    assert counts(campaign) == wanted == derived(campaign)
    assert not Batch.objects.filter(closed_at=None).exists()


def test_recording_the_same_outcome_twice_changes_nothing(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=2)
    segments = desk.claim()
    desk.record(segments, Kind.SUBMITTED)
    desk.record(segments, Kind.SUBMITTED)
    desk.record(segments, Kind.UNKNOWN)
    assert counts(campaign) == {"submitted": 2} == derived(campaign)


def test_a_late_answer_settles_an_unknown(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=2)
    segments = desk.claim()
    desk.record(segments, Kind.UNKNOWN)
    desk.record(segments[:1], Kind.SUBMITTED)
    assert counts(campaign) == {"unknown": 1, "submitted": 1} == derived(campaign)


def test_a_deferred_segment_is_claimed_again_when_its_time_has_come(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=1)
    desk.record(desk.claim(), Kind.DEFERRED, 0x58)
    assert not desk.claim()
    again = desk.claim(now=timezone.now() + timedelta(seconds=5))
    assert len(again) == 1
    assert counts(campaign) == {"sending": 1} == derived(campaign)
    desk.record(again, Kind.SUBMITTED)
    assert counts(campaign) == {"submitted": 1} == derived(campaign)
    assert not QueuedSegment.objects.exists()


def test_a_released_segment_goes_again_at_once(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=1)
    desk.record(desk.claim(), Kind.RELEASED)
    assert counts(campaign) == {"queued": 1} == derived(campaign)
    desk.record(desk.claim(), Kind.SUBMITTED)
    assert counts(campaign) == {"submitted": 1} == derived(campaign)


def test_an_opted_out_person_is_suppressed_in_the_claim(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=3)
    OptOut.objects.create(
        workspace=desk.author.here,
        fingerprint=keys().fingerprint(make.number(1)),
        number_sealed=keys().seal_number(make.number(1), desk.author.here.pk),
        source="page",
        added_at=timezone.now(),
    )
    segments = desk.claim()
    assert make.number(1) not in {segment.destination.value for segment in segments}
    assert counts(campaign) == {"sending": 2, "suppressed": 1} == derived(campaign)


def test_receipts_bring_messages_to_delivered_and_never_back(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=3)
    segments = desk.claim()
    desk.record(segments, Kind.SUBMITTED)
    desk.receipts(segments[:2], "delivered")
    desk.receipts(segments[2:], "undeliverable")
    assert counts(campaign) == {"delivered": 2, "undelivered": 1} == derived(campaign)
    desk.receipts(segments[:2], "undeliverable")
    desk.receipts(segments[:2], "enroute")
    desk.receipts(segments[2:], "delivered")
    assert counts(campaign) == {"delivered": 3} == derived(campaign)


def test_a_receipt_before_its_answer_is_matched_afterwards(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=1)
    segments = desk.claim()
    desk.receipts(segments, "delivered")
    assert counts(campaign) == {"sending": 1}
    desk.record(segments, Kind.SUBMITTED)
    desk.desk.tidy()
    assert counts(campaign) == {"delivered": 1} == derived(campaign)


def test_a_long_message_is_delivered_when_all_its_parts_are(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=2, text=LONG)
    segments = desk.claim()
    assert [segment.key.part for segment in segments] == [1, 2, 1, 2]
    desk.record(segments, Kind.SUBMITTED)
    desk.receipts(segments[:3], "delivered")
    assert counts(campaign) == {"delivered": 1, "submitted": 1} == derived(campaign)
    desk.receipts(segments[3:], "delivered")
    assert counts(campaign) == {"delivered": 2} == derived(campaign)


def test_only_the_failed_part_of_a_long_message_goes_again(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=1, text=LONG)
    segments = desk.claim()
    desk.record(segments[:1], Kind.SUBMITTED)
    assert counts(campaign) == {"sending": 1} == derived(campaign)
    desk.record(segments[1:], Kind.DEFERRED, 0x58)
    assert counts(campaign) == {"deferred": 1} == derived(campaign)
    again = desk.claim(now=timezone.now() + timedelta(seconds=5))
    assert [segment.key.part for segment in again] == [2]
    assert again[0].short_message == segments[1].short_message
    desk.record(again, Kind.SUBMITTED)
    assert counts(campaign) == {"submitted": 1} == derived(campaign)


def test_a_claim_smaller_than_a_message_takes_the_whole_message(desk: Ground) -> None:
    make.sending(desk.author, desk.route, rows=2, text=LONG)
    assert [segment.key.part for segment in desk.claim(room=1)] == [1, 2]


def test_a_new_epoch_turns_what_is_open_into_unknown(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=5)
    segments = desk.claim(room=3)
    desk.record(segments[:1], Kind.SUBMITTED)
    desk.leases.release(desk.held)
    taken = desk.leases.take(desk.connection.pk)
    assert taken is not None
    assert desk.desk.settle(taken.key) == 2
    wanted = {"submitted": 1, "unknown": 2, "queued": 2}
    assert counts(campaign) == wanted == derived(campaign)
    with pytest.raises(Fenced):
        desk.claim()


def test_a_frozen_owner_that_wakes_up_settles_what_it_knows(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=2)
    segments = desk.claim()
    desk.leases.release(desk.held)
    taken = desk.leases.take(desk.connection.pk)
    assert taken is not None
    assert desk.desk.settle(taken.key) == 2
    desk.record(segments[:1], Kind.SUBMITTED)
    assert counts(campaign) == {"submitted": 1, "unknown": 1} == derived(campaign)


def test_cancelling_drops_the_rest_and_lets_the_flight_finish(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=6)
    segments = desk.claim(room=3)
    desk.record(segments[:1], Kind.DEFERRED, 0x58)
    dropped = running.cancel(
        number=campaign.number, by=desk.author, why="mistake", now=timezone.now()
    )
    assert dropped == 4
    assert counts(campaign) == {"sending": 2, "cancelled": 4} == derived(campaign)
    desk.record(segments[1:2], Kind.SUBMITTED)
    desk.record(segments[2:], Kind.RELEASED)
    assert counts(campaign) == {"submitted": 1, "cancelled": 5} == derived(campaign)
    assert not desk.claim()


def test_nothing_is_claimed_while_paused(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=3)
    running.pause(number=campaign.number, by=desk.author, now=timezone.now())
    assert not desk.claim()
    running.resume(number=campaign.number, by=desk.author, now=timezone.now())
    assert len(desk.claim()) == 3


# What may be another than approved, and how the refusal sorts it: a sender and a revision that do
# not belong together are nobody's name, all else is not what was approved.
CHANGES = {
    "text = 'Send money'": "digest",
    "ends_at = now() + interval '9 hours'": "digest",
    "starts_at = now() - interval '9 hours'": "digest",
    "daily_from = '00:00', daily_until = '23:59'": "digest",
    "rate_ceiling = 99": "digest",
    "priority = 'transactional'": "digest",
    "route_id = {route}": "digest",
    "sender_revision_id = {older}": "digest",
    "sender_id = {sender}, sender_revision_id = {theirs}": "digest",
    "sender_id = {sender}": "sender",
    "sender_revision_id = {theirs}": "sender",
}


def test_what_is_changed_by_sql_while_sending_is_held_before_the_next_segment(
    desk: Ground,
) -> None:
    others = others_of_everything(desk)
    for change, reason in CHANGES.items():
        campaign = make.sending(desk.author, desk.route, rows=3, sender_id=others["own"])
        assert len(desk.claim(room=1)) == 1
        with database.cursor() as cursor:
            words = change.format(**others)
            cursor.execute(f"UPDATE campaign SET {words} WHERE id = %s", [campaign.pk])  # noqa: S608
        # A ceiling that came with the change lets something be due a moment later only.
        soon = timezone.now() + timedelta(seconds=1)
        assert not desk.claim(now=soon), change
        campaign.refresh_from_db()
        assert (campaign.state, campaign.hold_reason) == (State.HELD, reason), change
        assert not desk.claim(now=soon), change
        assert Batch.objects.filter(campaign=campaign).count() == 1, change


def others_of_everything(desk: Ground) -> dict[str, int]:
    """Make the sender to send from, with an older revision; another sender in use; another route
    over the same connection that the workspace may use just as well. Return their ids.
    """
    place = desk.author.here
    own, other = make.sender(place), make.sender(place)
    revised(own.pk, desk.author)
    return {
        "own": own.pk,
        "older": own.approved_revision_id or 0,
        "sender": other.pk,
        "theirs": other.approved_revision_id or 0,
        "route": make.route(place, desk.connection).pk,
    }


@contextmanager
def held_by_somebody(campaign: Campaign, strength: str) -> Iterator[None]:
    """Hold a campaign's row in another transaction."""
    with connect() as other, other.transaction():
        other.execute(f"SELECT FROM campaign WHERE id = %s FOR {strength}", [campaign.pk])
        yield


def test_a_campaign_whose_row_somebody_holds_does_not_hold_up_the_others(desk: Ground) -> None:
    locked = make.sending(desk.author, desk.route, rows=3)
    other = make.sending(desk.author, desk.route, rows=3)
    with held_by_somebody(locked, "UPDATE"):
        assert {segment.key.campaign_id for segment in desk.claim()} == {other.pk}
        # Not even asked again for a while.
        assert not desk.claim()
    later = timezone.now() + timedelta(seconds=10)
    assert {segment.key.campaign_id for segment in desk.claim(now=later)} == {locked.pk}
    for campaign in (locked, other):
        assert counts(campaign) == {"sending": 3} == derived(campaign)


def test_what_keeps_a_campaign_from_being_held_costs_no_session(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=3)
    other = make.sending(desk.author, desk.route, rows=3)
    with database.cursor() as cursor:
        cursor.execute("UPDATE campaign SET text = 'Send money' WHERE id = %s", [campaign.pk])
    with held_by_somebody(campaign, "SHARE"):
        assert {segment.key.campaign_id for segment in desk.claim()} == {other.pk}
        assert not desk.claim()
    assert not desk.claim(now=timezone.now() + timedelta(seconds=10))
    campaign.refresh_from_db()
    assert (campaign.state, campaign.hold_reason) == (State.HELD, "digest")


def test_a_sender_that_is_archived_holds_the_campaign(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=3)
    with database.cursor() as cursor:
        cursor.execute("UPDATE sender SET is_archived = true")
    assert not desk.claim()
    campaign.refresh_from_db()
    assert (campaign.state, campaign.hold_reason) == (State.HELD, "sender")


def test_a_newer_revision_of_the_sender_leaves_a_running_campaign_alone(desk: Ground) -> None:
    make.sending(desk.author, desk.route, rows=3)
    with database.cursor() as cursor:
        cursor.execute("UPDATE sender_revision SET state = 'replaced'")
    assert len(desk.claim()) == 3


def test_an_approval_made_by_sql_alone_sends_nothing(desk: Ground) -> None:
    campaign = make.in_review(desk.author, desk.route, rows=3)
    other = make.member(desk.author.here, Role.MODERATOR)
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO approval (workspace_id, campaign_id, verdict, note, digest, signature,"
            " decided_by_id, decided_person_id, author_person_id, editor_person_id,"
            " submitter_person_id, decided_at)"
            " VALUES (%s, %s, 'approve', '', '', 'forged', %s, 1, 1, 1, 1, now()) RETURNING id",
            [campaign.workspace_id, campaign.pk, other.pk],
        )
        (approval,) = cursor.fetchone()
        cursor.execute(
            "UPDATE campaign SET state = 'approved', approval_id = %s WHERE id = %s",
            [approval, campaign.pk],
        )
        cursor.execute("UPDATE campaign SET state = 'sending' WHERE id = %s", [campaign.pk])
    assert not desk.claim()
    campaign.refresh_from_db()
    assert (campaign.state, campaign.hold_reason) == (State.HELD, "signature")


def test_the_sweep_completes_what_has_nothing_left_to_send(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=2)
    segments = desk.claim()
    desk.record(segments, Kind.SUBMITTED)
    assert _swept(campaign).state == State.COMPLETED
    desk.receipts(segments, "delivered")
    assert counts(campaign) == {"delivered": 2} == derived(campaign)


def _swept(campaign: Campaign) -> Campaign:
    running.sweep(timezone.now())
    campaign.refresh_from_db()
    return campaign


def test_a_window_that_is_over_expires_the_rest(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=50, mode="spread", **make.window(1))
    segments = desk.claim()
    desk.record(segments, Kind.SUBMITTED)
    running.sweep(timezone.now() + timedelta(hours=2))
    campaign.refresh_from_db()
    assert campaign.state == State.EXPIRED
    left = 50 - len(segments)
    assert counts(campaign)["expired"] == left == derived(campaign)["expired"]


def test_a_number_whose_seal_is_broken_is_refused_and_holds_up_nobody(desk: Ground) -> None:
    """Rows are written once, so it is another workspace's key that this one was sealed with."""
    names = [{"name": f"Name{index}"} for index in range(3)]
    people = make.recipient_list(desk.author.here, desk.author.user, names[:2])
    Recipient.objects.create(
        workspace=desk.author.here,
        recipient_list=people,
        row_number=4,
        fingerprint=keys().fingerprint(make.number(2)),
        number_sealed=keys().seal_number(make.number(2), make.workspace().pk),
        values=names[2],
    )
    RecipientList.objects.filter(pk=people.pk).update(row_count=3, valid_count=3)
    campaign = make.sending(desk.author, desk.route, rows=3, recipient_list_id=people.pk)
    assert len(desk.claim()) == 2
    assert counts(campaign) == {"sending": 2, "refused": 1} == derived(campaign)
