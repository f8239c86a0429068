"""Is the peer there, does it read, does it speak SMPP?"""

import pytest

from smpp_client.protocol.events import (
    Bound,
    Closed,
    Event,
    LateResponse,
    LinkDead,
    PeerAnswers,
    PeerSilent,
    ProtocolFault,
    ReceiptReceived,
    Settled,
)
from smpp_client.protocol.pdus import (
    ALERT_NOTIFICATION,
    DELIVER_SM,
    ENQUIRE_LINK,
    ENQUIRE_LINK_RESP,
    GENERIC_NACK,
    SUBMIT_SM,
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

OUTBIND, BIND_TRX_RESP = 0x0000000B, 0x80000009


def test_a_stream_cut_at_every_octet_gives_the_same_events() -> None:
    def answers(session: Session) -> bytes:
        sequences = submitted(session, 3)
        return (
            accepted(sequences[0])
            + pdu(ENQUIRE_LINK, 7)
            + pdu(DELIVER_SM, 8, delivery_body(b"id:1 stat:DELIVRD"))
            + accepted(sequences[1])
            + accepted(sequences[2], "x" * 64)
        )

    whole = bound()
    expected = whole.receive(answers(whole), 0.1)
    pieces = bound()
    stream = answers(pieces)
    assert [event for octet in stream for event in pieces.receive(bytes((octet,)), 0.1)] == expected
    assert sent(pieces) == sent(whole)


def test_two_hundred_answers_in_one_read_are_all_taken() -> None:
    session = bound(window=200)
    sequences = submitted(session, 200)
    assert len(session.receive(b"".join(map(accepted, sequences)), 0.1)) == 200


def test_a_pause_inside_a_pdu_loses_nothing() -> None:
    session = bound(enquire_interval=1000.0)
    (sequence,) = submitted(session, 1)
    answer = accepted(sequence)
    session.receive(answer[:9], 1.0)
    assert session.tick(8.0) == []
    assert settled(session.receive(answer[9:], 9.0)) == [(1, "submitted")]
    assert session.tick(30.0) == []


def test_a_pdu_that_never_ends_closes_the_session() -> None:
    session = bound()
    submitted(session, 1)
    session.receive(pdu(ENQUIRE_LINK, 1)[:9], 1.0)
    assert session.next_deadline(1.0) == 11.0
    dead, closed = session.tick(11.0)
    assert dead == LinkDead("The rest of a PDU did not come within 10 s.")
    assert isinstance(closed, Closed)
    assert positions(closed.unknown) == [1]


def test_dripping_octets_does_not_extend_the_time_for_a_pdu() -> None:
    session = bound(enquire_interval=1000.0)
    for second in range(1, 11):
        session.receive(b"\0\0\0\x40"[second - 1 : second] if second <= 4 else b"\0", float(second))
    assert isinstance(session.tick(11.0)[0], LinkDead)


@pytest.mark.parametrize("length", [0, 4, 15])
def test_a_short_length_is_nacked_once_and_closes(length: int) -> None:
    session = bound()
    submitted(session, 2)
    events = session.receive(length.to_bytes(4, "big") + bytes(100), 0.1)
    assert [type(event) for event in events] == [ProtocolFault, Closed]
    assert positions(only(events, Closed).unknown) == [1, 2]
    assert sent(session) == [(GENERIC_NACK, 0x02, 0, b"")]
    assert session.receive(bytes(1000), 0.2) == []
    assert sent(session) == []


@pytest.mark.parametrize("length", [0x7FFFFFFF, 0xFFFFFFFF, 65537])
def test_a_huge_length_closes_without_waiting_for_it(length: int) -> None:
    session = bound()
    events = session.receive(length.to_bytes(4, "big"), 0.1)
    assert isinstance(events[-1], Closed)
    assert session.state is State.CLOSED


def test_another_protocol_on_the_port_is_named() -> None:
    session = Session(config())
    session.begin_bind(0.0)
    events = session.receive(b"HTTP/1.1 400 Bad Request\r\n\r\n", 0.1)
    assert only(events, Closed).reason == ("The peer does not speak SMPP: it sent “HTTP/1.1 400”.")


def test_a_line_end_on_the_port_ends_by_a_timer() -> None:
    session = Session(config(bind_timeout=30.0))
    session.begin_bind(0.0)
    session.receive(b"\r\n", 0.1)
    assert isinstance(session.tick(10.1)[0], LinkDead)


def test_half_a_pdu_and_the_end_is_a_drop() -> None:
    session = bound()
    sequences = submitted(session, 2)
    session.receive(accepted(sequences[0]) + accepted(sequences[1])[:10], 0.1)
    (closed,) = session.connection_lost(0.2, "The peer closed the connection.")
    assert isinstance(closed, Closed)
    assert positions(closed.unknown) == [2]
    assert closed.reason.endswith("It came in the middle of a PDU.")


def test_a_drop_is_told_once() -> None:
    session = bound()
    assert len(session.connection_lost(0.2, "Cut.")) == 1
    assert session.connection_lost(0.3, "Cut.") == []
    assert session.tick(100.0) == []
    assert session.next_deadline(100.0) is None


def test_a_quiet_link_is_asked_and_answers() -> None:
    session = bound(enquire_interval=30.0)
    assert session.next_deadline(1.0) == 30.0
    assert session.tick(29.9) == []
    assert session.tick(30.0) == []
    ((command, _, sequence, _),) = sent(session, 30.0)
    assert command == ENQUIRE_LINK
    assert session.receive(pdu(ENQUIRE_LINK_RESP, sequence), 31.0) == []
    assert session.tick(60.9) == []
    assert sent(session) == []
    session.tick(61.0)
    assert commands(sent(session)) == [ENQUIRE_LINK]


def test_a_busy_link_is_not_asked() -> None:
    session = bound(enquire_interval=30.0)
    (sequence,) = submitted(session, 1, now=20.0)
    session.receive(accepted(sequence), 25.0)
    assert session.tick(54.9) == []
    assert sent(session) == []


def test_an_enquire_link_without_an_answer_closes() -> None:
    session = bound(enquire_interval=30.0, enquire_timeout=10.0)
    submitted(session, 1)
    session.tick(30.0)
    sent(session, 30.0)
    assert session.next_deadline(30.0) == 40.0
    dead, closed = session.tick(40.0)
    assert dead == LinkDead("No answer to enquire_link within 10 s.")
    assert isinstance(closed, Closed)
    assert positions(closed.unknown) == [1]


def test_a_late_answer_to_enquire_link_is_passed_over() -> None:
    session = bound(enquire_interval=30.0)
    session.tick(30.0)
    ((_, _, sequence, _),) = sent(session, 30.0)
    session.receive(pdu(ENQUIRE_LINK_RESP, sequence), 31.0)
    assert isinstance(session.receive(pdu(ENQUIRE_LINK_RESP, sequence), 32.0)[0], ProtocolFault)
    session.tick(40.0)
    assert session.receive(pdu(ENQUIRE_LINK_RESP, sequence), 41.0) != []
    assert session.state is State.BOUND_TRX


def test_a_peer_that_nacks_enquire_link_is_there() -> None:
    session = bound(enquire_interval=30.0)
    session.tick(30.0)
    ((_, _, sequence, _),) = sent(session, 30.0)
    assert session.receive(pdu(GENERIC_NACK, sequence, status=0x03), 31.0) == []
    assert session.tick(45.0) == []


def test_a_peer_that_answers_nothing_is_asked_and_given_nothing_more() -> None:
    session = bound(window=5, response_timeout=5.0, enquire_interval=1000.0, enquire_timeout=10.0)
    submitted(session, 5)
    *unknown, silent = session.tick(5.0)
    assert len(unknown) == 5
    assert silent == PeerSilent(5.0)
    ((command, _, sequence, _),) = sent(session, 5.0)
    assert command == ENQUIRE_LINK
    assert session.in_flight == session.free == 0
    assert session.receive(pdu(ENQUIRE_LINK_RESP, sequence), 6.0) == []
    assert session.free == 1
    submitted(session, 1, now=6.0)
    session.tick(11.0)
    dead, closed = session.tick(21.0)
    assert dead == LinkDead("No answer to enquire_link within 10 s.")
    assert isinstance(closed, Closed)
    assert closed.unknown == closed.released == ()


def silent_after_a_window(window: int = 50) -> Session:
    """A session whose peer answers enquire_link and has left one window of segments unanswered."""
    session = bound(window=window, response_timeout=5.0, enquire_interval=1000.0)
    submitted(session, window)
    session.tick(5.0)
    answer_enquiry(session, 5.0)
    return session


def answer_enquiry(session: Session, now: float) -> None:
    """Let the peer answer the enquire_link that is open."""
    ((command, _, sequence, _),) = sent(session, now)
    assert command == ENQUIRE_LINK
    assert session.receive(pdu(ENQUIRE_LINK_RESP, sequence), now + 0.1) == []


def test_who_answers_enquire_link_and_no_segment_gets_one_for_each_timer() -> None:
    session = silent_after_a_window(window=50)
    unknown = 50
    for now in range(6, 3606, 6):
        (_,) = submitted(session, session.free, now=now)
        assert session.free == 0
        events = session.tick(now + 5.0)
        assert [type(event) for event in events] == [Settled]
        unknown += len(events)
        answer_enquiry(session, now + 5.0)
    assert unknown == 50 + 600
    assert session.state is State.BOUND_TRX


def test_a_probe_that_is_answered_opens_the_window_again() -> None:
    session = silent_after_a_window(window=50)
    (sequence,) = submitted(session, session.free, now=6.0)
    answers, settled = session.receive(accepted(sequence), 7.0)
    assert answers == PeerAnswers()
    assert isinstance(settled, Settled)
    assert session.free == 50


def test_a_late_answer_ends_a_silence_as_well() -> None:
    session = bound(window=5, response_timeout=5.0, enquire_interval=1000.0)
    first, *_ = submitted(session, 5)
    session.tick(5.0)
    answers, late = session.receive(accepted(first), 7.0)
    assert answers == PeerAnswers()
    assert isinstance(late, LateResponse)
    assert session.free == 5


def test_answers_to_nothing_do_not_end_a_silence() -> None:
    session = silent_after_a_window(window=5)
    session.receive(accepted(9_999), 7.0)
    assert session.free == 1


def test_a_peer_that_forgets_one_answer_is_given_more() -> None:
    session = bound(window=5, response_timeout=5.0, enquire_interval=1000.0)
    submitted(session, 1, now=0.0)
    (answered,) = submitted(session, 1, now=1.0)
    session.receive(accepted(answered), 2.0)
    assert len(session.tick(5.0)) == 1
    assert sent(session) == []
    assert session.free == 5


def test_an_enquire_link_is_answered_before_what_waits() -> None:
    session = bound(window=500)
    session.submit([segment(position) for position in range(1, 501)], 0.0)
    session.receive(pdu(ENQUIRE_LINK, 77), 0.1)
    assert sent(session)[0] == (ENQUIRE_LINK_RESP, 0, 77, b"")


def test_an_enquire_link_is_answered_at_the_next_border_of_a_full_buffer() -> None:
    session = bound(window=500)
    session.submit([segment(position) for position in range(1, 501)], 0.0)
    block = session.bytes_to_send()
    session.taken(7, 0.0)
    session.receive(pdu(ENQUIRE_LINK, 77), 0.1)
    assert session.bytes_to_send() == block[7:]
    session.taken(len(block) - 7, 0.2)
    assert commands(sent(session))[0] == ENQUIRE_LINK_RESP
    assert session.in_flight == 500


def test_a_peer_that_stops_reading_is_found_out_while_its_receipts_are_read() -> None:
    session = bound(window=5, enquire_interval=30.0, enquire_timeout=10.0)
    session.submit([segment(position) for position in range(1, 6)], 0.0)
    receipt = pdu(DELIVER_SM, 1, delivery_body(b"id:1 stat:DELIVRD"))
    for second in range(1, 40):
        events = session.receive(receipt, float(second)) + session.tick(float(second))
        assert [type(event) for event in events] == [ReceiptReceived]
    assert session.free == 0
    events = session.tick(40.0)
    assert isinstance(events[0], LinkDead)
    assert positions(only(events, Closed).released) == [1, 2, 3, 4, 5]


def test_a_peer_that_asks_and_never_reads_is_cut_off_in_bounds() -> None:
    session = bound(output_limit=100_000)
    events: list[Event] = []
    asked = 0
    while not events:
        events = session.receive(pdu(ENQUIRE_LINK, asked) * 100, 0.1)
        asked += 100
    assert events[0] == LinkDead("The peer does not read our answers.")
    assert asked <= 100_000 / 16 + 200


@pytest.mark.parametrize("command", [OUTBIND, 0x00010001, 0x00000004, 0x00000009, 0x00000021])
def test_a_command_without_a_place_is_nacked_and_the_session_goes_on(command: int) -> None:
    session = bound()
    assert isinstance(session.receive(pdu(command, 9, b"x"), 0.1)[0], ProtocolFault)
    assert sent(session) == [(GENERIC_NACK, 0x03, 9, b"")]
    assert session.state is State.BOUND_TRX


@pytest.mark.parametrize("command", [0x80000003, 0x80010001, UNBIND_RESP, BIND_TRX_RESP])
def test_a_response_to_nothing_is_not_nacked(command: int) -> None:
    session = bound()
    assert isinstance(session.receive(pdu(command, 9), 0.1)[0], ProtocolFault)
    assert sent(session) == []
    assert session.state is State.BOUND_TRX


def test_an_alert_is_passed_over() -> None:
    session = bound()
    assert session.receive(pdu(ALERT_NOTIFICATION, 9, b"\0\0\0\0\0\0"), 0.1) == []
    assert sent(session) == []


@pytest.mark.parametrize("sequence", [0, 0x80000000, 0xFFFFFFFF])
def test_numbers_of_the_peer_are_echoed_as_they_are(sequence: int) -> None:
    session = bound()
    session.receive(pdu(ENQUIRE_LINK, sequence), 0.1)
    session.receive(pdu(0x00010001, sequence), 0.1)
    assert [frame[2] for frame in sent(session)] == [sequence, sequence]


def test_an_old_session_does_not_come_back() -> None:
    session = bound()
    session.connection_lost(0.1, "Cut.")
    assert session.receive(pdu(ENQUIRE_LINK, 1), 0.2) == []
    assert settled(session.submit([segment(1)], 0.2)) == [(1, "released")]
    assert session.bytes_to_send() == b""


def test_a_bind_right_behind_other_pdus_is_taken() -> None:
    session = Session(config())
    session.begin_bind(0.0)
    sent(session)
    events = session.receive(pdu(ENQUIRE_LINK, 1) + pdu(BIND_TRX_RESP, 1, b"\0"), 0.1)
    assert events == [Bound("")]


def test_segments_that_wait_in_order_leave_in_order() -> None:
    session = bound(window=1000)
    session.submit([segment(position) for position in range(1, 501)], 0.0)
    first = sent(session)
    session.submit([segment(position) for position in range(501, 601)], 0.0)
    frames = first + sent(session)
    assert set(commands(frames)) == {SUBMIT_SM}
    sequences = [frame[2] for frame in frames]
    assert sequences == sorted(sequences)
    assert len(sequences) == 600
