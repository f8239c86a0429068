"""Receipts and messages: told at once, answered when they are durable."""

from itertools import count

import pytest

from smpp_client.protocol.events import (
    MessageReceived,
    ProtocolFault,
    ReceiptReceived,
    Settled,
)
from smpp_client.protocol.pdus import DATA_SM, DATA_SM_RESP, DELIVER_SM, DELIVER_SM_RESP
from smpp_client.protocol.states import State
from tests.smpp_client.protocol.make import (
    OPERATOR,
    SUBSCRIBER,
    accepted,
    bound,
    commands,
    delivered,
    delivery_body,
    only,
    pdu,
    sent,
    submitted,
    tlv,
)

RECEIPT = delivery_body(b"id:abc sub:001 dlvrd:001 stat:DELIVRD err:000")
NOT_NOW = 0x64


def test_a_receipt_is_answered_only_when_it_is_durable() -> None:
    session = bound()
    event = only(session.receive(pdu(DELIVER_SM, 9, RECEIPT), 0.1), ReceiptReceived)
    assert (event.receipt.smsc_id, event.receipt.state) == ("abc", "delivered")
    assert event.receipt.raw == RECEIPT
    assert sent(session) == []
    session.acknowledge(event.ticket, is_stored=True)
    assert sent(session) == [(DELIVER_SM_RESP, 0, 9, b"\0")]


def test_a_receipt_that_could_not_be_stored_is_asked_for_again() -> None:
    session = bound()
    event = only(session.receive(pdu(DELIVER_SM, 9, RECEIPT), 0.1), ReceiptReceived)
    session.acknowledge(event.ticket, is_stored=False)
    assert sent(session) == [(DELIVER_SM_RESP, NOT_NOW, 9, b"\0")]


def test_a_receipt_is_answered_once() -> None:
    session = bound()
    event = only(session.receive(pdu(DELIVER_SM, 9, RECEIPT), 0.1), ReceiptReceived)
    session.acknowledge(event.ticket, is_stored=True)
    session.acknowledge(event.ticket, is_stored=True)
    session.acknowledge(12345, is_stored=True)
    assert len(sent(session)) == 1


def test_a_ticket_of_an_ended_session_answers_nothing_on_the_next() -> None:
    tickets = count(1)
    ended, living = bound(tickets=tickets), bound(tickets=tickets)
    old = only(ended.receive(pdu(DELIVER_SM, 7, RECEIPT), 0.1), ReceiptReceived)
    only(living.receive(pdu(DELIVER_SM, 7, RECEIPT), 0.2), ReceiptReceived)
    living.acknowledge(old.ticket, is_stored=True)
    assert living.unanswered == 1


def test_deliveries_with_one_number_are_told_apart() -> None:
    session = bound()
    first, second = session.receive(pdu(DELIVER_SM, 0, RECEIPT) * 2, 0.1)
    assert isinstance(first, ReceiptReceived)
    assert isinstance(second, ReceiptReceived)
    assert first.ticket != second.ticket
    session.acknowledge(second.ticket, is_stored=True)
    session.acknowledge(first.ticket, is_stored=False)
    assert [frame[1] for frame in sent(session)] == [0, NOT_NOW]


def test_a_receipt_twice_is_told_twice_and_accepted_twice() -> None:
    session = bound()
    for sequence in (1, 2):
        event = only(session.receive(pdu(DELIVER_SM, sequence, RECEIPT), 0.1), ReceiptReceived)
        session.acknowledge(event.ticket, is_stored=True)
    assert [frame[1:3] for frame in sent(session)] == [(0, 1), (0, 2)]


def test_a_receipt_of_an_unknown_id_is_told_as_any_other() -> None:
    session = bound()
    event = only(session.receive(pdu(DELIVER_SM, 9, RECEIPT), 0.1), ReceiptReceived)
    session.acknowledge(event.ticket, is_stored=True)
    assert sent(session)[0][1] == 0


def test_a_receipt_that_contradicts_itself_is_told_and_counted() -> None:
    contradicting = delivery_body(
        b"id:abc sub:001 dlvrd:001 stat:DELIVRD err:000", options=tlv(0x001E, b"xyz\0")
    )
    told, fault = bound().receive(pdu(DELIVER_SM, 9, contradicting), 0.1)
    assert isinstance(told, ReceiptReceived)
    assert told.receipt.smsc_id == "xyz"
    assert fault == ProtocolFault("The options of a receipt contradict its text.")


def test_a_receipt_before_its_response_is_told_before_it() -> None:
    session = bound()
    (sequence,) = submitted(session, 1)
    stream = pdu(DELIVER_SM, 9, RECEIPT) + accepted(sequence, "abc")
    receipt, outcome = session.receive(stream, 0.1)
    assert isinstance(receipt, ReceiptReceived)
    assert isinstance(outcome, Settled)
    assert receipt.receipt.smsc_id == outcome.smsc_id


def test_receipts_of_two_parts_are_two_receipts() -> None:
    session = bound()
    stream = pdu(DELIVER_SM, 1, delivery_body(b"id:a stat:DELIVRD")) + pdu(
        DELIVER_SM, 2, delivery_body(b"id:b stat:UNDELIV")
    )
    events = session.receive(stream, 0.1)
    assert [
        (event.receipt.smsc_id, event.receipt.state)
        for event in events
        if isinstance(event, ReceiptReceived)
    ] == [("a", "delivered"), ("b", "undeliverable")]


def test_interim_and_final_are_told_in_the_order_in_which_they_came() -> None:
    session = bound()
    stream = b"".join(
        pdu(DELIVER_SM, place, delivery_body(b"id:a stat:" + word))
        for place, word in enumerate((b"EXPIRED", b"DELIVRD", b"ENROUTE"))
    )
    assert [
        event.receipt.state
        for event in session.receive(stream, 0.1)
        if isinstance(event, ReceiptReceived)
    ] == ["expired", "delivered", "enroute"]


def test_a_receipt_in_data_sm_is_answered_by_data_sm_resp() -> None:
    session = bound()
    body = (
        b"\0"
        + b"\x01\x01"
        + b"447700900123\0"
        + b"\x05\0Operator\0"
        + b"\x04\0\0"
        + tlv(0x001E, b"abc\0")
        + tlv(0x0427, b"\x02")
    )
    event = only(session.receive(pdu(DATA_SM, 9, body), 0.1), ReceiptReceived)
    assert (event.receipt.smsc_id, event.receipt.state) == ("abc", "delivered")
    session.acknowledge(event.ticket, is_stored=True)
    assert sent(session) == [(DATA_SM_RESP, 0, 9, b"\0")]


def test_smpplibs_receipt_is_read() -> None:
    written = delivered(5, user_message_reference=7)
    receipt = only(bound().receive(written, 0.1), ReceiptReceived).receipt
    assert (receipt.smsc_id, receipt.state, receipt.reference) == ("abc", "delivered", 7)


@pytest.mark.parametrize(
    ("message", "esm_class", "coding"),
    [
        (b"STOP", 0, 0),
        ("STOP".encode("utf-16-be"), 0, 8),
        (b"\x05\0\x03\x07\x02\x01STOP", 0x40, 0),
    ],
)
def test_a_subscribers_stop_is_told_with_its_text_and_addresses(
    message: bytes, esm_class: int, coding: int
) -> None:
    session = bound()
    body = delivery_body(message, esm_class=esm_class, data_coding=coding)
    event = only(session.receive(pdu(DELIVER_SM, 9, body), 0.1), MessageReceived)
    assert event.message.text == "STOP"
    assert (event.source, event.destination) == (SUBSCRIBER, OPERATOR)
    session.acknowledge(event.ticket, is_stored=True)
    assert sent(session) == [(DELIVER_SM_RESP, 0, 9, b"\0")]


def test_a_delivery_that_is_cut_short_is_never_accepted() -> None:
    for length in range(len(RECEIPT)):
        session = bound()
        events = session.receive(pdu(DELIVER_SM, 9, RECEIPT[:length]), 0.1)
        assert [type(event) for event in events] == [ProtocolFault]
        ((command, status, sequence, _),) = sent(session)
        assert (command, sequence) == (DELIVER_SM_RESP, 9)
        assert status in (0x01, 0x02)
        assert session.state is State.BOUND_TRX


def test_a_delivery_with_more_than_its_fields_is_read() -> None:
    session = bound()
    event = only(session.receive(pdu(DELIVER_SM, 9, RECEIPT + b"\0"), 0.1), ReceiptReceived)
    assert event.receipt.smsc_id == "abc"


def test_a_flood_is_told_up_to_a_bound_and_the_rest_asked_to_come_back() -> None:
    session = bound(unanswered_limit=100)
    events = session.receive(
        b"".join(pdu(DELIVER_SM, sequence, RECEIPT) for sequence in range(150)), 0.1
    )
    assert len(events) == session.unanswered == 100
    assert [frame[1:3] for frame in sent(session)] == [
        (NOT_NOW, sequence) for sequence in range(100, 150)
    ]


def test_a_flood_does_not_stop_sending() -> None:
    session = bound(unanswered_limit=100)
    session.receive(pdu(DELIVER_SM, 1, RECEIPT) * 100, 0.1)
    (sequence,) = submitted(session, 1)
    assert len(session.receive(accepted(sequence), 0.2)) == 1


def test_acknowledging_after_the_end_writes_nothing() -> None:
    session = bound()
    event = only(session.receive(pdu(DELIVER_SM, 9, RECEIPT), 0.1), ReceiptReceived)
    session.connection_lost(0.2, "Cut.")
    session.acknowledge(event.ticket, is_stored=True)
    assert commands(sent(session)) == []
