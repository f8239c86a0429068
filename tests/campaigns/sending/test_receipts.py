"""Receipts at the desk: they only improve, and settle what was unknown where nothing else can be
meant.
"""

import re
from datetime import timedelta
from itertools import count

import psycopg
import pytest
from django.db import connection as database
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.actions.attaching import AttachRefused, attach_receipt
from campaigns.actions.sending.receipts import FEWEST_RECEIPTS
from campaigns.models import Campaign, Submission
from campaigns.models import Receipt as StoredReceipt
from campaigns.queries.attempts import offered_receipts
from campaigns.rules.improvements import climbs
from smpp_client.carrier import Kind, Outcome, Receipt, Segment
from smpp_client.engine import link
from tests import make
from tests.campaigns.sending.ground import Ground, counts, derived, smsc_id
from tests.workspaces.log import ops
from workspaces.queries.keys import keys

LONG = "Hello {{name}}, " + "this text takes two segments. " * 7
_ids = count(1)


def about(segment: Segment, state: str = "delivered", **fields: object) -> Receipt:
    """Return a receipt with the peer's own id, about a segment whose answer was lost."""
    values = {
        "smsc_id": smsc_id(segment),
        "state": state,
        "error": "000",
        "received_at": timezone.now(),
        "raw": b"raw",
        "subscriber": segment.destination.value,
        "sender": segment.source.value,
        **fields,
    }
    return Receipt(**values)  # type: ignore[arg-type]


def bring(desk: Ground, *receipts: Receipt) -> None:
    """Receive receipts and apply all that wait."""
    desk.desk.receive(desk.connection.pk, receipts)
    while desk.desk.tidy():
        pass


def results() -> list[str]:
    """Return what became of the receipts, in order."""
    return [row.result for row in StoredReceipt.objects.order_by("id")]


def fate(campaign: Campaign) -> tuple[str, str, str]:
    """Return kind, receipt state and evidence of a campaign's only attempt."""
    row = Submission.objects.get(campaign=campaign)
    return row.kind, row.receipt_state, row.evidence


def unknown(desk: Ground, rows: int = 1, **fields: object) -> tuple[Campaign, list[Segment]]:
    """Send a campaign whose answers are all lost."""
    campaign = make.sending(desk.author, desk.route, rows=rows, **fields)
    segments = [*desk.claim()]
    desk.record(segments, Kind.UNKNOWN)
    return campaign, segments


def test_receipts_that_settle_are_taken_by_pieces_that_follow_at_once(desk: Ground) -> None:
    """Claims wait for the counters while a piece is settled, and no longer."""
    campaign, segments = unknown(desk, rows=5)
    desk.desk.receive(desk.connection.pk, [about(one) for one in segments])
    waiting = []
    with database.cursor() as cursor:
        while True:
            # No time at all: one of them at least.
            cursor.execute("SELECT apply_receipts(2000, 72, 0)")
            (count,) = cursor.fetchone()
            if not count:
                break
            waiting.append(counts(campaign).get("unknown", 0))
    assert waiting == [4, 3, 2, 1, 0]
    assert results() == ["settled"] * 5
    assert counts(campaign) == {"delivered": 5} == derived(campaign)


def test_what_a_receipt_may_be_about_is_found_by_the_number_in_tables_that_nobody_counted(
    desk: Ground,
) -> None:
    """Their keys look as good then, and a whole campaign would be read through for each receipt."""
    unknown(desk, rows=50)
    rows = desk.desk._receipts._link.rows(
        "EXPLAIN SELECT * FROM segments_of_subscriber(1, '\\x00', '', 0, now(), now())"
    )
    indexes = re.findall(r"using (message_\S+)", "\n".join(line for (line,) in rows))
    assert indexes
    assert [name for name in indexes if not name.endswith("_fingerprint_idx")] == []


def test_any_order_of_answers_and_receipts_ends_the_same(desk: Ground) -> None:
    """The database against the table: the fate is the first that is known, the receipt the most
    that was said once it was."""
    name = make.sender(desk.author.here)
    words = ["delivered", "undeliverable", "expired", "enroute", "unknown"]
    steps = st.sampled_from(["submitted", "unknown", "refused", *words])

    @settings(
        max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(st.lists(steps, min_size=1, max_size=6))
    def holds(story: list[str]) -> None:
        campaign = make.sending(desk.author, desk.route, rows=1, sender_id=name.pk)
        (segment,) = desk.claim()
        kind, state, waiting = "sending", "", []
        for step in story:
            if step in words:
                bring(desk, about(segment, step, subscriber=""))
                waiting.append(step)
            else:
                desk.record([segment], Kind(step))
                desk.desk.tidy()
                kind = step if kind in {"sending", "unknown"} else kind
            if kind == "submitted":
                for told in waiting:
                    state = told if climbs(state, told) else state
                waiting = []
        row = Submission.objects.filter(campaign=campaign).first()
        assert (row.kind if row else "sending") == kind
        assert not row or row.receipt_state == state
        assert counts(campaign) == derived(campaign)

    holds()


def test_a_receipt_alone_settles_an_unknown_when_nothing_else_can_be_meant(desk: Ground) -> None:
    campaign, (segment,) = unknown(desk)
    bring(desk, about(segment))
    assert fate(campaign) == ("submitted", "delivered", "receipt")
    assert counts(campaign) == {"delivered": 1} == derived(campaign)
    assert results() == ["settled"]
    assert campaign.progress.submitted_segments == 1


def test_an_interim_receipt_says_that_it_was_accepted_and_the_final_one_finds_it(
    desk: Ground,
) -> None:
    campaign, (segment,) = unknown(desk)
    bring(desk, about(segment, "enroute"))
    assert counts(campaign) == {"submitted": 1} == derived(campaign)
    bring(desk, about(segment, "undeliverable"))
    assert counts(campaign) == {"undelivered": 1} == derived(campaign)
    assert results() == ["settled", "applied"]


def test_interim_and_final_of_one_message_together_settle_it(desk: Ground) -> None:
    campaign, (segment,) = unknown(desk)
    bring(desk, about(segment, "enroute"), about(segment))
    assert counts(campaign) == {"delivered": 1} == derived(campaign)


def test_a_receipt_for_another_person_or_from_another_sender_settles_nothing(desk: Ground) -> None:
    campaign, (segment,) = unknown(desk)
    bring(desk, about(segment, subscriber=make.number(77)), about(segment, sender="Other"))
    assert counts(campaign) == {"unknown": 1}
    assert results() == ["orphan", "orphan"]


def test_a_receipt_from_before_the_intent_settles_nothing(desk: Ground) -> None:
    campaign, (segment,) = unknown(desk)
    early = timezone.now() - timedelta(minutes=5)
    bring(desk, about(segment, received_at=early))
    assert counts(campaign) == {"unknown": 1}


def test_of_two_open_messages_to_one_person_neither_is_settled_without_a_reference(
    desk: Ground,
) -> None:
    name = make.sender(desk.author.here)
    first, (segment,) = unknown(desk, sender_id=name.pk)
    second, _rest = unknown(desk, sender_id=name.pk)
    bring(desk, about(segment))
    assert counts(first) == counts(second) == {"unknown": 1}
    bring(desk, about(segment, reference=segment.reference))
    assert counts(first) == {"delivered": 1} == derived(first)
    assert counts(second) == {"unknown": 1}


def test_a_segment_in_flight_to_the_same_person_makes_a_receipt_wait(desk: Ground) -> None:
    name = make.sender(desk.author.here)
    lost, (segment,) = unknown(desk, sender_id=name.pk)
    make.sending(desk.author, desk.route, rows=1, sender_id=name.pk)
    flying = desk.claim()
    bring(desk, about(segment))
    assert counts(lost) == {"unknown": 1}
    answer = Outcome(flying[0].key, 1, Kind.SUBMITTED, timezone.now(), smsc_id="other")
    desk.desk.record(desk.lease, [answer])
    bring(desk, about(flying[0], smsc_id="other"))
    with database.cursor() as cursor:
        cursor.execute("UPDATE receipt SET look_at = now() WHERE result = 'orphan'")
    while desk.desk.tidy():
        pass
    assert counts(lost) == {"delivered": 1} == derived(lost)


def test_receipts_with_two_ids_for_one_open_message_are_kept_for_a_person(desk: Ground) -> None:
    campaign, (segment,) = unknown(desk)
    bring(desk, about(segment, smsc_id="one"), about(segment, smsc_id="two"))
    assert counts(campaign) == {"unknown": 1}
    assert results() == ["orphan", "orphan"]


def test_a_reference_that_is_not_ours_settles_nothing(desk: Ground) -> None:
    campaign, (segment,) = unknown(desk)
    bring(desk, about(segment, reference=segment.reference % 65_535 + 1))
    assert counts(campaign) == {"unknown": 1}


def test_the_parts_of_a_long_message_are_settled_each_by_its_reference(desk: Ground) -> None:
    campaign, segments = unknown(desk, text=LONG)
    bring(desk, *[about(one, reference=one.reference) for one in segments])
    assert counts(campaign) == {"delivered": 1} == derived(campaign)


def test_an_unmarked_receipt_settles_only_what_was_sent_to_that_subscriber(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=2)
    segments = desk.claim()
    desk.record(segments, Kind.SUBMITTED)
    forged = about(segments[0], subscriber=segments[1].destination.value, is_unmarked=True)
    bring(desk, forged)
    assert counts(campaign) == {"submitted": 2}
    bring(desk, about(segments[0], is_unmarked=True))
    assert counts(campaign) == {"submitted": 1, "delivered": 1} == derived(campaign)


def test_an_unmarked_receipt_never_settles_an_unknown(desk: Ground) -> None:
    campaign, (segment,) = unknown(desk)
    bring(desk, about(segment, is_unmarked=True))
    assert counts(campaign) == {"unknown": 1}


def test_an_orphan_is_looked_at_again_after_seconds_and_one_ten_and_sixty_minutes(
    desk: Ground,
) -> None:
    _campaign, (segment,) = unknown(desk)
    now = timezone.now()
    ages = [timedelta(minutes=minutes) for minutes in (0, 0.5, 2, 11, 120)]
    for age in ages:
        bring(desk, about(segment, smsc_id=f"x{next(_ids)}", sender="Other", received_at=now - age))
    waits = [row.look_at and row.look_at - row.received_at for row in _stored()]
    assert waits == [
        timedelta(seconds=5),
        *[timedelta(minutes=minutes) for minutes in (1, 10, 60)],
        None,
    ]


def _stored() -> list[StoredReceipt]:
    return list(StoredReceipt.objects.order_by("id"))


def test_no_number_is_kept_with_a_receipt(desk: Ground) -> None:
    _campaign, (segment,) = unknown(desk)
    bring(desk, about(segment))
    (row,) = _stored()
    assert row.fingerprint is not None
    assert bytes(row.fingerprint) == keys().fingerprint(segment.destination.value)


def test_a_late_refusal_settles_an_unknown_and_a_receipt_then_changes_nothing(desk: Ground) -> None:
    campaign, (segment,) = unknown(desk)
    desk.record([segment], Kind.REFUSED, 0x0B)
    bring(desk, about(segment))
    assert counts(campaign) == {"refused": 1} == derived(campaign)


def test_a_late_answer_leaves_its_mark_on_the_attempt_it_settles(desk: Ground) -> None:
    campaign, (segment,) = unknown(desk)
    desk.record([segment], Kind.SUBMITTED)
    assert fate(campaign) == ("submitted", "", "response")


def test_a_person_gives_a_receipt_that_fits_nothing_to_its_message(desk: Ground) -> None:
    campaign, segments = unknown(desk, rows=2)
    bring(desk, about(segments[0], smsc_id="one", sender="Rewritten"))
    (offered,) = offered_receipts(campaign, segments[0].key.position)
    assert not offered_receipts(campaign, segments[1].key.position)

    def give(segment: Segment, why: str) -> None:
        attach_receipt(
            number=campaign.number,
            position=segment.key.position,
            receipt_id=offered.id,
            by=desk.author,
            why=why,
            now=timezone.now(),
        )

    with pytest.raises(AttachRefused, match="settled already"):
        give(segments[1], "Told by phone")
    with pytest.raises(AttachRefused, match="how you know"):
        give(segments[0], "")
    give(segments[0], "Told by phone")
    assert counts(campaign) == {"delivered": 1, "unknown": 1} == derived(campaign)
    assert results() == ["settled"]
    assert ops(desk.author.here)[-1][0] == "receipt.attach"


def test_receipts_that_take_longer_than_a_statement_may_are_taken_fewer_at_a_time(
    desk: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And many at a time again when that is over; nothing is begun again and again for good."""
    campaign, segments = unknown(desk, rows=90)
    # The statistics are of a time when nothing was without its answer.
    with database.cursor() as cursor:
        cursor.execute("ANALYZE receipt")
    receipts = [about(one, smsc_id=f"new-{one.key.position}") for one in segments]
    desk.desk.receive(desk.connection.pk, receipts)
    with monkeypatch.context() as patch:
        patch.setattr(link, "STATEMENT_TIMEOUT_MS", 1)
        for _time in range(5):
            desk.desk._receipts._applying.close()
            with pytest.raises(psycopg.errors.QueryCanceled):
                desk.desk.tidy()
    assert desk.desk.tidy() == FEWEST_RECEIPTS
    while desk.desk.tidy():
        pass
    assert counts(campaign) == {"delivered": 90} == derived(campaign)
