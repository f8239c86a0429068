"""Unknown messages sent again by two people, once."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.utils import timezone

from campaigns.actions import running
from campaigns.actions.resending import (
    ResendRefused,
    SamePerson,
    approve_resend,
    refuse_resend,
    request_resend,
)
from campaigns.models import Campaign, OptOut, ResendDecision, ResendState, Submission
from campaigns.rules.campaign_states import State
from smpp_client.carrier import Kind, Segment
from tests import make
from tests.campaigns.sending.ground import Ground, counts, derived
from tests.campaigns.sending.test_receipts import about, bring
from tests.workspaces.log import ops
from workspaces.queries.keys import keys
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role

WHY = "The SMSC lost its queue at 09:00."


def lost(desk: Ground, rows: int = 3, **fields: object) -> tuple[Campaign, list[Segment]]:
    """Send a campaign whose first answer came and whose others are lost."""
    campaign = make.sending(desk.author, desk.route, rows=rows, **fields)
    segments = [*desk.claim()]
    desk.record(segments[:1], Kind.SUBMITTED)
    desk.record(segments[1:], Kind.UNKNOWN)
    return campaign, segments


def ask(campaign: Campaign, by: Me, positions: list[int] | None = None) -> ResendDecision:
    """Ask that they go out again."""
    now = timezone.now()
    return request_resend(number=campaign.number, positions=positions, by=by, words=WHY, now=now)


def approve(asked: ResendDecision, by: Me) -> ResendDecision:
    """Let them."""
    return approve_resend(decision_id=asked.pk, by=by, words="Agreed", now=timezone.now())


def moderator(desk: Ground) -> Me:
    """Make a second person."""
    return make.person_in(desk.author.here, Role.MODERATOR)


def test_two_people_send_unknown_messages_again_and_each_counts_once(desk: Ground) -> None:
    campaign, segments = lost(desk)
    asked = ask(campaign, desk.author)
    assert counts(campaign) == {"submitted": 1, "unknown": 2}
    done = approve(asked, moderator(desk))
    assert done.resent_count == 2
    assert counts(campaign) == {"submitted": 1, "queued": 2} == derived(campaign)
    again = desk.claim()
    assert sorted(one.short_message for one in again) == sorted(
        one.short_message for one in segments[1:]
    )
    assert {one.reference for one in again} == {one.reference for one in segments[1:]}
    assert counts(campaign) == {"submitted": 1, "sending": 2} == derived(campaign)
    desk.record(again, Kind.SUBMITTED)
    assert counts(campaign) == {"submitted": 3} == derived(campaign)
    desk.receipts(again, "delivered")
    assert counts(campaign) == {"submitted": 1, "delivered": 2} == derived(campaign)
    campaign.progress.refresh_from_db()
    assert campaign.progress.total == 3
    assert campaign.progress.resent == 2
    assert not desk.claim()


def test_the_same_person_is_refused_by_the_verb_and_by_the_database(desk: Ground) -> None:
    campaign, _segments = lost(desk)
    asked = ask(campaign, desk.author)
    with pytest.raises(SamePerson):
        approve(asked, desk.author)
    with pytest.raises(IntegrityError, match="resend_decision_four_eyes"), transaction.atomic():
        ResendDecision.objects.filter(pk=asked.pk).update(
            state=ResendState.APPROVED,
            decided_by=desk.author.user,
            decided_person_id=make.user().person_id,
            decided_at=timezone.now(),
        )
    assert counts(campaign) == {"submitted": 1, "unknown": 2}


def test_what_was_asked_for_cannot_be_changed(desk: Ground) -> None:
    campaign, _segments = lost(desk)
    asked = ask(campaign, desk.author, [1])
    with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
        ResendDecision.objects.filter(pk=asked.pk).update(positions=[0, 1, 2])
    approve(asked, moderator(desk))
    with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
        ResendDecision.objects.filter(pk=asked.pk).update(state=ResendState.REFUSED)


def test_what_is_settled_between_request_and_approval_stays_out(desk: Ground) -> None:
    campaign, segments = lost(desk)
    asked = ask(campaign, desk.author)
    desk.record(segments[1:2], Kind.SUBMITTED)
    assert approve(asked, moderator(desk)).resent_count == 1
    assert [one.key.position for one in desk.claim()] == [segments[2].key.position]


def test_a_completed_campaign_sends_again_and_completes_again(desk: Ground) -> None:
    campaign, _segments = lost(desk)
    running.sweep(timezone.now())
    campaign.refresh_from_db()
    assert campaign.state == State.COMPLETED
    approve(ask(campaign, desk.author), moderator(desk))
    campaign.refresh_from_db()
    assert campaign.state == State.SENDING
    desk.record(desk.claim(), Kind.SUBMITTED)
    running.sweep(timezone.now())
    campaign.refresh_from_db()
    assert campaign.state == State.COMPLETED


def test_a_campaign_whose_window_is_over_sends_nothing_again(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=2, mode="spread", **make.window())
    now = timezone.now()
    desk.record(desk.claim(now=now + timedelta(hours=1.9)), Kind.UNKNOWN)
    asked = ask(campaign, desk.author)
    later = now + timedelta(hours=3)
    with pytest.raises(ResendRefused, match="window"):
        approve_resend(decision_id=asked.pk, by=moderator(desk), words="", now=later)


def test_a_claim_looks_at_opt_outs_again_and_leaves_the_message_unknown(desk: Ground) -> None:
    campaign, segments = lost(desk, rows=2)
    approve(ask(campaign, desk.author), moderator(desk))
    number = segments[1].destination.value
    OptOut.objects.create(
        workspace=desk.author.here,
        fingerprint=keys().fingerprint(number),
        number_sealed=keys().seal_number(number, desk.author.here.pk),
        source="page",
        added_at=timezone.now(),
    )
    assert not desk.claim()
    assert counts(campaign) == {"submitted": 1, "unknown": 1} == derived(campaign)


def test_a_text_changed_since_the_approval_holds_the_resend(desk: Ground) -> None:
    campaign, _segments = lost(desk)
    approve(ask(campaign, desk.author), moderator(desk))
    with database.cursor() as cursor:
        cursor.execute("UPDATE campaign SET text = 'Other' WHERE id = %s", [campaign.pk])
    assert not desk.claim()
    campaign.refresh_from_db()
    assert campaign.state == State.HELD


def test_a_late_answer_after_the_resend_changes_no_count_twice(desk: Ground) -> None:
    campaign, segments = lost(desk, rows=2)
    approve(ask(campaign, desk.author), moderator(desk))
    again = desk.claim()
    desk.record(segments[1:], Kind.SUBMITTED)
    assert counts(campaign) == {"submitted": 1, "sending": 1} == derived(campaign)
    desk.record(again, Kind.SUBMITTED)
    bring(desk, about(segments[1], smsc_id="strange"))
    assert counts(campaign) == {"submitted": 2} == derived(campaign)


def test_a_cancelled_resend_is_unknown_again(desk: Ground) -> None:
    campaign, _segments = lost(desk)
    approve(ask(campaign, desk.author), moderator(desk))
    running.cancel(number=campaign.number, by=desk.author, why=WHY, now=timezone.now())
    assert counts(campaign) == {"submitted": 1, "unknown": 2} == derived(campaign)


def test_a_request_can_be_refused_and_another_one_made(desk: Ground) -> None:
    campaign, _segments = lost(desk)
    asked = ask(campaign, desk.author)
    with pytest.raises(ResendRefused, match="waits"):
        ask(campaign, desk.author)
    refuse_resend(decision_id=asked.pk, by=desk.author, words="Not needed", now=timezone.now())
    ask(campaign, desk.author)
    done = [op for op, _obj, _diff in ops(desk.author.here) if op.startswith("resend.")]
    assert done == ["resend.request", "resend.refuse", "resend.request"]


def test_an_author_asks_for_his_own_campaigns_only(desk: Ground) -> None:
    campaign, _segments = lost(desk)
    with pytest.raises(ResendRefused, match="author"):
        ask(campaign, make.person_in(desk.author.here, Role.AUTHOR))


def test_only_the_lost_part_of_a_long_message_goes_again(desk: Ground) -> None:
    text = "Hello {{name}}, " + "this text takes two segments. " * 7
    campaign, _segments = lost(desk, rows=1, text=text)
    assert counts(campaign) == {"unknown": 1}
    approve(ask(campaign, desk.author), moderator(desk))
    again = desk.claim()
    assert [one.key.part for one in again] == [2]
    desk.record(again, Kind.SUBMITTED)
    assert counts(campaign) == {"submitted": 1} == derived(campaign)
    assert Submission.objects.filter(campaign=campaign, kind="resent").count() == 1


def absent(campaign: Campaign, positions: list[int]) -> None:
    """Let complete records of the SMSC say that it never had these."""
    with transaction.atomic(), database.cursor() as cursor:
        for one in Submission.objects.filter(campaign=campaign, position__in=positions):
            cursor.execute(
                "SELECT settle_as_absent(%s, %s, %s, %s, 'not in the call records')",
                [one.batch_on, one.batch_id, one.position, one.part],
            )


def test_what_the_smsc_never_had_is_sent_again_by_two_people_too(desk: Ground) -> None:
    campaign, segments = lost(desk, rows=4)
    gone = [segments[1].key.position, segments[2].key.position]
    absent(campaign, gone)
    assert counts(campaign) == {"submitted": 1, "refused": 2, "unknown": 1} == derived(campaign)
    asked = ask(campaign, desk.author, gone)
    assert asked.message_count == 2
    assert approve(asked, moderator(desk)).resent_count == 2
    assert counts(campaign) == {"submitted": 1, "queued": 2, "unknown": 1} == derived(campaign)
    again = desk.claim()
    assert sorted(one.key.position for one in again) == sorted(gone)
    desk.record(again, Kind.SUBMITTED)
    assert counts(campaign) == {"submitted": 3, "unknown": 1} == derived(campaign)


def test_all_of_a_campaign_is_what_is_unknown_and_what_was_never_there(desk: Ground) -> None:
    campaign, segments = lost(desk)
    absent(campaign, [segments[1].key.position])
    assert ask(campaign, desk.author).message_count == 2


def test_what_was_never_there_can_be_asked_for_alone(desk: Ground) -> None:
    campaign, segments = lost(desk, rows=4)
    gone = sorted(one.key.position for one in segments[1:3])
    absent(campaign, gone)
    asked = request_resend(
        number=campaign.number,
        positions=None,
        by=desk.author,
        words=WHY,
        now=timezone.now(),
        is_absent_only=True,
    )
    assert asked.positions == gone
    assert approve(asked, moderator(desk)).resent_count == 2
    assert counts(campaign) == {"submitted": 1, "queued": 2, "unknown": 1} == derived(campaign)


def test_what_the_smsc_refused_itself_is_not_sent_again(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=2)
    segments = desk.claim()
    desk.record(segments, Kind.REFUSED, 0x0B)
    with pytest.raises(ResendRefused):
        ask(campaign, desk.author, [one.key.position for one in segments])
