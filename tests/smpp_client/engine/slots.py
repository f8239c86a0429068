"""One slot against leases, a desk and a line in memory, as fast as the loop turns."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from smpp_client.carrier import (
    Address,
    Kind,
    LeaseKey,
    Outcome,
    Receipt,
    Room,
    Segment,
    SegmentKey,
    Work,
)
from smpp_client.engine import slot as slots
from smpp_client.engine.clock import lease_now
from smpp_client.engine.leases import Held, Share
from smpp_client.engine.tools import Tools
from smpp_client.engine.wire import OnEvent
from smpp_client.protocol.events import Bound, Closed, Event, Settled
from tests.smpp_client.engine.peers import PLACE, account

RATE = 1_000


class Shelf:
    """A desk with as many segments as are asked for."""

    def __init__(self) -> None:
        self.claimed = 0
        self.recorded: list[Outcome] = []
        self.left: list[LeaseKey] = []

    def claim(self, lease: LeaseKey, *, room: Room, now: datetime) -> Work:
        """Give what fits the room."""
        first, self.claimed = self.claimed, self.claimed + room.segments
        to = Address(1, 1, "447700900001")
        return Work(
            [
                Segment(SegmentKey(1, 1, n, 1), 1, Address(5, 0, "Bank"), to, b"Hi", 0, False)
                for n in range(first, self.claimed)
            ],
            "",
        )

    def record(self, _lease: LeaseKey, outcomes: Sequence[Outcome]) -> None:
        """Take outcomes."""
        self.recorded.extend(outcomes)

    def receive(self, _connection_id: int, _receipts: Sequence[Receipt]) -> int:
        """Take receipts."""
        return 0

    def settle(self, _lease: LeaseKey) -> int:
        """Nothing is open from before."""
        return 0

    def leave(self, lease: LeaseKey) -> None:
        """Note it."""
        self.left.append(lease)


class Book:
    """Leases that anybody gets; each taking is an epoch. `on_share` may fail. Another process heard
    `heard_ago` seconds ago that all should slow down.
    """

    def __init__(self) -> None:
        self.heard_ago: float | None = None
        self.share_count = 0
        self.epoch = 0
        self.released: list[int] = []
        self.on_share: Callable[[], None] = lambda: None

    def take(self, connection_id: int, _slot: int = 0) -> Held:
        """Give the lease."""
        self.epoch += 1
        return Held(LeaseKey(1, connection_id, self.epoch), lease_now() + 1_000)

    def renew(self, held: Held, _heard_ago: float | None = None) -> Held:
        """Let it be held on."""
        return held

    def release(self, held: Held) -> None:
        """Take it back."""
        self.released.append(held.key.epoch)

    def share(self, _held: Held, *, slot: int, using: int) -> Share:
        """Give the whole rate."""
        self.on_share()
        self.share_count += 1
        return Share(RATE, RATE, self.heard_ago)

    def leave_share(self, _held: Held) -> None:
        """Take the share back."""

    def wanting(self, _connection_id: int) -> int:
        """One sender."""
        return 1


class Wall:
    """A board that remembers what was told and shown."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.shown: list[dict[str, object]] = []

    def tell(self, _connection_id: int, kind: str, sentence: str, _now: datetime) -> None:
        """Note an event."""
        self.told.append((kind, sentence))

    def show(self, values: dict[str, object]) -> None:
        """Note a status."""
        self.shown.append(values)

    def sentences(self, kind: str) -> list[str]:
        return [sentence for told, sentence in self.told if told == kind]


@dataclass
class Far:
    """A line whose far end answers each segment as the test says: (kind, status, cause)."""

    on_event: OnEvent
    answer: Callable[[], tuple[Kind, int, str]]
    is_closed: asyncio.Event = field(default_factory=asyncio.Event)
    written: list[float] = field(default_factory=list)
    in_flight: int = 0

    @property
    def session(self) -> "Far":
        """How full it is."""
        return self

    @property
    def free(self) -> int:
        """How many more it takes."""
        return 50 - self.in_flight

    def submit(self, segments: Sequence[Segment]) -> None:
        """Take segments and answer them a little later."""
        self.written += [time.monotonic()] * len(segments)
        self.in_flight += len(segments)
        asyncio.get_running_loop().call_later(0.002, self._answer, segments)

    def _answer(self, segments: Sequence[Segment]) -> None:
        self.in_flight -= len(segments)
        for segment in segments:
            kind, status, cause = self.answer()
            self.tell(Settled(segment, kind, status, "id", cause, 0.002))

    def tell(self, event: Event) -> None:
        """Tell the slot, while it is open."""
        if not self.is_closed.is_set():
            self.on_event(event)

    def acknowledge(self, ticket: int, is_stored: bool) -> None:
        """Answer a delivery."""

    def unbind(self) -> None:
        """Close."""
        self.drop("unbound")

    def drop(self, reason: str) -> None:
        """Close at once."""
        self.tell(Closed(reason, (), ()))
        self.is_closed.set()


def accepts() -> tuple[Kind, int, str]:
    """The usual answer."""
    return Kind.SUBMITTED, 0, ""


class Stage:
    """A slot at work. `lines` are its sessions, the newest last."""

    certificate_ends_at = None

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.desk, self.leases, self.wall = Shelf(), Book(), Wall()
        self.lines: list[Far] = []
        self.answer = accepts
        self.executor = ThreadPoolExecutor(4)
        patch.setattr(slots, "dialer_for", lambda *_given: self)
        patch.setattr(slots, "STATUS_SECONDS", 0.05)
        self.tools = Tools(
            desk=self.desk,  # type: ignore[arg-type]
            leases=self.leases,  # type: ignore[arg-type]
            board=self.wall,  # type: ignore[arg-type]
            claims=self.executor,
            outcomes=self.executor,
            receipts=self.executor,
            books=self.executor,
            renew_seconds=60,
            receipts_left=asyncio.Event(),
        )
        nowhere = Path("none.pem")
        self.slot = slots.Slot(account(nowhere, nowhere, nowhere, 1), PLACE, self.tools)
        self.task = asyncio.create_task(self.slot.run())

    def reply(self) -> tuple[Kind, int, str]:
        """Answer a segment as the test says now."""
        return self.answer()

    def look_at_certificates(self) -> str:
        """There are none."""
        return ""

    async def dial(self, on_event: OnEvent, _deadline: object) -> Far:
        """Open a line that is bound at once."""
        line = Far(on_event, self.reply)
        self.lines.append(line)
        asyncio.get_running_loop().call_soon(line.tell, Bound("far"))
        return line

    async def end(self) -> None:
        """Stop the slot and wait for it."""
        self.slot.stop()
        await self.task
        self.executor.shutdown()


def play(story: Callable[[Stage], Coroutine[Any, Any, None]], patch: pytest.MonkeyPatch) -> Stage:
    """Run one story on a stage to its end."""
    stages: list[Stage] = []

    async def played() -> None:
        stage = Stage(patch)
        stages.append(stage)
        await story(stage)
        await stage.end()

    asyncio.run(asyncio.wait_for(played(), 60))
    return stages[0]


async def until(predicate: Callable[[], object], seconds: float = 30.0) -> None:
    """Turn the loop until it is so."""
    ends = time.monotonic() + seconds
    while not predicate():
        assert time.monotonic() < ends, "not in time"
        await asyncio.sleep(0.002)
