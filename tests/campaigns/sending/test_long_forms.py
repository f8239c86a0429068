"""Long messages in each form that a connection may want: headers, options beside, one payload."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from campaigns.models import QueuedSegment
from smpp_client.carrier import Kind, Outcome, Segment
from smpp_client.models import Connection, ConnectionEvent
from smpp_client.simulator.ledger import LedgerLine, read
from tests import make
from tests.campaigns.sending.ground import Ground, counts, derived, outcome
from tests.campaigns.sending.test_receipts import about, bring
from tests.campaigns.sending.wire import Site, site, wait_for_counts
from tests.processes import Processes
from workspaces.queries import keys as key_queries
from workspaces.scope import scope_everywhere

LONG = "Dear {{name}}, " + "0123456789" * 32


def text(index: int) -> str:
    return LONG.replace("{{name}}", f"Name{index}")


def lines(site: Site) -> dict[str, list[LedgerLine]]:
    """What the peer accepted for each number, in order."""
    found: dict[str, list[LedgerLine]] = {}
    for line in read(site.simulator.ledger):
        found.setdefault(line.destination, []).append(line)
    return found


def each_part(one: Segment, kind: Kind, status: int = 0) -> list[Outcome]:
    """The outcomes of all parts that a payload covers."""
    done = outcome(one, kind, status)
    parts = range(1, one.covers + 1)
    return [done._replace(key=one.key._replace(part=part)) for part in parts]


@pytest.mark.processes
def test_a_long_message_is_one_payload_with_one_receipt(wired: Site, processes: Processes) -> None:
    Connection.objects.update(long_form="payload")
    first = make.sending(wired.author, wired.route, rows=12, text=LONG)
    processes.start("sender")
    row = wait_for_counts(first, delivered=12)
    assert row.submitted_segments == 36
    sent = lines(wired)
    assert [line.octets.decode() for line in sent[make.number(3)]] == [text(3)]
    assert all(len(one) == 1 and not one[0].esm_class & 0x40 for one in sent.values())


@pytest.mark.processes
def test_parts_with_their_places_beside_them_go_over_an_ipv6_bind_and_are_delivered(
    processes: Processes, tmp_path: Path
) -> None:
    key_queries.keys.cache_clear()
    with scope_everywhere("the test looks at everything"):
        place = site(tmp_path / "wire", host="::1")
        Connection.objects.update(host="::1", long_form="sar")
        try:
            first = make.sending(place.author, place.route, rows=12, text=LONG)
            processes.start("sender")
            row = wait_for_counts(first, delivered=12)
        finally:
            place.simulator.kill()
    assert row.submitted_segments == 36
    for index in range(12):
        parts = sorted(lines(place)[make.number(index)], key=lambda line: line.sequence)
        assert b"".join(part.octets for part in parts).decode() == text(index)
        assert not any(part.esm_class & 0x40 for part in parts)


def test_two_long_messages_to_one_phone_at_once_are_told_apart_by_their_references(
    desk: Ground,
) -> None:
    for _campaign in range(2):
        make.sending(desk.author, desk.route, rows=12, text=LONG)
    references: dict[tuple[str, int], set[int]] = {}
    for part in desk.claim():
        message = (part.destination.value, part.key.campaign_id)
        references.setdefault(message, set()).add(part.short_message[3])
    assert len(references) == 24
    assert all(len(of_parts) == 1 for of_parts in references.values())
    to_phone: dict[str, set[int]] = {}
    for (phone, _campaign), (reference,) in references.items():
        to_phone.setdefault(phone, set()).add(reference)
    assert {len(of_phone) for of_phone in to_phone.values()} == {2}


def test_parts_without_headers_have_their_places_beside_them(desk: Ground) -> None:
    Connection.objects.update(long_form="sar")
    make.sending(desk.author, desk.route, rows=1, text=LONG)
    parts = desk.claim()
    assert "".join(part.short_message.decode() for part in parts) == text(0)
    assert [(part.sar.total, part.sar.number) for part in parts if part.sar] == [
        (3, 1),
        (3, 2),
        (3, 3),
    ]
    assert len({part.sar.reference for part in parts if part.sar}) == 1
    assert not any(part.has_header or part.covers > 1 for part in parts)


def test_one_answer_and_one_receipt_settle_all_parts_of_a_payload(desk: Ground) -> None:
    Connection.objects.update(long_form="payload")
    campaign = make.sending(desk.author, desk.route, rows=2, text=LONG)
    claimed = desk.claim()
    assert [(one.covers, one.key.part) for one in claimed] == [(3, 1), (3, 1)]
    for one in claimed:
        desk.desk.record(desk.lease, each_part(one, Kind.SUBMITTED))
    assert counts(campaign) == {"submitted": 2}
    desk.receipts(claimed[:1], "delivered")
    assert counts(campaign) == {"submitted": 1, "delivered": 1}
    desk.receipts(claimed[1:], "undeliverable")
    assert counts(campaign) == {"undelivered": 1, "delivered": 1}


def test_parts_of_a_payload_that_was_deferred_go_again_as_one(desk: Ground) -> None:
    Connection.objects.update(long_form="payload")
    make.sending(desk.author, desk.route, rows=1, text=LONG)
    (one,) = desk.claim()
    desk.desk.record(desk.lease, each_part(one, Kind.RELEASED))
    (again,) = desk.claim()
    assert (again.covers, again.short_message) == (3, one.short_message)


def test_a_payload_that_was_put_off_comes_back_as_one_at_its_first_parts_time(
    desk: Ground,
) -> None:
    """Each of its parts waits for a random time of its own."""
    Connection.objects.update(long_form="payload")
    campaign = make.sending(desk.author, desk.route, rows=2, text=LONG)
    for one in desk.claim():
        desk.desk.record(desk.lease, each_part(one, Kind.DEFERRED, 0x58))
    waiting = QueuedSegment.objects.filter(campaign=campaign)
    first = min(waiting.values_list("not_before_at", flat=True))
    assert waiting.count() == 6
    again = desk.claim(room=3, now=first + timedelta(milliseconds=1))
    assert [(one.covers, one.part_count) for one in again] == [(3, 3)]
    assert counts(campaign) == {"sending": 1, "deferred": 1} == derived(campaign)
    (last,) = desk.claim(now=first + timedelta(seconds=30))
    assert last.covers == 3
    assert not waiting.filter(batch_id=None).exists()


def test_parts_that_were_put_off_more_often_keep_their_own_time(desk: Ground) -> None:
    campaign = make.sending(desk.author, desk.route, rows=1, text=LONG)
    desk.record(desk.claim(), Kind.DEFERRED, 0x58)
    now = timezone.now()
    waiting = QueuedSegment.objects.filter(campaign=campaign)
    waiting.update(not_before_at=now)
    waiting.filter(part=3).update(attempt_count=5, not_before_at=now + timedelta(seconds=30))
    assert [one.key.part for one in desk.claim(now=now)] == [1, 2]


@pytest.mark.parametrize("has_reference", [True, False])
def test_the_receipt_of_a_payload_whose_answer_was_lost_settles_all_of_it(
    desk: Ground, has_reference: bool
) -> None:
    Connection.objects.update(long_form="payload")
    campaign = make.sending(desk.author, desk.route, rows=1, text=LONG)
    (one,) = desk.claim()
    desk.desk.record(desk.lease, each_part(one, Kind.UNKNOWN))
    bring(desk, about(one, reference=one.reference if has_reference else 0))
    assert counts(campaign) == {"delivered": 1} == derived(campaign)


def test_parts_whose_form_may_have_been_another_are_settled_one_by_one(desk: Ground) -> None:
    """The connection was changed after they went out."""
    campaign = make.sending(desk.author, desk.route, rows=1, text=LONG)
    segments = desk.claim()
    desk.record(segments, Kind.UNKNOWN)
    Connection.objects.update(long_form="payload")
    ConnectionEvent.objects.create(
        connection=desk.connection, kind="changed", sentence="", happened_at=timezone.now()
    )
    bring(desk, about(segments[0], reference=segments[0].reference))
    assert counts(campaign) == {"unknown": 1} == derived(campaign)
    bring(desk, *[about(one, reference=one.reference) for one in segments[1:]])
    assert counts(campaign) == {"delivered": 1} == derived(campaign)
