"""The buffer of the session: urgent first, and the proof of what was taken."""

from hypothesis import given
from hypothesis import strategies as st

from smpp_client.protocol.output import BLOCK, Output


def test_urgent_pdus_go_first() -> None:
    output = Output()
    output.add_segment(b"one")
    output.add_urgent(b"now")
    assert output.peek() == b"nowone"


def test_what_is_shown_does_not_change_until_it_is_taken() -> None:
    output = Output()
    output.add_segment(b"one")
    assert output.peek() == b"one"
    output.add_urgent(b"now")
    assert output.peek() == b"one"
    output.take(1)
    assert output.peek() == b"ne"
    output.take(2)
    assert output.peek() == b"now"


def test_a_segment_is_taken_with_its_last_octet() -> None:
    output = Output()
    output.add_segment(b"one")
    output.add_segment(b"two")
    output.peek()
    output.take(5)
    assert (output.taken, output.handed) == (1, 2)
    output.take(1)
    assert output.taken == 2


def test_a_block_is_small() -> None:
    output = Output()
    for _ in range(1000):
        output.add_segment(bytes(150))
    assert len(output.peek()) < BLOCK + 150
    assert output.size == 150_000


def test_closing_keeps_what_is_urgent_and_whole() -> None:
    output = Output()
    for pdu in (b"aaa", b"bbb"):
        output.add_urgent(pdu)
    output.add_segment(b"one")
    output.peek()
    output.take(3)
    output.add_urgent(b"ccc")
    output.close()
    assert output.peek() == b"bbbccc"


def test_closing_inside_a_pdu_leaves_nothing_to_write() -> None:
    output = Output()
    output.add_urgent(b"aaa")
    output.peek()
    output.take(1)
    output.add_urgent(b"bbb")
    output.close()
    assert output.peek() == b""
    assert output.size == 0


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("urgent"), st.binary(min_size=1, max_size=4000)),
            st.tuples(st.just("segment"), st.binary(min_size=1, max_size=4000)),
            st.tuples(st.just("take"), st.integers(0, 20_000)),
        ),
        max_size=60,
    )
)
def test_segments_leave_whole_in_order_and_are_counted(steps: list[tuple[str, object]]) -> None:
    output, written, segments, urgent = Output(), b"", [], []
    for what, value in steps:
        if isinstance(value, int):
            block = output.peek()
            output.take(value)
            written += block[:value]
        elif what == "urgent":
            urgent.append(bytes(value))  # type: ignore[call-overload]
            output.add_urgent(urgent[-1])
        else:
            segments.append(bytes(value))  # type: ignore[call-overload]
            output.add_segment(segments[-1])
    assert output.size == sum(map(len, segments)) + sum(map(len, urgent)) - len(written)
    assert 0 <= output.taken <= output.handed <= output.added == len(segments)
    while block := output.peek():
        output.take(len(block))
        written += block
    assert output.taken == len(segments)
    assert len(written) == sum(map(len, segments)) + sum(map(len, urgent))
