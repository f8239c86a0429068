"""The book of receipts: one that cannot be stored holds up no other."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import psycopg

from smpp_client.carrier import Receipt
from smpp_client.engine.books import ReceiptBook


class Desk:
    """Its database refuses the id `poison`, and whatever comes with it."""

    def __init__(self) -> None:
        self.stored: list[str] = []

    def receive(self, _connection_id: int, receipts: Sequence[Receipt]) -> None:
        """Store all or nothing."""
        if any(one.smsc_id == "poison" for one in receipts):
            raise psycopg.errors.StringDataRightTruncation("too long")
        self.stored += [one.smsc_id for one in receipts]


async def played(*ids: str) -> tuple[list[str], dict[int, bool]]:
    """Add receipts and flush; return what was stored, and what each ticket was answered."""
    desk, answers = Desk(), dict[int, bool]()
    book = ReceiptBook(desk, 1, None, answers.__setitem__)  # type: ignore[arg-type]
    for ticket, smsc_id in enumerate(ids):
        book.add(ticket, Receipt(smsc_id, "delivered", "", datetime.now(UTC), b""))
    await book.flush()
    return desk.stored, answers


def test_a_receipt_that_cannot_be_stored_goes_back_and_the_others_are_answered() -> None:
    stored, answers = asyncio.run(played("a", "poison", "b"))
    assert stored == ["a", "b"]
    assert answers == {0: True, 1: False, 2: True}
