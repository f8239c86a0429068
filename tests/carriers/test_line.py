"""One session of the second carrier in its process, without a database: what it does right and
wrong, and what comes of it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smpp_client.carrier import Address, Kind, Segment, SegmentKey
from smpp_client.carrier.adapters import CarrierSettings
from smpp_client.engine.adapters.line import AdapterLine
from smpp_client.engine.clock import lease_now
from smpp_client.protocol.events import (
    Bound,
    Closed,
    Event,
    HealthTold,
    LateResponse,
    MessageReceived,
    PeerAnswers,
    PeerSilent,
    ProtocolFault,
    ReceiptReceived,
    Settled,
)
from tests.carriers.conftest import Carrier
from tests.carriers.far_end import FarEnd


def segment(position: int) -> Segment:
    """A segment to a number of fiction."""
    return Segment(
        key=SegmentKey(7, 3, position, 1),
        part_count=1,
        source=Address(5, 0, "Example"),
        destination=Address(1, 1, str(447700900000 + position)),
        short_message=f"Hello {position}".encode(),
        data_coding=0,
        has_header=False,
    )


@dataclass
class Talk:
    """A line and everything it told."""

    line: AdapterLine
    events: list[Event] = field(default_factory=list)

    def kinds(self) -> Counter[Kind]:
        """Return how many segments had each outcome, those of the end included."""
        settled = Counter(one.kind for one in self.events if isinstance(one, Settled))
        for closed in (one for one in self.events if isinstance(one, Closed)):
            settled[Kind.UNKNOWN] += len(closed.unknown)
        return +settled

    def of(self, kind: type[Any]) -> list[Any]:
        """Return the events of one type."""
        return [one for one in self.events if isinstance(one, kind)]

    async def until(self, is_so: Callable[[], bool], seconds: float = 10) -> None:
        """Wait until something is so."""
        ends = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < ends, self.events[-5:]
            await asyncio.sleep(0.01)

    async def is_ready(self) -> None:
        """Wait until it takes segments."""
        await self.until(lambda: self.line.free > 0)

    async def is_over(self) -> str:
        """Wait for the end and return its reason."""
        await self.until(self.line.is_closed.is_set)
        (closed,) = self.of(Closed)
        return str(closed.reason)


async def begin(
    carrier: Carrier,
    far_end: FarEnd,
    mood: str = "",
    *,
    port: int = 0,
    name: str = "lines",
    deadline: float = float("inf"),
    call_seconds: float = 0.5,
    response_seconds: float = 30,
) -> Talk:
    """Start a session."""
    carrier.is_now(mood)
    settings = CarrierSettings(
        connection="far",
        host="127.0.0.1",
        port=port or far_end.port,
        account="center",
        secret="a secret longer than SMPP could carry",
        rate=100,
        window=20,
        options={"mood": str(carrier.mood_file)},
    )
    events: list[Event] = []
    line = AdapterLine(
        name,
        settings,
        events.append,
        lambda: deadline,
        call_seconds=call_seconds,
        response_seconds=response_seconds,
    )
    await line.start()
    return Talk(line, events)


def test_it_sends_and_gives_outcomes_and_receipts_and_is_told_when_they_are_kept(
    carrier: Carrier, far_end: FarEnd
) -> None:
    async def session() -> Talk:
        talk = await begin(carrier, far_end)
        await talk.is_ready()
        talk.line.submit([segment(n) for n in range(10)])
        await talk.until(lambda: len(talk.of(ReceiptReceived)) == 10)
        for one in talk.of(ReceiptReceived):
            talk.line.acknowledge(one.ticket, one.receipt.smsc_id != "L1")
        await talk.until(lambda: len(far_end.stored) == 9)
        talk.line.unbind()
        assert await talk.is_over() == "Closed."
        return talk

    talk = asyncio.run(session())
    assert isinstance(talk.events[0], Bound)
    assert talk.kinds() == {Kind.SUBMITTED: 10}
    assert {one.receipt.smsc_id for one in talk.of(ReceiptReceived)} == {
        one.smsc_id for one in talk.of(Settled)
    }
    assert far_end.accounts == {("center", "a secret longer than SMPP could carry")}


def test_it_is_never_given_more_than_the_window(carrier: Carrier, far_end: FarEnd) -> None:
    async def session() -> Talk:
        talk = await begin(carrier, far_end)
        await talk.is_ready()
        talk.line.submit([segment(n) for n in range(30)])
        await talk.until(lambda: sum(talk.kinds().values()) == 30)
        talk.line.drop("enough")
        return talk

    assert asyncio.run(session()).kinds() == {Kind.SUBMITTED: 20, Kind.RELEASED: 10}


def test_a_call_that_hangs_ends_the_process_and_leaves_what_it_was_given_unknown(
    carrier: Carrier, far_end: FarEnd
) -> None:
    async def session() -> Talk:
        talk = await begin(carrier, far_end)
        await talk.is_ready()
        carrier.is_now("hang")
        talk.line.submit([segment(n) for n in range(10)])
        assert "hangs" in await talk.is_over()
        return talk

    talk = asyncio.run(session())
    # Half were written before it hung; those were answered.
    assert talk.kinds() == {Kind.SUBMITTED: 5, Kind.UNKNOWN: 5}


def test_an_exception_leaves_unknown_what_has_no_outcome(carrier: Carrier, far_end: FarEnd) -> None:
    async def session() -> Talk:
        talk = await begin(carrier, far_end)
        await talk.is_ready()
        carrier.is_now("raise")
        talk.line.submit([segment(n) for n in range(10)])
        assert await talk.is_over() == "It failed: ZeroDivisionError in submit."
        return talk

    kinds = asyncio.run(session()).kinds()
    assert sum(kinds.values()) == 10
    assert kinds[Kind.UNKNOWN] >= 5


def test_what_it_provably_did_not_take_is_released_and_the_session_goes_on(
    carrier: Carrier, far_end: FarEnd
) -> None:
    async def session() -> Talk:
        talk = await begin(carrier, far_end)
        await talk.is_ready()
        carrier.is_now("not_taken")
        talk.line.submit([segment(n) for n in range(10)])
        await talk.until(lambda: talk.kinds()[Kind.RELEASED] == 10)
        carrier.is_now("")
        await talk.is_ready()
        talk.line.submit([segment(n) for n in range(10)])
        await talk.until(lambda: talk.kinds()[Kind.SUBMITTED] == 10)
        talk.line.drop("enough")
        return talk

    assert asyncio.run(session()).kinds() == {Kind.SUBMITTED: 10, Kind.RELEASED: 10}


def test_nonsense_is_counted_and_passed_over(carrier: Carrier, far_end: FarEnd) -> None:
    async def session() -> Talk:
        talk = await begin(carrier, far_end)
        await talk.is_ready()
        carrier.is_now("nonsense")
        talk.line.submit([segment(n) for n in range(10)])
        await talk.until(lambda: talk.kinds()[Kind.SUBMITTED] == 10)
        await talk.until(lambda: talk.line.free == 0)
        carrier.is_now("")
        await talk.is_ready()
        talk.line.drop("enough")
        return talk

    talk = asyncio.run(session())
    assert talk.kinds() == {Kind.SUBMITTED: 10}
    assert talk.line.nonsense_count >= 10
    assert len(talk.of(ProtocolFault)) >= 10
    assert all(one.smsc_id.startswith("L") for one in talk.of(Settled))


def test_a_far_end_that_is_not_there_is_said_in_a_sentence(
    carrier: Carrier, far_end: FarEnd
) -> None:
    async def session() -> str:
        talk = await begin(carrier, far_end, port=1)
        return await talk.is_over()

    assert asyncio.run(session()).startswith("The far end does not answer: ")


def test_a_carrier_that_is_not_installed_is_said_so(carrier: Carrier, far_end: FarEnd) -> None:
    async def session() -> str:
        talk = await begin(carrier, far_end, name="pigeons")
        return await talk.is_over()

    assert asyncio.run(session()) == "No carrier “pigeons” is installed."


def test_a_process_that_dies_is_noticed_at_once(carrier: Carrier, far_end: FarEnd) -> None:
    async def session() -> Talk:
        talk = await begin(carrier, far_end, call_seconds=30)
        await talk.is_ready()
        carrier.is_now("die")
        talk.line.submit([segment(n) for n in range(10)])
        assert await talk.is_over() == "The carrier's process ended."
        return talk

    assert sum(asyncio.run(session()).kinds().values()) == 10


def test_an_outcome_after_its_time_settles_the_unknown(carrier: Carrier, far_end: FarEnd) -> None:
    async def session() -> Talk:
        talk = await begin(carrier, far_end, response_seconds=0.2)
        await talk.is_ready()
        with far_end.counting:
            talk.line.submit([segment(n) for n in range(3)])
            await talk.until(lambda: talk.kinds()[Kind.UNKNOWN] == 3)
            await talk.until(lambda: talk.line.free == 1)
        await talk.until(lambda: len(talk.of(LateResponse)) == 3)
        await talk.until(lambda: talk.line.free == 20)
        talk.line.drop("enough")
        return talk

    talk = asyncio.run(session())
    assert {one.kind for one in talk.of(LateResponse)} == {Kind.SUBMITTED}
    assert [type(one) for one in talk.events if isinstance(one, PeerSilent | PeerAnswers)] == [
        PeerSilent,
        PeerAnswers,
    ]


def test_nothing_is_given_to_it_past_the_lease(carrier: Carrier, far_end: FarEnd) -> None:
    async def session() -> Talk:
        talk = await begin(carrier, far_end, deadline=lease_now() + 0.8)
        await talk.is_ready()
        await talk.until(lambda: lease_now() > talk.line._deadline())
        talk.line.submit([segment(1)])
        assert await talk.is_over() == "The lease ran out."
        return talk

    assert asyncio.run(session()).kinds() == {Kind.RELEASED: 1}
    assert not far_end.accepted


def test_a_subscribers_message_comes_through_and_is_answered_when_it_is_kept(
    carrier: Carrier, far_end: FarEnd
) -> None:
    async def session() -> MessageReceived:
        talk = await begin(carrier, far_end)
        await talk.until(lambda: bool(far_end.sessions))
        far_end.sessions[0].write(3, "447700900001", "8000", "СТОП 🛑")
        await talk.until(lambda: bool(talk.of(MessageReceived)))
        (message,) = talk.of(MessageReceived)
        assert not far_end.stored
        talk.line.acknowledge(message.ticket, True)
        await talk.until(lambda: far_end.stored == {-3})
        talk.line.drop("enough")
        assert isinstance(message, MessageReceived)
        return message

    message = asyncio.run(session())
    assert (message.source.value, message.destination.value) == ("447700900001", "8000")
    assert message.message.text == "СТОП 🛑"


def test_its_health_is_told_when_it_changes(carrier: Carrier, far_end: FarEnd) -> None:
    async def session() -> list[str]:
        talk = await begin(carrier, far_end)
        await talk.is_ready()
        with far_end.counting:
            talk.line.submit([segment(n) for n in range(20)])
            await talk.until(lambda: bool(talk.of(HealthTold)))
        await talk.until(lambda: len(talk.of(HealthTold)) == 2)
        talk.line.drop("enough")
        return [one.sentence for one in talk.of(HealthTold)]

    assert asyncio.run(session()) == ["The far end is slow.", ""]


def test_the_process_knows_no_database_and_no_key(
    carrier: Carrier, far_end: FarEnd, monkeypatch: Any
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    monkeypatch.setenv("KEY_FILE", "/secret")

    async def session() -> bytes:
        talk = await begin(carrier, far_end)
        await talk.is_ready()
        process = talk.line._process.child
        assert process is not None
        environment = Path(f"/proc/{process.pid}/environ").read_bytes()
        talk.line.drop("enough")
        return environment

    environment = asyncio.run(session())
    assert b"secret" not in environment
    assert b"PYTHONPATH" in environment


def test_no_process_is_left_behind(carrier: Carrier, far_end: FarEnd) -> None:
    async def session() -> int:
        talk = await begin(carrier, far_end)
        await talk.is_ready()
        process = talk.line._process.child
        assert process is not None
        talk.line.drop("enough")
        await talk.until(lambda: process.poll() is not None)
        return process.pid

    pid = asyncio.run(session())
    assert not Path(f"/proc/{pid}").exists()
