"""However the stream is split, the PDUs are the same; what cannot be read ends it."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp_client.protocol.framing import LARGEST, Frame, Framer


def pdu(body: bytes = b"", command: int = 0x15, status: int = 0, sequence: int = 1) -> bytes:
    return struct.pack(">LLLL", 16 + len(body), command, status, sequence) + body


pdus = st.builds(
    pdu,
    st.binary(max_size=300),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
)


def feed_in_pieces(stream: bytes, cuts: list[int]) -> tuple[list[Frame], Framer]:
    framer, frames = Framer(), []
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for start, stop in pairwise(edges):
        frames += framer.feed(stream[start:stop])
    return frames, framer


@given(st.lists(pdus, max_size=8), st.lists(st.integers(0), max_size=20))
def test_any_split_gives_the_same_pdus(parts: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(parts)
    whole = Framer().feed(stream)
    assert [(struct.unpack(">LLLL", part[:16])[1:], part[16:]) for part in parts] == [
        (frame[:3], frame[3]) for frame in whole
    ]
    assert feed_in_pieces(stream, cuts)[0] == whole


def test_one_octet_at_a_time_gives_the_same_pdus() -> None:
    stream = pdu(b"abc") + pdu() + pdu(b"x" * 200)
    framer = Framer()
    frames = [frame for octet in stream for frame in framer.feed(bytes((octet,)))]
    assert frames == Framer().feed(stream)


def test_two_hundred_pdus_in_one_read_all_come_out() -> None:
    assert len(Framer().feed(pdu(b"abc") * 200)) == 200


@pytest.mark.parametrize("length", [0, 4, 15, LARGEST + 1, 0x7FFFFFFF, 0xFFFFFFFF])
def test_an_impossible_length_is_a_fault_as_soon_as_it_is_read(length: int) -> None:
    framer = Framer()
    assert framer.feed(pdu() + struct.pack(">L", length)) == [(0x15, 0, 1, b"")]
    assert framer.fault is not None
    assert framer.fault.length == length


def test_the_largest_pdu_is_read() -> None:
    assert len(Framer().feed(pdu(bytes(LARGEST - 16)))) == 1


def test_nothing_is_kept_after_a_fault() -> None:
    framer = Framer()
    framer.feed(bytes(4))
    for _ in range(100):
        assert framer.feed(pdu(b"x" * 1000)) == []
    assert framer.pending == 0


def test_another_protocol_is_named_by_what_it_sent() -> None:
    framer = Framer()
    framer.feed(b"HTTP/1.1 400 Bad Request\r\n")
    assert framer.fault is not None
    assert framer.fault.sentence == "The peer does not speak SMPP: it sent “HTTP/1.1 400”."


def test_a_huge_length_allocates_nothing() -> None:
    framer = Framer()
    framer.feed(b"\x7f\xff\xff\xff")
    assert framer.pending == 0


@given(st.lists(st.binary(max_size=200), max_size=50))
def test_any_octets_leave_at_most_one_pdu_behind(chunks: list[bytes]) -> None:
    framer = Framer()
    for chunk in chunks:
        framer.feed(chunk)
        assert framer.pending < LARGEST + 200
