"""Receipts as they come: the plain ones are applied by the statement that stores them."""

from datetime import timedelta

import psycopg
import pytest
from django.utils import timezone

from campaigns.actions.upkeep import give_up_receipts
from campaigns.models import NonDelivery, Submission
from campaigns.models import Receipt as StoredReceipt
from smpp_client.carrier import Kind, Segment
from smpp_client.engine.link import connect
from tests import make
from tests.campaigns.sending.ground import Ground, counts, derived, receipt

LONG = "Hello {{name}}, " + "this text takes two segments. " * 7


def results() -> list[str]:
    """Return what became of the receipts, in the order in which they came."""
    return [row.result for row in StoredReceipt.objects.order_by("id")]


def sent(desk: Ground, rows: int = 1, **fields: object) -> list[Segment]:
    """Send a campaign whose segments are all accepted; it is the last one made."""
    make.sending(desk.author, desk.route, rows=rows, **fields)
    segments = [*desk.claim()]
    desk.record(segments, Kind.SUBMITTED)
    return segments


def noted() -> set[tuple[int, bool]]:
    """Return which positions pages look at, and whether a receipt said that."""
    return set(NonDelivery.objects.values_list("position", "is_reported"))


@pytest.fixture
def other(desk: Ground) -> psycopg.Connection[tuple[object, ...]]:
    """A connection of somebody else."""
    return connect()


def test_plain_receipts_are_applied_as_they_are_stored(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=4)
    segments = desk.claim()
    desk.record(segments, Kind.SUBMITTED)
    states = ["delivered", "undeliverable", "enroute"]
    told = [receipt(one, state) for one, state in zip(segments, states, strict=False)]
    assert desk.desk.receive(desk.connection.pk, told) == 0
    assert results() == ["applied", "applied", "interim"]
    assert counts(campaign) == {"delivered": 1, "undelivered": 1, "submitted": 2}
    assert counts(campaign) == derived(campaign)
    assert desk.desk.receive(desk.connection.pk, told[:2]) == 0
    assert results()[3:] == ["repeated", "repeated"]
    assert desk.desk.receive(desk.connection.pk, [receipt(segments[1], "delivered")]) == 0
    assert counts(campaign) == {"delivered": 2, "submitted": 2} == derived(campaign)


def test_no_index_keeps_a_receipt_from_rewriting_its_row_in_place(desk: Ground) -> None:
    """An index that names a column, or has it in its condition, takes a new entry with each change
    of it, and with it all indexes of the table do.
    """
    with connect() as link:
        named = link.execute(
            "SELECT d.objid::regclass::text, a.attname FROM pg_depend d"
            " JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid"
            " JOIN pg_index i ON i.indexrelid = d.objid AND i.indrelid = d.refobjid"
            " WHERE d.refobjid = 'submission'::regclass"
        ).fetchall()
    columns = {column for _index, column in named}
    assert {"smsc_id", "kind"} <= columns
    assert not columns & {"receipt_state", "receipt_error", "receipt_at"}


def test_what_was_not_delivered_is_found_without_a_look_at_the_others(desk: Ground) -> None:
    segments = sent(desk, rows=4)
    states = ["delivered", "undeliverable", "expired"]
    told = [receipt(one, state) for one, state in zip(segments, states, strict=False)]
    desk.desk.receive(desk.connection.pk, told)
    give_up_receipts(timezone.now() + timedelta(days=30))
    positions = [one.key.position for one in segments]
    assert noted() == {(positions[1], True), (positions[2], True), (positions[3], False)}


def test_what_was_delivered_after_all_is_not_looked_at_any_more(desk: Ground) -> None:
    reported, given_up, *_others = sent(desk, rows=2)
    desk.desk.receive(desk.connection.pk, [receipt(reported, "undeliverable")])
    give_up_receipts(timezone.now() + timedelta(days=30))
    assert len(noted()) == 2
    told = [receipt(one, "delivered") for one in (reported, given_up)]
    desk.desk.receive(desk.connection.pk, told)
    assert noted() == set()


def test_a_message_is_looked_at_while_any_of_its_parts_is_not_delivered(desk: Ground) -> None:
    first, second = sent(desk, text=LONG)
    position = first.key.position
    give_up_receipts(timezone.now() + timedelta(days=30))
    assert noted() == {(position, False)}
    desk.desk.receive(desk.connection.pk, [receipt(first, "expired")])
    desk.desk.tidy()
    assert noted() == {(position, False), (position, True)}
    desk.desk.receive(desk.connection.pk, [receipt(second, "delivered")])
    desk.desk.tidy()
    assert noted() == {(position, True)}
    desk.desk.receive(desk.connection.pk, [receipt(first, "delivered")])
    desk.desk.tidy()
    assert noted() == set()


def test_of_two_receipts_in_one_group_the_better_one_stays(desk: Ground) -> None:
    (segment,) = sent(desk)
    for states in (["delivered", "expired"], ["rejected", "delivered"]):
        desk.desk.receive(desk.connection.pk, [receipt(segment, state) for state in states])
        desk.desk.tidy()
        assert Submission.objects.get().receipt_state == "delivered"
    assert set(results()) <= {"applied", "repeated"}


def test_what_is_not_plain_waits_to_be_applied(desk: Ground) -> None:
    plain, *_rest = sent(desk)
    parts = sent(desk, text=LONG)
    assert len(parts) == 2
    told = [receipt(one, "delivered") for one in parts]
    nobodys = receipt(plain, "delivered")._replace(smsc_id="nobodys")
    unmarked = receipt(plain, "delivered")._replace(
        is_unmarked=True, subscriber=plain.destination.value
    )
    assert desk.desk.receive(desk.connection.pk, [*told, nobodys, unmarked]) == 4
    assert results() == ["", "", "", ""]
    desk.desk.tidy()
    assert results() == ["applied", "applied", "orphan", "applied"]


def test_receipts_are_stored_while_somebody_settles_and_applied_afterwards(
    desk: Ground, other: psycopg.Connection[tuple[object, ...]]
) -> None:
    (segment,) = sent(desk)
    with other.transaction():
        other.execute("SELECT only_one_settles()")
        assert desk.desk.receive(desk.connection.pk, [receipt(segment, "delivered")]) == 1
        assert results() == [""]
    desk.desk.tidy()
    assert results() == ["applied"]


def test_receipts_are_stored_when_they_cannot_be_applied(
    desk: Ground, other: psycopg.Connection[tuple[object, ...]]
) -> None:
    (segment,) = sent(desk)
    desk.desk._receipts._link.run("SET lock_timeout = 50")
    with other.transaction():
        other.execute("SELECT 1 FROM progress FOR UPDATE")
        assert desk.desk.receive(desk.connection.pk, [receipt(segment, "delivered")]) == 1
    desk.desk.tidy()
    assert results() == ["applied"]
    assert Submission.objects.get().receipt_state == "delivered"


def test_a_receipt_rewrites_its_submission_in_place(desk: Ground) -> None:
    segments = sent(desk, rows=40)
    places = set(
        Submission.objects.extra(select={"page": "(ctid::text::point)[0]"}).values_list("page")
    )
    desk.desk.receive(desk.connection.pk, [receipt(one, "delivered") for one in segments])
    after = set(
        Submission.objects.extra(select={"page": "(ctid::text::point)[0]"}).values_list("page")
    )
    assert after == places


def test_what_waits_too_long_for_its_receipt_is_given_up_and_still_improves(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=3)
    segments = desk.claim()
    desk.record(segments, Kind.SUBMITTED)
    desk.receipts(segments[:1], "delivered")
    now = timezone.now()
    assert give_up_receipts(now) == 0
    assert give_up_receipts(now + timedelta(hours=73)) == 2
    assert counts(campaign) == {"delivered": 1, "no_receipt": 2} == derived(campaign)
    assert give_up_receipts(now + timedelta(hours=74)) == 0
    desk.receipts(segments[1:2], "delivered")
    assert counts(campaign) == {"delivered": 2, "no_receipt": 1} == derived(campaign)


def test_an_old_attempt_that_turns_out_accepted_is_waited_for_again(
    desk: Ground, other: psycopg.Connection[tuple[object, ...]]
) -> None:
    campaign = make.sending(desk.author, desk.route, rows=1)
    segments = desk.claim()
    desk.record(segments, Kind.UNKNOWN)
    other.execute("UPDATE submission SET happened_at = happened_at - interval '100 hours'")
    assert give_up_receipts(timezone.now()) == 0
    row = Submission.objects.get()
    other.execute(
        "SELECT settle_as_accepted(%s, %s, %s, %s, 'late', '', '', now(), 'records')",
        [row.batch_on, row.batch_id, row.position, row.part],
    )
    assert counts(campaign) == {"submitted": 1}
    assert give_up_receipts(timezone.now()) == 1
    assert counts(campaign) == {"no_receipt": 1} == derived(campaign)
