"""submit_sm: accepted into the ledger, refused, answered wrongly on purpose."""

import re
import struct

import pytest

from smpp_client.simulator import ledger
from tests.smpp_client.simulator.client import NUMBER, SENDER, TlsClient
from tests.smpp_client.simulator.conftest import Bound, Start


def test_an_accepted_submit_stands_in_the_ledger(start: Start, bound: Bound) -> None:
    simulator = start()
    response = bound(simulator).response(b"Works tonight")
    (line,) = ledger.read(simulator.ledger)
    assert (line.source, line.destination, line.octets) == (SENDER, NUMBER, b"Works tonight")
    assert (line.message_id, line.sequence) == (response.message_id.decode(), response.sequence)


def test_the_ledger_tells_the_kinds_of_both_addresses(start: Start, bound: Bound) -> None:
    simulator = start()
    bound(simulator).response()
    (line,) = ledger.read(simulator.ledger)
    assert (line.source_kind, line.destination_kind) == ("5.0", "1.1")


def test_the_ledger_keeps_the_clients_own_reference(start: Start, bound: Bound) -> None:
    simulator = start()
    bound(simulator).response(user_message_reference=513)
    (line,) = ledger.read(simulator.ledger)
    assert line.reference == 513


def test_a_text_in_message_payload_is_read(start: Start, bound: Bound) -> None:
    simulator = start()
    bound(simulator).response(b"", message_payload=b"y" * 500)
    (line,) = ledger.read(simulator.ledger)
    assert line.octets == b"y" * 500


def test_two_hundred_submits_in_one_write_get_two_hundred_ids(start: Start, bound: Bound) -> None:
    client = bound(start(receipts=False))
    client.write(b"".join(_pdu(number) for number in range(200)))
    assert len({client.read_pdu().message_id for _ in range(200)}) == 200


def test_a_submit_may_come_in_two_halves(start: Start, bound: Bound) -> None:
    client = bound(start(receipts=False))
    pdu = _pdu(1)
    client.write(pdu[:40])
    client.write(pdu[40:])
    assert client.read_pdu().status == 0


def test_smpplib_reads_the_same_as_the_hot_path(start: Start, bound: Bound) -> None:
    simulator = start(check_every=1)
    client = bound(simulator)
    client.response(user_message_reference=9, esm_class=0x40, data_coding=8)
    client.receipt()
    counters = simulator.wait_for(receipts_acknowledged=1)
    assert (counters["pdus_checked"], counters["pdus_differing"]) == (2, 0)


@pytest.mark.parametrize("number", ["+447700900123", "44 7700", "", "nobody"])
def test_a_number_that_is_not_digits_is_refused(start: Start, bound: Bound, number: str) -> None:
    assert bound(start()).response(destination_addr=number).status == 0x0B


def test_a_sender_that_no_phone_shows_is_refused(start: Start, bound: Bound) -> None:
    assert bound(start()).response(source_addr="NET\tOPS").status == 0x0A


def test_more_than_254_octets_are_refused(start: Start, bound: Bound) -> None:
    assert bound(start()).response(b"x" * 255).status == 0x01


def test_a_cut_submit_is_refused_and_the_session_goes_on(start: Start, bound: Bound) -> None:
    simulator = start(receipts=False)
    client = bound(simulator)
    client.write(struct.pack(">LLLL", 18, 4, 0, 77) + b"\0\x05")
    assert client.read_pdu().status == 0x02
    assert client.response().status == 0
    assert simulator.counters()["bad_pdus"] == 1


def test_a_submit_from_a_receiver_is_refused(start: Start, bound: Bound) -> None:
    client = bound(start(), mode="receiver")
    client.write(_pdu(1))
    assert client.read_pdu().status == 0x04


def test_refused_submits_are_not_in_the_ledger(start: Start, bound: Bound) -> None:
    simulator = start(throttle_every=1)
    bound(simulator).response()
    assert list(ledger.read(simulator.ledger)) == []


def test_every_third_submit_is_throttled(start: Start, bound: Bound) -> None:
    client = bound(start(throttle_every=3, receipts=False))
    assert _statuses(client, 6) == [0, 0, 0x58, 0, 0, 0x58]


def test_every_second_submit_meets_a_full_queue(start: Start, bound: Bound) -> None:
    client = bound(start(queue_full_every=2, receipts=False))
    assert _statuses(client, 4) == [0, 0x14, 0, 0x14]


def test_what_exceeds_the_rate_of_a_second_is_throttled(start: Start, bound: Bound) -> None:
    client = bound(start(throttle_above=10, receipts=False))
    client.write(b"".join(_pdu(number) for number in range(50)))
    statuses = [client.read_pdu().status for _ in range(50)]
    assert statuses == [0] * 10 + [0x58] * 40


def test_what_exceeds_the_window_is_throttled(start: Start, bound: Bound) -> None:
    client = bound(start(window=10, receipts=False))
    client.write(b"".join(_pdu(number) for number in range(15)))
    statuses = [client.read_pdu().status for _ in range(15)]
    assert statuses == [0] * 10 + [0x58] * 5


def test_the_window_opens_again_with_the_responses(start: Start, bound: Bound) -> None:
    client = bound(start(window=1, delay=0.05, receipts=False))
    assert _statuses(client, 3) == [0, 0, 0]


def test_numbers_that_match_the_pattern_are_refused(start: Start, bound: Bound) -> None:
    client = bound(start(refuse_destination=[("4477009001*", 0x0B)], receipts=False))
    assert client.response(destination_addr="447700900123").status == 0x0B
    assert client.response(destination_addr="447700900223").status == 0


def test_every_second_response_has_a_foreign_number(start: Start, bound: Bound) -> None:
    client = bound(start(wrong_sequence_every=2, receipts=False))
    sent = [client.submit(), client.submit()]
    got = [client.read_pdu().sequence, client.read_pdu().sequence]
    assert got[0] == sent[0]
    assert got[1] not in sent


def test_every_second_response_comes_twice(start: Start, bound: Bound) -> None:
    client = bound(start(duplicate_response_every=2, receipts=False))
    sent = [client.submit(), client.submit()]
    assert [client.read_pdu().sequence for _ in range(3)] == [sent[0], sent[1], sent[1]]


def test_responses_can_come_without_an_id(start: Start, bound: Bound) -> None:
    simulator = start(no_message_id=True, receipts=False)
    assert not bound(simulator).response().message_id
    (line,) = ledger.read(simulator.ledger)
    assert line.message_id


@pytest.mark.parametrize(
    ("form", "pattern"),
    [
        ("decimal", r"\d{16}"),
        ("hex", r"[0-9a-f]{13}"),
        ("padded", r"0{4}\d{16}"),
        ("uuid", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ],
)
def test_ids_have_the_form_that_is_switched_on(
    start: Start, bound: Bound, form: str, pattern: str
) -> None:
    simulator = start(message_id=form, receipts=False)
    message_id = bound(simulator).response().message_id.decode()
    (line,) = ledger.read(simulator.ledger)
    assert line.message_id == message_id
    assert re.fullmatch(pattern, message_id)


def test_switches_change_while_it_runs(start: Start, bound: Bound) -> None:
    simulator = start(receipts=False)
    client = bound(simulator)
    simulator.control(throttle_every=1)
    assert client.response().status == 0x58
    simulator.control(throttle_every=0)
    assert client.response().status == 0


def test_the_peak_of_unanswered_submits_is_counted(start: Start, bound: Bound) -> None:
    simulator = start(delay=0.05, receipts=False)
    client = bound(simulator)
    for _ in range(5):
        client.submit()
    for _ in range(5):
        client.read_pdu()
    assert simulator.counters()["peak_in_flight"] == 5


def test_how_long_responses_were_held_back_is_counted(start: Start, bound: Bound) -> None:
    simulator = start(delay=0.05, receipts=False)
    client = bound(simulator)
    for _ in range(3):
        client.response()
    before = simulator.counters()["response_microseconds"]
    assert before >= 3 * 49_000
    simulator.control(delay=0)
    client.response()
    assert simulator.counters()["response_microseconds"] - before < before


def _statuses(client: TlsClient, count: int) -> list[int]:
    return [client.response().status for _ in range(count)]


def _pdu(sequence: int) -> bytes:
    """Write a submit_sm by hand, to send many with one write."""
    body = b"\0\x05\0NETOPS\0\x01\x01447700900123\0" + b"\0" * 5 + b"\x01\0\0\0\x02hi"
    return struct.pack(">LLLL", 16 + len(body), 4, 0, sequence) + body
