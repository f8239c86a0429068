"""Long messages in each form that a connection may want: headers, options beside, one payload."""

import pytest

from smpp_client.carrier import Kind
from smpp_client.models import Connection
from smpp_client.simulator.ledger import LedgerLine, read
from tests import make
from tests.campaigns.sending.ground import Ground, counts, outcome
from tests.campaigns.sending.wire import Site, wait_for_counts
from tests.processes import Processes

LONG = "Dear {{name}}, " + "0123456789" * 32


def text(index: int) -> str:
    return LONG.replace("{{name}}", f"Name{index}")


def lines(site: Site) -> dict[str, list[LedgerLine]]:
    """What the peer accepted for each number, in order."""
    found: dict[str, list[LedgerLine]] = {}
    for line in read(site.simulator.ledger):
        found.setdefault(line.destination, []).append(line)
    return found


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
        done = outcome(one, Kind.SUBMITTED)
        desk.desk.record(
            desk.lease, [done._replace(key=one.key._replace(part=part)) for part in (1, 2, 3)]
        )
    assert counts(campaign) == {"submitted": 2}
    desk.receipts(claimed[:1], "delivered")
    assert counts(campaign) == {"submitted": 1, "delivered": 1}
    desk.receipts(claimed[1:], "undeliverable")
    assert counts(campaign) == {"undelivered": 1, "delivered": 1}


def test_parts_of_a_payload_that_was_deferred_go_again_as_one(desk: Ground) -> None:
    Connection.objects.update(long_form="payload")
    make.sending(desk.author, desk.route, rows=1, text=LONG)
    (one,) = desk.claim()
    released = outcome(one, Kind.RELEASED)
    desk.desk.record(
        desk.lease, [released._replace(key=one.key._replace(part=part)) for part in (1, 2, 3)]
    )
    (again,) = desk.claim()
    assert (again.covers, again.short_message) == (3, one.short_message)
