"""One session of a check: the engine's own wire, with an ear on it and a hand for rare PDUs.

Its bind is beside the sender's, under no lease. What comes in and is not the check's own is turned
back, so that the partner brings it again to the sender.
"""

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from smpp_client.carrier import Kind, Segment, SegmentKey
from smpp_client.engine.accounts import Account
from smpp_client.engine.guarded import Deadline
from smpp_client.engine.tls import build_context, explain, pin_of, server_name_for
from smpp_client.engine.wire import OnEvent, Wire
from smpp_client.protocol.config import SessionConfig
from smpp_client.protocol.events import (
    BindRefused,
    Bound,
    Closed,
    Event,
    MessageReceived,
    ReceiptReceived,
    Settled,
)
from smpp_client.protocol.framing import Frame, Framer
from smpp_client.protocol.pdus import BindType
from smpp_client.protocol.receipts import ReadReceipt
from smpp_client.rules.hosts import Host
from smpp_client.rules.message_ids import IdRule, normalise_receipt_id, normalise_response_id

CONNECT_SECONDS = 5.0
BIND_SECONDS = 8.0
# A receipt may overtake its response by this much before it counts as somebody else's.
OVERTAKING_SECONDS = 3.0
# Far from the session's own numbers, which begin at 1.
FIRST_SEQUENCE = 0x70000000


class NoBind(Exception):
    """There is no session; `status` is the partner's command_status, 0 where it gave none."""

    def __init__(self, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


class ProbeWire(Wire):
    """A wire that also keeps what the partner answers, by its sequence number."""

    def __init__(self, config: SessionConfig, on_event: OnEvent, deadline: Deadline) -> None:
        super().__init__(config, on_event, deadline)
        self.answers: dict[int, tuple[Frame, float]] = {}
        self.commands: Counter[int] = Counter()
        self._ear = Framer()
        self._next = FIRST_SEQUENCE

    def data_received(self, data: bytes) -> None:
        """Hear, then hand on."""
        for frame in self._ear.feed(data):
            self.commands[frame[0]] += 1
            if frame[2] >= FIRST_SEQUENCE:
                self.answers[frame[2]] = (frame, time.monotonic())
        super().data_received(data)

    async def ask(self, make: Callable[[int], bytes], seconds: float) -> tuple[Frame, float]:
        """Write the PDU that `make` returns for a sequence number; return its answer and how many
        seconds it took. Raises TimeoutError.
        """
        self._next += 1
        sequence, began = self._next, time.monotonic()
        if self._transport is None or self.is_closed.is_set():
            raise TimeoutError
        self._transport.write(make(sequence))
        async with asyncio.timeout(seconds):
            while sequence not in self.answers:
                if self.is_closed.is_set():
                    raise TimeoutError
                await asyncio.sleep(0.002)
        frame, at = self.answers.pop(sequence)
        return frame, at - began

    def cut(self) -> None:
        """Break the connection without a word, as a failing network would."""
        self.drop("The check broke the connection.")


@dataclass
class Told:
    """What a session has told so far. Ids are as they came, no rule is applied."""

    settled: dict[SegmentKey, Settled] = field(default_factory=dict)
    receipts: dict[str, ReadReceipt] = field(default_factory=dict)
    receipt_at: dict[str, float] = field(default_factory=dict)
    turned_back: int = 0
    bound: Bound | None = None
    refused: BindRefused | None = None
    closed: Closed | None = None


class Probe:
    """One session of one bind type to one host."""

    def __init__(
        self,
        account: Account,
        bind_type: BindType,
        owner: "Callable[[ReadReceipt], bool] | None" = None,
    ) -> None:
        self.told = Told()
        self._account = account
        self._owner = owner
        self._waiting: list[tuple[ReceiptReceived, float]] = []
        self._config = replace(
            account.session,
            bind_type=bind_type,
            id_rule=IdRule.AS_IS,
            window=max(account.window, 1),
            bind_timeout=BIND_SECONDS,
            drain_timeout=2.0,
            unbind_timeout=5.0,
            enquire_interval=3600.0,
        )
        self._wire: ProbeWire | None = None

    @property
    def wire(self) -> ProbeWire:
        """The wire of a session that is up."""
        assert self._wire is not None
        return self._wire

    async def open(self, host: Host, context: ssl.SSLContext | None) -> float:
        """Connect and bind; return how many seconds that took. Raises NoBind."""
        began = time.monotonic()
        self._wire = await self._connect(host, context)
        ends = began + CONNECT_SECONDS + BIND_SECONDS
        while self.told.bound is None:
            if self.told.refused is not None:
                raise NoBind(self.told.refused.sentence, self.told.refused.status)
            if self.told.closed is not None or time.monotonic() > ends:
                closed = self.told.closed
                raise NoBind(closed.reason if closed else "The partner does not answer the bind.")
            await asyncio.sleep(0.002)
        return time.monotonic() - began

    async def _connect(self, host: Host, context: ssl.SSLContext | None) -> ProbeWire:
        name = server_name_for(self._account, host)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                transport, wire = await asyncio.get_running_loop().create_connection(
                    lambda: ProbeWire(self._config, self._on_event, lambda: float("inf")),
                    host.name,
                    host.port,
                    ssl=context,
                    server_hostname=name if context else None,
                )
        except (OSError, ssl.SSLError, TimeoutError) as error:
            raise NoBind(explain(error, host=host.name, port=host.port, name=name)) from error
        pins = self._account.pins
        if context is not None and pins and pin_of(transport) not in pins:
            wire.cut()
            raise NoBind("The partner's public key is not the pinned one.")
        return wire

    async def close(self) -> float:
        """Unbind and wait for the end; return how many seconds that took."""
        began = time.monotonic()
        if self._wire is not None and not self._wire.is_closed.is_set():
            self._wire.unbind()
            try:
                async with asyncio.timeout(10):
                    await self._wire.is_closed.wait()
            except TimeoutError:
                self._wire.cut()
        return time.monotonic() - began

    async def settle(self, segments: Sequence[Segment], seconds: float) -> list[Settled]:
        """Wait until each of these has its outcome; return those that have."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and self.told.closed is None:
            if all(one.key in self.told.settled for one in segments):
                break
            await asyncio.sleep(0.002)
        return [self.told.settled[one.key] for one in segments if one.key in self.told.settled]

    def look(self) -> None:
        """Answer receipts: those of the check are taken, others come again later."""
        now = time.monotonic()
        left: list[tuple[ReceiptReceived, float]] = []
        for event, at in self._waiting:
            if self._owner is not None and self._owner(event.receipt):
                self.wire.acknowledge(event.ticket, True)
            elif now - at > OVERTAKING_SECONDS:
                self.wire.acknowledge(event.ticket, False)
                self.told.turned_back += 1
            else:
                left.append((event, at))
        self._waiting = left

    def _on_event(self, event: Event) -> None:
        told = self.told
        match event:
            case Bound():
                told.bound = event
            case BindRefused():
                told.refused = event
            case Settled():
                told.settled[event.segment.key] = event
            case ReceiptReceived():
                told.receipts[event.receipt.smsc_id] = event.receipt
                told.receipt_at[event.receipt.smsc_id] = time.monotonic()
                self._waiting.append((event, time.monotonic()))
            case MessageReceived():
                self.wire.acknowledge(event.ticket, False)
                told.turned_back += 1
            case Closed():
                self._closed(event)
            case _:
                pass

    def _closed(self, event: Closed) -> None:
        self.told.closed = event
        for segment in event.unknown:
            self.told.settled.setdefault(segment.key, Settled(segment, Kind.UNKNOWN))
        for segment in event.released:
            self.told.settled.setdefault(segment.key, Settled(segment, Kind.RELEASED))


def context_of(account: Account) -> ssl.SSLContext | None:
    """Return the context of a connection, None under an exception that is in force. Raises
    CertificatesRefused.
    """
    now = datetime.now(UTC)
    if account.is_plain(now.date()):
        return None
    minimum, checks_name = account.tls_minimum, not account.pins
    return build_context(account.files, now, minimum=minimum, checks_name=checks_name).context


def is_pair(response_id: str, receipt_id: str, rule: IdRule) -> bool:
    """Whether a receipt belongs to a response by this rule."""
    return normalise_response_id(response_id, rule) == normalise_receipt_id(receipt_id, rule)
