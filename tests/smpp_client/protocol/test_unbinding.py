"""The end, from either side: answers are waited for, deliveries still answered."""

from smpp_client.protocol.events import (
    Closed,
    LinkDead,
    ReceiptReceived,
    Settled,
    UnbindRequested,
)
from smpp_client.protocol.pdus import (
    DELIVER_SM,
    DELIVER_SM_RESP,
    ENQUIRE_LINK,
    GENERIC_NACK,
    SUBMIT_SM,
    UNBIND,
    UNBIND_RESP,
)
from smpp_client.protocol.session import Session
from smpp_client.protocol.states import State
from tests.smpp_client.protocol.make import (
    accepted,
    bound,
    commands,
    config,
    delivery_body,
    only,
    pdu,
    positions,
    segment,
    sent,
    settled,
    submitted,
)


def unbinding() -> tuple[Session, int]:
    """A session that wrote its unbind, and its number."""
    session = bound()
    session.begin_unbind(1.0)
    ((command, _, sequence, _),) = sent(session, 1.0)
    assert command == UNBIND
    return session, sequence


def test_we_unbind_when_nothing_is_in_flight() -> None:
    session, sequence = unbinding()
    assert session.state is State.UNBINDING
    closed = only(session.receive(pdu(UNBIND_RESP, sequence), 1.1), Closed)
    assert (closed.reason, closed.unknown, closed.released) == ("Unbound.", (), ())


def test_we_wait_for_answers_before_we_unbind() -> None:
    session = bound()
    first, second = submitted(session, 2)
    assert session.begin_unbind(1.0) == []
    assert session.state is State.DRAINING
    assert session.free == 0
    session.receive(accepted(first), 1.1)
    assert sent(session) == []
    session.receive(accepted(second), 1.2)
    assert commands(sent(session)) == [UNBIND]


def test_what_is_queued_still_goes_out_before_we_unbind() -> None:
    session = bound()
    session.submit([segment(1)], 0.0)
    session.begin_unbind(1.0)
    ((command, _, sequence, _),) = sent(session, 1.0)
    assert command == SUBMIT_SM
    session.receive(accepted(sequence), 1.1)
    assert commands(sent(session)) == [UNBIND]


def test_we_do_not_wait_for_answers_for_ever() -> None:
    session = bound(drain_timeout=10.0, unbind_timeout=5.0, enquire_interval=1000.0)
    submitted(session, 1)
    session.begin_unbind(1.0)
    assert session.next_deadline(1.0) == 11.0
    session.tick(11.0)
    assert commands(sent(session, 11.0)) == [UNBIND]
    closed = only(session.tick(16.0), Closed)
    assert positions(closed.unknown) == [1]


def test_what_did_not_go_out_in_time_is_released() -> None:
    session = bound(drain_timeout=10.0, enquire_interval=1000.0)
    session.submit([segment(1)], 0.0)
    session.begin_unbind(1.0)
    events = session.tick(11.0)
    assert settled(events) == [(1, "released")]
    assert commands(sent(session, 11.0)) == [UNBIND]


def test_an_answer_between_unbind_and_its_response_counts() -> None:
    session = bound(drain_timeout=10.0, enquire_interval=1000.0)
    (first,) = submitted(session, 1)
    session.begin_unbind(1.0)
    session.tick(11.0)
    assert settled(session.receive(accepted(first), 12.0)) == [(1, "submitted")]


def test_a_receipt_between_unbind_and_its_response_is_stored_and_answered() -> None:
    session, sequence = unbinding()
    receipt = pdu(DELIVER_SM, 9, delivery_body(b"id:1 stat:DELIVRD"))
    (event,) = session.receive(receipt, 1.1)
    assert isinstance(event, ReceiptReceived)
    session.acknowledge(event.ticket, is_stored=True)
    assert sent(session) == [(DELIVER_SM_RESP, 0, 9, b"\0")]
    assert isinstance(session.receive(pdu(UNBIND_RESP, sequence), 1.2)[-1], Closed)


def test_an_unbind_without_an_answer_closes() -> None:
    session, _ = unbinding()
    assert only(session.tick(6.0), Closed).reason == "No answer to unbind within 5 s."


def test_a_nack_of_our_unbind_closes() -> None:
    session, sequence = unbinding()
    events = session.receive(pdu(GENERIC_NACK, sequence, status=0x04), 1.1)
    assert only(events, Closed).reason == "The peer refused to unbind."


def test_the_peers_unbind_is_answered_and_closes() -> None:
    session = bound()
    events = session.receive(pdu(UNBIND, 33), 1.0)
    assert [type(event) for event in events] == [UnbindRequested, Closed]
    assert sent(session) == [(UNBIND_RESP, 0, 33, b"")]


def test_after_the_peers_unbind_answers_are_awaited_for_a_short_time() -> None:
    session = bound(drain_timeout=10.0, enquire_interval=1000.0)
    first, _ = submitted(session, 2)
    assert session.receive(pdu(UNBIND, 33), 1.0) == [UnbindRequested()]
    assert commands(sent(session)) == [UNBIND_RESP]
    assert session.free == 0
    assert settled(session.receive(accepted(first), 1.5)) == [(1, "submitted")]
    closed = only(session.tick(11.0), Closed)
    assert positions(closed.unknown) == [2]
    assert sent(session) == []


def test_the_last_answer_after_the_peers_unbind_closes() -> None:
    session = bound()
    (first,) = submitted(session, 1)
    session.receive(pdu(UNBIND, 33), 1.0)
    events = session.receive(accepted(first), 1.5)
    assert [type(event) for event in events] == [Settled, Closed]


def test_what_waits_when_the_peer_unbinds_is_released_and_not_written() -> None:
    session = bound()
    submitted(session, 1)
    session.submit([segment(2), segment(3)], 0.5)
    events = session.receive(pdu(UNBIND, 33), 1.0)
    assert settled(events) == [(2, "released"), (3, "released")]
    assert commands(sent(session)) == [UNBIND_RESP]


def test_unbinds_that_cross_close() -> None:
    session, _ = unbinding()
    events = session.receive(pdu(UNBIND, 33), 1.1)
    assert isinstance(events[-1], Closed)
    assert commands(sent(session)) == [UNBIND_RESP]


def test_a_peer_that_unbinds_while_we_drain_is_answered() -> None:
    session = bound()
    (first,) = submitted(session, 1)
    session.begin_unbind(1.0)
    session.receive(pdu(UNBIND, 33), 1.1)
    assert commands(sent(session)) == [UNBIND_RESP]
    assert only(session.receive(accepted(first), 1.2), Closed).reason == "The peer unbound."


def test_a_session_that_is_not_bound_closes_at_once() -> None:
    session = Session(config())
    session.begin_bind(0.0)
    assert isinstance(session.begin_unbind(0.1)[0], Closed)
    assert session.begin_unbind(0.2) == []


def test_a_link_that_dies_while_draining_is_found_out() -> None:
    session = bound(drain_timeout=1000.0, enquire_interval=30.0, response_timeout=1000.0)
    submitted(session, 1)
    session.begin_unbind(1.0)
    session.tick(30.0)
    assert isinstance(session.tick(40.0)[0], LinkDead)


def test_a_question_that_is_open_does_not_cut_the_unbind_short() -> None:
    session = bound(enquire_interval=30.0, enquire_timeout=10.0, unbind_timeout=60.0)
    session.tick(30.0)
    session.begin_unbind(31.0)
    assert commands(sent(session, 31.0)) == [ENQUIRE_LINK, UNBIND]
    assert session.tick(45.0) == []
    assert isinstance(session.tick(91.0)[0], Closed)
