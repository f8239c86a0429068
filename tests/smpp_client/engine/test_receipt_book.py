"""The book of receipts: one that cannot be stored holds up no other."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
import pytest

from smpp_client.carrier import Receipt
from smpp_client.engine.books import ReceiptBook


class Desk:
    """Its database refuses the id `poison` with this error, and whatever comes with it."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.stored: list[str] = []

    def receive(self, _connection_id: int, receipts: Sequence[Receipt]) -> int:
        """Store all or nothing; those named `later` are left to be applied."""
        if any(one.smsc_id == "poison" for one in receipts):
            raise self.error
        self.stored += [one.smsc_id for one in receipts]
        return self.stored.count("later")


@dataclass
class Played:
    """What was stored, what each ticket was answered, and what else was done in which order."""

    stored: list[str] = field(default_factory=list)
    answers: dict[int, bool] = field(default_factory=dict)
    steps: list[str] = field(default_factory=list)


TOO_LONG = psycopg.errors.StringDataRightTruncation("too long")


async def played(*ids: str, error: Exception = TOO_LONG) -> Played:
    """Add receipts and flush."""
    desk, done = Desk(error), Played()

    async def caught_up() -> None:
        done.steps.append(f"answers first, {len(desk.stored)} stored")

    book = ReceiptBook(
        desk,  # type: ignore[arg-type]
        1,
        None,  # type: ignore[arg-type]
        done.answers.__setitem__,
        after=caught_up,
        on_left=lambda: done.steps.append("some are left"),
    )
    for ticket, smsc_id in enumerate(ids):
        book.add(ticket, Receipt(smsc_id, "delivered", "", datetime.now(UTC), b""))
    await book.flush()
    done.stored = desk.stored
    return done


@pytest.mark.parametrize("error", [TOO_LONG, ValueError("no text")], ids=["data", "value"])
def test_a_receipt_that_cannot_be_stored_goes_back_and_the_others_are_answered(
    error: Exception,
) -> None:
    done = asyncio.run(played("a", "poison", "b", error=error))
    assert done.stored == ["a", "b"]
    assert done.answers == {0: True, 1: False, 2: True}
    assert done.steps == ["answers first, 0 stored"]


def test_receipts_that_cannot_be_applied_at_once_are_told_of_after_the_answers_to_segments() -> (
    None
):
    done = asyncio.run(played("a", "later"))
    assert done.steps == ["answers first, 0 stored", "some are left"]
