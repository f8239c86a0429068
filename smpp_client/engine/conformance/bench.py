"""What the steps of a check stand on: the connection, what may be sent, and one main session."""

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress

from django.utils.translation import gettext as _

from smpp_client.carrier import Kind, Segment, SegmentKey
from smpp_client.engine.accounts import Account
from smpp_client.engine.conformance.probe import NoBind, Probe
from smpp_client.protocol.events import Settled
from smpp_client.protocol.pdus import BindType
from smpp_client.protocol.receipts import ReadReceipt
from smpp_client.rules.addresses import Address, destination_address
from smpp_client.rules.conformance import CheckOptions, Volumes, volumes
from smpp_client.rules.errors import explain
from smpp_client.rules.hosts import Host
from smpp_client.rules.message_ids import normalise_receipt_id, normalise_response_id
from smpp_client.rules.segments import Alphabet, encode

Figures = Mapping[str, float | int | str]
LOOK_SECONDS = 0.05
ALREADY_BOUND, BIND_FAILED = 0x05, 0x0D
ANSWER_SECONDS = 20.0


class Failed(Exception):
    """A step did not go as it should."""

    def __init__(self, sentence: str, figures: Figures | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.figures = figures or {}


class NotTried(Exception):
    """A step cannot be tried, or must not be; the sentence says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Bench:
    """Carries what steps share; `close` ends every session.

    `is_beside` says that the sender has this connection bound now, `is_busy` that it sends.
    """

    def __init__(
        self,
        account: Account,
        options: CheckOptions,
        source: Address | None,
        *,
        is_beside: bool = False,
        is_busy: bool = False,
    ) -> None:
        self.account = account
        self.options = options
        self.is_beside = is_beside
        self.is_busy = is_busy
        self.context: ssl.SSLContext | None = None
        self.has_context = False
        self.texts: list[str] = []
        self.sent_count = 0
        self.shares: Volumes = volumes(
            options.messages, account.rate, account.window, is_above_rate=options.is_above_rate
        )
        self._source = source
        self._position = 0
        self._reference = int(time.time()) % 0xFF00
        self._ids: set[str] = set()
        self._probes: list[Probe] = []
        self._sender: Probe | None = None
        self._receiver: Probe | None = None
        self._looking: asyncio.Task[None] | None = None

    @property
    def host(self) -> Host:
        """The first host."""
        return self.account.hosts[0]

    # Sessions

    def security(self) -> ssl.SSLContext | None:
        """Return the TLS context of the first step. Raises NotTried."""
        if not self.has_context:
            raise NotTried(_("The certificates cannot be used."))
        return self.context

    def probe(self, bind_type: BindType) -> Probe:
        """Return a session that is not open yet."""
        probe = Probe(self.account, bind_type, self.owns)
        self._probes.append(probe)
        return probe

    async def bound(self, bind_type: BindType, host: Host | None = None) -> tuple[Probe, float]:
        """Open a session; return it and the seconds it took. Raises NoBind, NotTried."""
        probe = self.probe(bind_type)
        try:
            return probe, await probe.open(host or self.host, self.security())
        except NoBind as refused:
            if self.is_beside and refused.status in {ALREADY_BOUND, BIND_FAILED}:
                raise NotTried(
                    _(
                        "The partner allows no session beside the sender's (%(why)s)."
                        " Disable the connection for the time of the check."
                    )
                    % {"why": explain(refused.status)}
                ) from refused
            raise

    async def sender(self) -> Probe:
        """Return the session that submits, opened if it is not. Raises NotTried."""
        if self._sender is None or self._sender.told.closed is not None:
            is_pair = len({place.bind_type for place in self.account.places}) > 1
            kind = BindType.TRANSMITTER if is_pair else BindType.TRANSCEIVER
            try:
                self._sender, _seconds = await self.bound(kind)
                if is_pair:
                    self._receiver, _seconds = await self.bound(BindType.RECEIVER)
            except NoBind as refused:
                raise NotTried(_("There is no session: %s") % refused.sentence) from refused
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        return self._sender

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for probe in self._open_probes():
                probe.look()

    def _open_probes(self) -> list[Probe]:
        known = (self._sender, self._receiver)
        return [one for one in known if one is not None and one.told.closed is None]

    async def leave(self) -> None:
        """Unbind the main session."""
        for probe in self._open_probes():
            await probe.close()

    async def close(self) -> None:
        """End everything."""
        if self._looking is not None:
            self._looking.cancel()
        for probe in self._probes:
            with suppress(Exception):
                await probe.close()

    # Messages

    def next_key(self) -> SegmentKey:
        """Return a name for one more segment."""
        self._position += 1
        return SegmentKey(0, 0, self._position, 1)

    def next_number(self) -> Address:
        """Return the test numbers in turn. Raises NotTried without any."""
        if not self.options.sends:
            raise NotTried(_("No test number was given, so nothing is sent."))
        numbers = self.options.numbers
        return destination_address(numbers[self._position % len(numbers)])

    def segment(self, octets: bytes, data_coding: int, *, has_header: bool = False) -> Segment:
        """Return a segment to the next test number. Raises NotTried."""
        destination = self.next_number()
        assert self._source is not None
        return Segment(
            key=self.next_key(),
            part_count=1,
            source=self._source,
            destination=destination,
            short_message=octets,
            data_coding=data_coding,
            has_header=has_header,
        )

    def message(self, text: str, *, is_wide: bool = False) -> list[Segment]:
        """Return the segments of a text as this connection would send them. Raises NotTried."""
        self._reference += 1
        self.next_number()
        encoded = encode(
            text,
            reference=self._reference,
            alphabet=self.account.session.alphabet,
            is_wide=is_wide,
        )
        first = self.next_number()
        made = [
            self.segment(part, encoded.data_coding, has_header=encoded.has_header)
            for part in encoded.parts
        ]
        return [one._replace(destination=first) for one in made]

    def numbered(self, what: str, count: int) -> list[Segment]:
        """Return so many short messages. Raises NotTried."""
        alphabet = Alphabet.GSM
        texts = (f"Message Center check: {what} {number}" for number in range(1, count + 1))
        return [
            self.segment(encode(text, reference=0, alphabet=alphabet).parts[0], 0) for text in texts
        ]

    async def submit(self, segments: Sequence[Segment]) -> list[Settled]:
        """Submit segments and return their outcomes. Raises NotTried, Failed."""
        probe = await self.sender()
        probe.wire.submit(segments)
        self.sent_count += len(segments)
        settled = await probe.settle(segments, ANSWER_SECONDS)
        self.remember(settled)
        if len(settled) < len(segments):
            raise Failed(_("The partner did not answer within %g s.") % ANSWER_SECONDS)
        return settled

    def remember(self, settled: Sequence[Settled]) -> None:
        """Know the ids that are the check's own."""
        rule = self.account.session.id_rule
        self._ids |= {normalise_response_id(one.smsc_id, rule) for one in settled if one.smsc_id}

    def remember_id(self, smsc_id: str) -> None:
        """Know one more."""
        self._ids.add(normalise_response_id(smsc_id, self.account.session.id_rule))

    def owns(self, receipt: ReadReceipt) -> bool:
        """Whether a receipt is for a message of the check."""
        rule = self.account.session.id_rule
        numbers = self.options.numbers
        return (
            normalise_receipt_id(receipt.smsc_id, rule) in self._ids
            or receipt.subscriber.lstrip("+") in numbers
        )

    def receipts(self) -> list[tuple[ReadReceipt, float]]:
        """Return the receipts that have come to the main session, with their times."""
        told = (self._receiver or self._sender or Probe(self.account, BindType.RECEIVER)).told
        return [(one, told.receipt_at[key]) for key, one in told.receipts.items()]

    def receipt_count(self, settled: Sequence[Settled]) -> int:
        """Return how many of these have their receipt."""
        rule = self.account.session.id_rule
        known = {normalise_receipt_id(one.smsc_id, rule) for one, _at in self.receipts()}
        return sum(normalise_response_id(one.smsc_id, rule) in known for one in settled)

    def turned_back_count(self) -> int:
        """Return how many deliveries of others were sent back."""
        return sum(one.told.turned_back for one in self._probes)


def refusals(settled: Sequence[Settled]) -> str:
    """Return what the partner said to those that it did not take: "3 x throttled (0x58)"."""
    said = Counter(one.cause or explain(one.status) for one in settled if not is_taken(one))
    return ", ".join(f"{count} × {cause}" for cause, count in said.most_common(3))


def is_taken(settled: Settled) -> bool:
    """Whether the partner accepted a segment."""
    return settled.kind is Kind.SUBMITTED
