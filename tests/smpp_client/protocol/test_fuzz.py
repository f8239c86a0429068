"""Whatever a peer sends and whenever: nothing raises, nothing grows, every segment has one fate."""

import struct
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from smpp_client.protocol.events import (
    Closed,
    Event,
    MessageReceived,
    ReceiptReceived,
    Settled,
)
from smpp_client.protocol.framing import LARGEST, Framer
from smpp_client.protocol.session import Session
from smpp_client.protocol.states import State
from tests.smpp_client.protocol.make import bound, config, delivery_body, pdu, segment

COMMANDS = [
    *range(0x0C),
    *(0x15, 0x21, 0x102, 0x103, 0x10001),
    *(0x80000000 | code for code in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x15, 0x103)),
]

bodies = st.one_of(
    st.binary(max_size=80),
    st.builds(
        delivery_body,
        st.binary(max_size=60),
        esm_class=st.integers(0, 255),
        data_coding=st.integers(0, 255),
        options=st.binary(max_size=30),
    ),
)
any_pdu = st.builds(
    pdu,
    st.sampled_from(COMMANDS),
    st.one_of(st.integers(0, 12), st.integers(0, 0xFFFFFFFF)),
    bodies,
    status=st.sampled_from([0, 0, 0, 1, 2, 3, 8, 0x0B, 0x14, 0x58, 0x401, 0xFFFFFFFF]),
)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=30))
def test_any_octets_never_raise(chunks: list[bytes]) -> None:
    for session in (bound(), Session(config())):
        for chunk in chunks:
            session.receive(chunk, 0.1)
            assert session._framer.pending < LARGEST + 200


@settings(deadline=None)
@given(st.lists(any_pdu, max_size=30), st.integers(1, 50))
def test_any_pdus_never_raise_and_splitting_changes_nothing(pdus: list[bytes], size: int) -> None:
    whole, pieces = bound(), bound()
    for session in (whole, pieces):
        session.submit([segment(position) for position in range(1, 6)], 0.0)
        session.taken(len(session.bytes_to_send()), 0.0)
    stream = b"".join(pdus)
    expected = whole.receive(stream, 0.1)
    told = [
        event
        for start in range(0, len(stream), size)
        for event in pieces.receive(stream[start : start + size], 0.1)
    ]
    assert told == expected
    assert pieces.state is whole.state
    assert pieces.bytes_to_send() == whole.bytes_to_send()


class Life(RuleBasedStateMachine):
    """A session with a careless owner and a hostile peer."""

    def __init__(self) -> None:
        super().__init__()
        self.session = bound(window=5, unanswered_limit=20, output_limit=5_000)
        self.now = 0.0
        self.next_position = 0
        self.given: set[int] = set()
        self.fates: Counter[int] = Counter()
        self.tickets: list[int] = []
        self.closings = 0
        self.open: list[int] = []

    def take(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Settled):
                self.fates[event.segment.key.position] += 1
            elif isinstance(event, Closed):
                self.closings += 1
                for one in event.unknown + event.released:
                    self.fates[one.key.position] += 1
            elif isinstance(event, ReceiptReceived | MessageReceived):
                self.tickets.append(event.ticket)

    @rule(count=st.integers(1, 8))
    def submit(self, count: int) -> None:
        segments = [segment(self.next_position + place) for place in range(count)]
        self.next_position += count
        self.given |= {one.key.position for one in segments}
        self.take(self.session.submit(segments, self.now))

    @rule(share=st.floats(0, 1))
    def write(self, share: float) -> None:
        block = self.session.bytes_to_send()
        count = int(len(block) * share)
        self.session.taken(count, self.now)
        for command, _, sequence, _ in Framer().feed(block[:count]):
            if command == 4:
                assert self.session.state is not State.CLOSED
                self.open.append(sequence)

    @rule(data=any_pdu, cut=st.integers(0, 300))
    def receive(self, data: bytes, cut: int) -> None:
        self.take(self.session.receive(data[:cut] if cut < 20 else data, self.now))

    @rule(status=st.sampled_from([0, 0, 0, 0x0B, 0x58]), place=st.integers(0, 100))
    def answer(self, status: int, place: int) -> None:
        if self.open and not self.session._framer.pending:
            sequence = self.open.pop(place % len(self.open))
            data = struct.pack(">LLLL", 18, 0x80000004, status, sequence) + b"1\0"
            self.take(self.session.receive(data, self.now))

    @rule(seconds=st.sampled_from([0.0, 0.01, 1.0, 7.0, 31.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.take(self.session.tick(self.now))

    @rule(is_stored=st.booleans())
    def acknowledge(self, is_stored: bool) -> None:
        if self.tickets:
            self.session.acknowledge(self.tickets.pop(), is_stored=is_stored)

    @rule()
    def release(self) -> None:
        self.take(self.session.release_unsent("paused"))

    @rule(chance=st.integers(0, 30))
    def unbind(self, chance: int) -> None:
        if chance == 0:
            self.take(self.session.begin_unbind(self.now))

    @rule(chance=st.integers(0, 30))
    def lose(self, chance: int) -> None:
        if chance == 0:
            self.take(self.session.connection_lost(self.now, "Cut."))

    @invariant()
    def each_segment_has_at_most_one_fate_and_none_is_lost(self) -> None:
        assert all(count == 1 for count in self.fates.values())
        assert len(self.given) == len(self.fates) + self.session.in_flight

    @invariant()
    def the_end_comes_once_and_settles_everything(self) -> None:
        if self.session.state is State.CLOSED:
            assert self.closings == 1
            assert set(self.fates) == self.given
            assert self.session.next_deadline(self.now) is None
        else:
            assert self.closings == 0

    @invariant()
    def nothing_grows(self) -> None:
        assert self.session.in_flight <= 5
        assert self.session.unanswered <= 20
        assert self.session.pending < 5_000 + 5 * 200 + 16_384 + 500


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
