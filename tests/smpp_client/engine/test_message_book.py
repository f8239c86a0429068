"""The book of subscribers' messages: nothing is answered before it is durable."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from smpp_client.carrier import Address, InboundMessage
from smpp_client.engine import books
from smpp_client.engine.books import MessageBook
from smpp_client.rules.codings import Coding


def message(body: bytes) -> InboundMessage:
    return InboundMessage(
        source=Address(1, 1, "447700900123"),
        destination=Address(3, 0, "2020"),
        octets=body,
        coding=Coding.GSM,
        received_at=datetime.now(UTC),
        raw=body,
    )


@dataclass
class FarDesk:
    """A desk whose database is away, or that cannot store some messages."""

    is_away: bool = False
    stored: list[bytes] = field(default_factory=list)
    settled: list[bytes] = field(default_factory=list)
    group_sizes: list[int] = field(default_factory=list)

    def receive_messages(self, _connection_id: int, messages: Sequence[InboundMessage]) -> None:
        if self.is_away:
            raise psycopg.OperationalError("the database is away")
        if any(one.raw == b"poison" for one in messages):
            raise psycopg.errors.StringDataRightTruncation("too long")
        self.group_sizes.append(len(messages))
        self.stored += [one.raw for one in messages]

    def settle_messages(self, _connection_id: int, messages: Sequence[InboundMessage]) -> None:
        self.settled += [one.raw for one in messages]


@dataclass
class Scene:
    """A running book, its desk, and what was answered: ticket and whether it is stored."""

    desk: FarDesk
    book: MessageBook
    answers: list[tuple[int, bool]]


def play(act: Callable[[Scene], Coroutine[Any, Any, None]], settle_seconds: float = 60) -> Scene:
    """Run a scene in a loop of its own."""

    async def scene() -> Scene:
        desk, answers = FarDesk(), list[tuple[int, bool]]()
        book = MessageBook(
            desk,  # type: ignore[arg-type]
            1,
            None,
            lambda ticket, is_stored: answers.append((ticket, is_stored)),
            settle_seconds,
        )
        made = Scene(desk, book, answers)
        running = asyncio.create_task(book.run())
        await act(made)
        running.cancel()
        return made

    return asyncio.run(scene())


async def until(reached: Callable[[], object]) -> None:
    """Wait, with a deadline, until something is true."""
    async with asyncio.timeout(5):
        while not reached():
            await asyncio.sleep(0.005)


def test_a_message_is_answered_after_it_is_stored() -> None:
    async def act(scene: Scene) -> None:
        scene.book.add(1, message(b"a"))
        scene.book.add(2, message(b"b"))
        assert scene.answers == []
        await until(lambda: scene.answers)

    scene = play(act)
    assert scene.desk.stored == [b"a", b"b"]
    assert scene.answers == [(1, True), (2, True)]


def test_nothing_is_answered_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "RETRY_SECONDS", 0.01)

    async def act(scene: Scene) -> None:
        scene.desk.is_away = True
        scene.book.add(1, message(b"a"))
        await asyncio.sleep(0.2)
        assert scene.answers == []
        scene.desk.is_away = False
        await until(lambda: scene.answers)

    scene = play(act)
    assert (scene.desk.stored, scene.answers) == ([b"a"], [(1, True)])


def test_what_waits_too_long_goes_back_to_the_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(books, "RECEIPT_PATIENCE", 0.1)

    async def act(scene: Scene) -> None:
        scene.desk.is_away = True
        scene.book.add(1, message(b"a"))
        await until(lambda: scene.answers)

    assert play(act).answers == [(1, False)]


def test_a_message_that_cannot_be_stored_holds_up_no_other() -> None:
    async def act(scene: Scene) -> None:
        for ticket, body in enumerate((b"a", b"poison", b"b")):
            scene.book.add(ticket, message(body))
        await until(lambda: len(scene.answers) == 3)

    scene = play(act)
    assert scene.desk.stored == [b"a", b"b"]
    assert scene.answers == [(0, True), (1, False), (2, True)]


def test_messages_of_a_session_that_ended_are_stored_and_not_answered_in_the_next() -> None:
    async def act(scene: Scene) -> None:
        scene.book.add(1, message(b"a"))
        scene.book.session_ended()
        scene.book.add(1, message(b"b"))
        await until(lambda: scene.answers)

    scene = play(act)
    assert scene.desk.stored == [b"a", b"b"]
    assert scene.answers == [(1, True)]


def test_an_answer_counts_as_read_when_the_session_lives_on() -> None:
    async def act(scene: Scene) -> None:
        scene.book.add(1, message(b"a"))
        await until(lambda: scene.answers)
        assert scene.desk.settled == []
        await until(lambda: scene.desk.settled)

    assert play(act, settle_seconds=0.2).desk.settled == [b"a"]


def test_an_answer_of_a_session_that_ended_never_counts_as_read() -> None:
    async def act(scene: Scene) -> None:
        scene.book.add(1, message(b"a"))
        await until(lambda: scene.answers)
        scene.book.session_ended()
        scene.book.add(2, message(b"b"))
        await until(lambda: scene.desk.settled)

    assert play(act, settle_seconds=0.1).desk.settled == [b"b"]


def test_a_flood_goes_in_groups() -> None:
    async def act(scene: Scene) -> None:
        for ticket in range(150):
            scene.book.add(ticket, message(b"%d" % ticket))
        await until(lambda: len(scene.answers) == 150)

    assert play(act).desk.group_sizes == [50, 50, 50]
