"""What comes in over the sessions of one lease: receipts and subscribers' messages. Each is stored,
then answered.
"""

import asyncio
from collections.abc import Callable

from smpp_client.carrier import InboundMessage, Receipt
from smpp_client.engine.accounts import Account
from smpp_client.engine.books import MessageBook, OutcomeBook, ReceiptBook, utc_now
from smpp_client.engine.clock import Moments
from smpp_client.engine.tools import Tools
from smpp_client.protocol.events import MessageReceived, ReceiptReceived

# An answer has been read when the link lived through an enquire_link after it, and this much more.
SETTLE_MARGIN = 5.0


class Inbox:
    """Keeps what a session received until it is durable; `answer` is told each ticket then."""

    def __init__(
        self,
        account: Account,
        tools: Tools,
        outcomes: OutcomeBook,
        answer: Callable[[int, bool], None],
    ) -> None:
        self._receipts = ReceiptBook(
            tools.desk,
            account.id,
            tools.receipts,
            answer,
            after=outcomes.catch_up,
            on_left=tools.receipts_left.set,
        )
        session = account.session
        settle_seconds = session.enquire_interval + session.enquire_timeout + SETTLE_MARGIN
        self._moments = Moments()
        # Messages have a thread of the loop's own: a flood of them must not hold outcomes up.
        self._messages = MessageBook(tools.desk, account.id, None, answer, settle_seconds)

    def begin(self) -> "list[asyncio.Task[None]]":
        """Start storing; the tasks are the caller's to cancel."""
        return [
            asyncio.create_task(self._receipts.run()),
            asyncio.create_task(self._messages.run()),
        ]

    def add_receipt(self, event: ReceiptReceived) -> None:
        """Take a receipt; the subscriber's number is not kept in its raw text."""
        read = event.receipt
        raw = read.raw.replace(read.subscriber.encode(), b"*") if read.subscriber else read.raw
        # By position, as the fields come: they are made by the thousand.
        receipt = Receipt(
            read.smsc_id,
            read.state,
            read.error,
            self._moments.now(),
            raw,
            read.reference,
            read.subscriber,
            read.sender,
            read.is_unmarked,
        )
        self._receipts.add(event.ticket, receipt)

    def add_message(self, event: MessageReceived) -> None:
        """Take a subscriber's message, or a part of one."""
        read = event.message
        message = InboundMessage(
            source=event.source,
            destination=event.destination,
            octets=read.octets,
            coding=read.coding,
            received_at=utc_now(),
            raw=event.raw,
            reference=read.reference,
            part=read.part,
            part_count=read.part_count,
        )
        self._messages.add(event.ticket, message)

    def session_ended(self) -> None:
        """What waits for its commit cannot be answered any more."""
        self._messages.session_ended()
