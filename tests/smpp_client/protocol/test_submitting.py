"""Segments out, answers in: every segment gets exactly one outcome."""

import pytest

from smpp_client.carrier import Address, Kind
from smpp_client.protocol.events import (
    Closed,
    LateResponse,
    ProtocolFault,
    Settled,
    Throttled,
)
from smpp_client.protocol.in_flight import LATE_MEMORY
from smpp_client.protocol.pdus import GENERIC_NACK, SUBMIT_SM, SUBMIT_SM_RESP
from smpp_client.protocol.states import State
from smpp_client.rules.errors import StatusClass
from smpp_client.rules.message_ids import IdRule
from tests.smpp_client.protocol.make import (
    accepted,
    bound,
    commands,
    config,
    generated,
    only,
    pdu,
    positions,
    rejected,
    segment,
    sent,
    settled,
    submitted,
)


def test_an_accepted_segment_has_the_id_of_the_smsc() -> None:
    session = bound()
    (sequence,) = submitted(session, 1)
    outcome = only(session.receive(accepted(sequence, "abc"), 0.25), Settled)
    assert (outcome.kind, outcome.smsc_id, outcome.seconds) == (Kind.SUBMITTED, "abc", 0.25)
    assert session.in_flight == 0


def test_answers_out_of_order_settle_their_own_segments() -> None:
    session = bound()
    first, second, third = submitted(session, 3)
    events = session.receive(accepted(third) + accepted(first) + accepted(second), 0.1)
    assert [position for position, _ in settled(events)] == [3, 1, 2]


def test_an_answer_to_nothing_is_counted_and_nothing_else() -> None:
    session = bound()
    submitted(session, 1)
    assert isinstance(only(session.receive(accepted(999), 0.1), ProtocolFault), ProtocolFault)
    assert session.in_flight == 1


def test_a_second_answer_changes_nothing() -> None:
    session = bound()
    (sequence,) = submitted(session, 1)
    session.receive(accepted(sequence), 0.1)
    events = session.receive(rejected(sequence, 0x0B), 0.2)
    assert settled(events) == []


def test_an_answer_that_never_comes_makes_the_segment_unknown_and_frees_its_place() -> None:
    session = bound(window=2, response_timeout=60.0, enquire_interval=1000.0)
    _, second = submitted(session, 2)
    session.receive(accepted(second), 30.0)
    assert session.free == 1
    assert session.next_deadline(30.0) == 60.0
    assert session.tick(59.9) == []
    outcome = only(session.tick(60.0), Settled)
    assert (outcome.kind, outcome.cause) == (Kind.UNKNOWN, "no answer within 60 s")
    assert session.free == 2
    assert sent(session) == []


def test_an_answer_after_our_timer_settles_the_unknown() -> None:
    session = bound(enquire_interval=1000.0)
    first, second = submitted(session, 2)
    session.tick(60.0)
    late = only(session.receive(accepted(second, "abc"), 90.0), LateResponse)
    assert (late.segment.key.position, late.kind, late.smsc_id) == (2, Kind.SUBMITTED, "abc")
    late = only(session.receive(rejected(first, 0x0B), 91.0), LateResponse)
    assert (late.segment.key.position, late.kind, late.status) == (1, Kind.REFUSED, 0x0B)
    assert session.receive(accepted(second, "abc"), 92.0) != [late]


def test_late_segments_are_remembered_in_bounds() -> None:
    session = bound(window=LATE_MEMORY + 5, response_timeout=1.0, enquire_interval=1e9)
    sequences = submitted(session, LATE_MEMORY + 5)
    session.tick(2.0)
    assert isinstance(session.receive(accepted(sequences[4]), 3.0)[0], ProtocolFault)
    assert isinstance(session.receive(accepted(sequences[5]), 3.0)[-1], LateResponse)


@pytest.mark.parametrize("body", [b"\0", b""])
def test_accepted_without_an_id_is_accepted_and_says_that_receipts_cannot_match(
    body: bytes,
) -> None:
    session = bound()
    (sequence,) = submitted(session, 1)
    outcome = only(session.receive(pdu(SUBMIT_SM_RESP, sequence, body), 0.1), Settled)
    assert (outcome.kind, outcome.smsc_id) == (Kind.SUBMITTED, "")
    assert "a receipt cannot be matched" in outcome.cause


@pytest.mark.parametrize("body", [b"", b"\0", b"abc\0"])
def test_an_error_is_read_with_and_without_a_body(body: bytes) -> None:
    session = bound()
    (sequence,) = submitted(session, 1)
    outcome = only(session.receive(pdu(SUBMIT_SM_RESP, sequence, body, status=0x0B), 0.1), Settled)
    assert (outcome.kind, outcome.status, outcome.smsc_id) == (Kind.REFUSED, 0x0B, "")
    assert outcome.cause == "bad number (0x0B)"


@pytest.mark.parametrize(
    "smsc_id",
    ["x" * 64, "x" * 70, "id with spaces", "7c9e6679-7425-40de-944b-e07fc1f90ae7", "00B8BE19"],
)
@pytest.mark.parametrize("end", [b"\0", b""])
def test_an_id_is_kept_as_it_is(smsc_id: str, end: bytes) -> None:
    session = bound()
    (sequence,) = submitted(session, 1)
    response = pdu(SUBMIT_SM_RESP, sequence, smsc_id.encode() + end)
    assert only(session.receive(response, 0.1), Settled).smsc_id == smsc_id


def test_an_id_is_brought_to_the_connections_form() -> None:
    session = bound(id_rule=IdRule.HEX_TO_DECIMAL)
    (sequence,) = submitted(session, 1)
    assert only(session.receive(accepted(sequence, "00B8BE19"), 0.1), Settled).smsc_id == "12107289"


def test_one_id_for_two_segments_is_kept_for_both() -> None:
    session = bound()
    first, second = submitted(session, 2)
    events = session.receive(accepted(first, "same") + accepted(second, "same"), 0.1)
    assert [event.smsc_id for event in events if isinstance(event, Settled)] == ["same", "same"]


def test_smpplibs_response_is_read() -> None:
    session = bound()
    (sequence,) = submitted(session, 1)
    response = generated("submit_sm_resp", sequence, message_id="abc")
    assert only(session.receive(response, 0.1), Settled).smsc_id == "abc"


@pytest.mark.parametrize("status", [0x58, 0x14])
def test_too_fast_defers_the_segment_and_slows_the_link(status: int) -> None:
    session = bound(window=8)
    sequences = submitted(session, 4, now=1.0)
    events = session.receive(rejected(sequences[0], status), 2.0)
    assert settled(events) == [(1, "deferred")]
    assert only(events, Throttled) == Throttled(status, written_at=1.0)
    assert session.window.size == 6


def test_complaints_about_one_round_shrink_the_window_once() -> None:
    session = bound(window=8)
    sequences = submitted(session, 8)
    session.receive(b"".join(rejected(sequence, 0x58) for sequence in sequences), 0.1)
    assert session.window.size == 6


def test_a_window_that_is_always_throttled_shrinks_to_one_and_comes_back() -> None:
    session = bound(window=8)
    for _ in range(20):
        for sequence in submitted(session, session.free):
            session.receive(rejected(sequence, 0x58), 0.1)
    assert session.window.size == 1
    for _ in range(20):
        for sequence in submitted(session, session.free):
            session.receive(accepted(sequence), 0.1)
    assert session.window.size == 8


def test_every_nth_throttled_keeps_count_and_order() -> None:
    session = bound(window=10)
    sequences = submitted(session, 9)
    answers = [
        rejected(sequence, 0x58) if place % 3 == 0 else accepted(sequence)
        for place, sequence in enumerate(sequences)
    ]
    outcomes = settled(session.receive(b"".join(answers), 0.1))
    assert [position for position, _ in outcomes] == list(range(1, 10))
    assert [kind for _, kind in outcomes].count("deferred") == 3


@pytest.mark.parametrize(
    ("status", "kind"),
    [(0x08, "deferred"), (0x45, "deferred"), (0x0B, "refused"), (0x401, "refused")],
)
def test_a_status_decides_between_refused_and_deferred(status: int, kind: str) -> None:
    session = bound()
    (sequence,) = submitted(session, 1)
    assert settled(session.receive(rejected(sequence, status), 0.1)) == [(1, kind)]


def test_a_code_of_the_operators_own_is_shown_raw() -> None:
    session = bound()
    (sequence,) = submitted(session, 1)
    outcome = only(session.receive(rejected(sequence, 0x4AB), 0.1), Settled)
    assert outcome.cause == "the SMSC's own error (0x4AB)"


def test_the_operators_own_table_decides_first() -> None:
    session = bound(status_classes={0x401: StatusClass.LATER})
    (sequence,) = submitted(session, 1)
    assert settled(session.receive(rejected(sequence, 0x401), 0.1)) == [(1, "deferred")]


@pytest.mark.parametrize("status", [0x00, 0x02, 0x03, 0xFF])
def test_a_nack_with_our_number_fails_that_segment(status: int) -> None:
    session = bound()
    sequences = submitted(session, 2)
    outcome = only(session.receive(pdu(GENERIC_NACK, sequences[1], status=status), 0.1), Settled)
    assert outcome.segment.key.position == 2
    assert outcome.kind is (Kind.DEFERRED if status == 0x03 else Kind.REFUSED)
    assert session.in_flight == 1


def test_a_nack_without_a_status_does_not_read_as_accepted() -> None:
    session = bound()
    (sequence,) = submitted(session, 1)
    outcome = only(session.receive(pdu(GENERIC_NACK, sequence), 0.1), Settled)
    assert outcome.cause == "refused without a reason (generic_nack)"


def test_a_nack_with_number_0_is_counted_only() -> None:
    session = bound()
    submitted(session, 1)
    events = session.receive(pdu(GENERIC_NACK, 0, status=0x02), 0.1)
    assert isinstance(only(events, ProtocolFault), ProtocolFault)
    assert session.in_flight == 1


def test_a_cut_after_some_answers_leaves_exactly_the_others_unknown() -> None:
    session = bound()
    sequences = submitted(session, 5)
    session.receive(accepted(sequences[0]) + accepted(sequences[2]), 0.1)
    closed = only(session.connection_lost(0.2, "The peer closed the connection."), Closed)
    assert positions(closed.unknown) == [2, 4, 5]
    assert closed.released == ()


def test_what_never_left_our_buffer_is_released_by_a_cut() -> None:
    session = bound()
    submitted(session, 2)
    session.submit([segment(3), segment(4)], 0.1)
    closed = only(session.connection_lost(0.2, "Cut."), Closed)
    assert (positions(closed.unknown), positions(closed.released)) == ([1, 2], [3, 4])


def test_a_segment_whose_last_octet_stayed_here_is_released() -> None:
    for missing, unknown in ((0, [1, 2, 3]), (1, [1, 2])):
        session = bound()
        session.submit([segment(1), segment(2), segment(3)], 0.0)
        block = session.bytes_to_send()
        session.taken(len(block) - missing, 0.0)
        closed = only(session.connection_lost(0.1, "Reset."), Closed)
        assert positions(closed.unknown) == unknown


def test_what_was_released_at_the_end_is_never_written() -> None:
    session = bound()
    session.submit([segment(1), segment(2)], 0.0)
    session.bytes_to_send()
    session.submit([segment(3)], 0.0)
    events = session.receive(bytes(4), 0.1)
    assert positions(only(events, Closed).released) == [1, 2, 3]
    assert commands(sent(session)) == [GENERIC_NACK]


def test_every_number_of_octets_taken_gives_each_segment_one_fate() -> None:
    length = len(_written_by_three())
    for count in range(length + 1):
        session = bound()
        session.submit([segment(1), segment(2), segment(3)], 0.0)
        assert len(session.bytes_to_send()) == length
        session.taken(count, 0.0)
        closed = only(session.connection_lost(0.1, "Reset."), Closed)
        whole = count // (length // 3)
        assert positions(closed.unknown) == [1, 2, 3][:whole]
        assert positions(closed.released) == [1, 2, 3][whole:]


def _written_by_three() -> bytes:
    session = bound()
    session.submit([segment(1), segment(2), segment(3)], 0.0)
    return session.bytes_to_send()


def test_a_segment_is_in_the_table_before_its_octets_are_handed_out() -> None:
    session = bound()
    session.submit([segment(1)], 0.0)
    assert session.in_flight == 1
    assert session.pending > 0


def test_an_answer_to_what_was_not_written_is_no_answer() -> None:
    session = bound(last_sequence=10)
    session.submit([segment(1)], 0.0)
    assert settled(session.receive(accepted(12), 0.1)) == []
    sequence = sent(session)[0][2]
    assert sequence == 12
    assert settled(session.receive(accepted(sequence), 0.2)) == [(1, "submitted")]


def test_the_timer_of_a_segment_starts_when_it_leaves_us() -> None:
    session = bound(response_timeout=60.0, enquire_interval=1e9)
    session.submit([segment(1)], 0.0)
    assert session.tick(100.0) == []
    assert commands(sent(session, 100.0)) == [SUBMIT_SM]
    assert session.tick(159.0) == []
    assert settled(session.tick(160.0)) == [(1, "unknown")]


def test_no_more_than_the_window_is_taken() -> None:
    session = bound(window=2)
    events = session.submit([segment(position) for position in (1, 2, 3)], 0.0)
    assert settled(events) == [(3, "released")]
    assert session.free == 0
    assert commands(sent(session)) == [SUBMIT_SM, SUBMIT_SM]


def test_a_segment_with_a_field_that_does_not_fit_is_refused_alone() -> None:
    session = bound()
    bad = segment(2)._replace(destination=Address(1, 1, "4" * 21))
    events = session.submit([segment(1), bad, segment(3)], 0.0)
    outcome = only(events, Settled)
    assert (outcome.segment.key.position, outcome.kind) == (2, Kind.REFUSED)
    assert "at most 20 characters; this one has 21" in outcome.cause
    assert commands(sent(session)) == [SUBMIT_SM, SUBMIT_SM]


def test_numbers_wrap_and_pass_over_those_in_use() -> None:
    session = bound(last_sequence=0x7FFFFFFC, window=10)  # the bind is 0x7ffffffd
    assert submitted(session, 4) == [0x7FFFFFFE, 0x7FFFFFFF, 1, 2]
    again = bound(last_sequence=0x7FFFFFFC, window=10)
    first = submitted(again, 2)
    again._in_flight._last = first[0] - 1
    assert submitted(again, 1) == [1]


def test_a_wrapped_number_does_not_meet_a_late_answer() -> None:
    session = bound(enquire_interval=1e9)
    first, second = submitted(session, 2)
    session.receive(accepted(second), 30.0)
    session.tick(60.0)
    session._in_flight._last = first - 1
    assert submitted(session, 1, now=61.0) == [second]


def test_unsent_segments_can_be_taken_back() -> None:
    session = bound()
    submitted(session, 1)
    session.submit([segment(2), segment(3)], 0.1)
    events = session.release_unsent("paused")
    assert settled(events) == [(2, "released"), (3, "released")]
    assert sent(session) == []
    assert session.in_flight == 1
    (sequence,) = submitted(session, 1, now=0.2)
    assert settled(session.receive(accepted(sequence), 0.3)) == [(1, "submitted")]


def test_a_window_that_is_changed_holds_at_once() -> None:
    session = bound(window=2)
    session.window.set_limit(5)
    assert session.free == 5
    session.window.set_limit(1)
    assert session.free == 1


def test_other_settings_reach_a_session_that_is_bound() -> None:
    session = bound(window=10)
    sequences = submitted(session, 3)
    session.follow(config(window=4, status_classes={0x400: StatusClass.LATER}))
    assert session.free == 1
    assert settled(session.receive(rejected(sequences[0], 0x400), 0.2)) == [(1, "deferred")]
    assert session.state is State.BOUND_TRX
