"""From open to bound, or not."""

import pytest

from smpp_client.protocol.events import (
    BindRefused,
    Bound,
    Closed,
    LinkDead,
    MessageReceived,
    ProtocolFault,
)
from smpp_client.protocol.pdus import (
    DELIVER_SM,
    DELIVER_SM_RESP,
    ENQUIRE_LINK,
    ENQUIRE_LINK_RESP,
    GENERIC_NACK,
    RESPONSE,
    BindType,
    FieldRefused,
)
from smpp_client.protocol.session import Session
from smpp_client.protocol.states import MOVES, Move, State, WrongMove, moved
from smpp_client.rules.errors import StatusClass
from tests.smpp_client.protocol.make import (
    bound,
    commands,
    config,
    delivery_body,
    generated,
    only,
    pdu,
    segment,
    sent,
    settled,
    tlv,
)

BIND = {BindType.TRANSMITTER: 2, BindType.RECEIVER: 1, BindType.TRANSCEIVER: 9}
BIND_TRX_RESP = 9 | RESPONSE


def binding(**changes: object) -> Session:
    """A session whose bind, number 1, is written."""
    session = Session(config(**changes))
    session.begin_bind(0.0)
    assert len(sent(session)) == 1
    return session


@pytest.mark.parametrize(
    ("bind_type", "state"),
    [
        (BindType.TRANSMITTER, State.BOUND_TX),
        (BindType.RECEIVER, State.BOUND_RX),
        (BindType.TRANSCEIVER, State.BOUND_TRX),
    ],
)
def test_an_accepted_bind_binds(bind_type: BindType, state: State) -> None:
    session = Session(config(bind_type=bind_type))
    session.begin_bind(0.0)
    assert commands(sent(session)) == [BIND[bind_type]]
    events = session.receive(pdu(BIND[bind_type] | RESPONSE, 1, b"SMSC\0"), 0.1)
    assert events == [Bound("SMSC")]
    assert session.state is state


@pytest.mark.parametrize(
    ("body", "system_id"),
    [(b"SMSC\0", "SMSC"), (b"", ""), (b"\0", ""), (b"SMSC\0" + tlv(0x0210, b"\x34"), "SMSC")],
)
def test_a_bind_is_accepted_with_or_without_a_body(body: bytes, system_id: str) -> None:
    assert binding().receive(pdu(BIND_TRX_RESP, 1, body), 0.1) == [Bound(system_id)]


def test_smpplib_reads_our_bind_and_we_its_answer() -> None:
    response = generated("bind_transceiver_resp", 1, system_id="SMSC", sc_interface_version=0x34)
    assert binding().receive(response, 0.1) == [Bound("SMSC")]


@pytest.mark.parametrize("status", [0x0E, 0x0F])
def test_wrong_credentials_are_an_alarm(status: int) -> None:
    session = binding()
    refused, closed = session.receive(pdu(BIND_TRX_RESP, 1, status=status), 0.1)
    assert isinstance(refused, BindRefused)
    assert (refused.status, refused.status_class) == (status, StatusClass.ALARM)
    assert isinstance(closed, Closed)
    assert session.state is State.CLOSED


def test_already_bound_is_tried_later() -> None:
    events = binding().receive(pdu(BIND_TRX_RESP, 1, status=0x05), 0.1)
    refused = only(events, BindRefused)
    assert refused.status_class is StatusClass.LATER
    assert refused.sentence == "The bind was refused: already bound (0x05)."


def test_a_nack_of_the_bind_refuses_it() -> None:
    events = binding().receive(pdu(GENERIC_NACK, 1, status=0x03), 0.1)
    assert only(events, BindRefused).status == 0x03
    assert only(events, Closed).unknown == ()


def test_a_bind_without_an_answer_ends_by_its_timer() -> None:
    session = binding(bind_timeout=5.0)
    assert session.next_deadline(0.0) == 5.0
    assert session.tick(4.9) == []
    dead, closed = session.tick(5.0)
    assert dead == LinkDead("No answer to the bind within 5 s.")
    assert isinstance(closed, Closed)


def test_an_enquire_link_before_the_bind_is_accepted_is_answered() -> None:
    session = binding()
    assert session.receive(pdu(ENQUIRE_LINK, 77), 0.1) == []
    assert sent(session) == [(ENQUIRE_LINK_RESP, 0, 77, b"")]
    assert session.receive(pdu(BIND_TRX_RESP, 1, b"\0"), 0.2) == [Bound("")]


def test_a_delivery_before_the_bind_is_accepted_is_kept_and_the_bind_completes() -> None:
    session = binding()
    (message,) = session.receive(pdu(DELIVER_SM, 5, delivery_body(b"STOP", esm_class=0)), 0.1)
    assert isinstance(message, MessageReceived)
    assert session.receive(pdu(BIND_TRX_RESP, 1, b"\0"), 0.2) == [Bound("")]
    session.acknowledge(message.ticket, is_stored=True)
    assert sent(session) == [(DELIVER_SM_RESP, 0, 5, b"\0")]


def test_a_delivery_before_any_bind_is_refused() -> None:
    session = Session(config())
    events = session.receive(pdu(DELIVER_SM, 5, delivery_body(b"STOP", esm_class=0)), 0.1)
    assert isinstance(events[0], ProtocolFault)
    assert sent(session) == [(DELIVER_SM_RESP, 0x04, 5, b"\0")]


def test_an_answer_to_another_bind_is_passed_over() -> None:
    session = binding()
    assert isinstance(session.receive(pdu(BIND_TRX_RESP, 2, b"\0"), 0.1)[0], ProtocolFault)
    assert session.state is State.BINDING


def test_a_second_answer_to_the_bind_changes_nothing() -> None:
    session = bound()
    assert isinstance(session.receive(pdu(BIND_TRX_RESP, 1, status=0x0E), 0.1)[0], ProtocolFault)
    assert session.state is State.BOUND_TRX


def test_nothing_is_asked_and_nothing_submitted_before_the_bind() -> None:
    session = binding()
    assert session.free == 0
    assert session.tick(14.0) == []
    assert sent(session) == []
    assert settled(session.submit([segment(1)], 14.0)) == [(1, "released")]


def test_a_receiver_submits_nothing() -> None:
    session = bound(bind_type=BindType.RECEIVER)
    assert session.free == 0
    assert settled(session.submit([segment(1)], 1.0)) == [(1, "released")]
    assert sent(session) == []


def test_credentials_that_do_not_fit_are_refused_before_the_wire() -> None:
    session = Session(config(password="longer than eight"))
    with pytest.raises(FieldRefused, match="password"):
        session.begin_bind(0.0)
    assert session.state is State.OPEN
    assert sent(session) == []


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(config())


def test_a_session_binds_once() -> None:
    with pytest.raises(WrongMove, match="that is bound_trx cannot bind"):
        bound().begin_bind(1.0)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("move", Move)
def test_the_table_has_the_only_moves(state: State, move: Move) -> None:
    if (state, move) in MOVES:
        assert moved(state, move) is MOVES[state, move]
    else:
        with pytest.raises(WrongMove):
            moved(state, move)


def test_every_state_but_closed_can_close_and_nothing_leaves_closed() -> None:
    assert {state for state, move in MOVES if move is Move.CLOSE} == set(State) - {State.CLOSED}
    assert not [move for state, move in MOVES if state is State.CLOSED]
