"""The border between the wire and the product.

The wire takes `Segment`s and gives back `Outcome`s and `Receipt`s; it does not know what a campaign
is. `Desk` is the product's side, implemented by `campaigns`; the wire's side is an SMPP session or
a custom `Carrier` (smpp_client.carrier.adapters). All datetimes are aware and in UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from smpp_client.rules.addresses import Address
from smpp_client.rules.codings import Coding

__all__ = [
    "Address",
    "Bound",
    "Desk",
    "Fenced",
    "InboundMessage",
    "Kind",
    "LeaseKey",
    "Outcome",
    "Receipt",
    "Room",
    "Sar",
    "Segment",
    "SegmentKey",
    "Work",
]


class SegmentKey(NamedTuple):
    """Names one attempt to submit one segment.

    The batch that intends it, its campaign, position and part (from 1).
    """

    batch_id: int
    campaign_id: int
    position: int
    part: int


class Sar(NamedTuple):
    """The place of a part that has no header: the sar_* options of its submit_sm."""

    reference: int
    total: int
    number: int


class Segment(NamedTuple):
    """What is sent as one submit_sm.

    `short_message` is encoded already, with its user data header if any (at most 254 octets). One
    that `covers` several parts, from its key's on, is a whole message in message_payload: its
    answer settles them all.
    """

    key: SegmentKey
    part_count: int
    source: Address
    destination: Address
    short_message: bytes
    data_coding: int
    has_header: bool
    reference: int = 0  # user_message_reference TLV, 0 sends none
    priority: int = 0
    validity_period: str = ""
    sar: Sar | None = None
    covers: int = 1


class Kind(StrEnum):
    """What became of one segment."""

    SUBMITTED = "submitted"
    REFUSED = "refused"
    DEFERRED = "deferred"
    RELEASED = "released"  # provably not written
    UNKNOWN = "unknown"  # bytes may have left, no answer


class Outcome(NamedTuple):
    """The fate of one segment.

    `status` is the SMPP command_status (0 where there was none), `cause` a word for people.
    """

    key: SegmentKey
    part_count: int
    kind: Kind
    at: datetime
    status: int = 0
    smsc_id: str = ""
    cause: str = ""


class Receipt(NamedTuple):
    """A delivery receipt as it came, already read.

    `state` is a message_state word in lower case: 'delivered', 'undeliverable', 'expired',
    'rejected', 'deleted' and 'unknown' are final, 'enroute' and 'accepted' interim. `subscriber`
    and `sender` are the segment's destination and source as the receipt names them: with a lost
    response they may be all there is to match by. One that `is_unmarked` came as an ordinary
    message that reads like a receipt, which a subscriber can write too: it may settle only what was
    sent to `subscriber`.
    """

    smsc_id: str
    state: str
    error: str
    received_at: datetime
    raw: bytes
    reference: int = 0
    subscriber: str = ""
    sender: str = ""
    is_unmarked: bool = False


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A subscriber's message, or one part of it, as it came.

    `octets` are its text without the header, to be read by `coding` once all `part_count` parts are
    there (both numbers are 1 for a whole message); the parts of one message share a `reference`.
    `raw` is the whole body: two deliveries with the same one may be one message, delivered twice.
    Text and numbers in the clear: none of this may be logged.
    """

    source: Address = field(repr=False)
    destination: Address
    octets: bytes = field(repr=False)
    coding: Coding
    received_at: datetime
    raw: bytes = field(repr=False)
    reference: int = 0
    part: int = 1
    part_count: int = 1


@dataclass(frozen=True, slots=True)
class LeaseKey:
    """The right to submit on one bind slot: the fence (`epoch`) goes into every claim."""

    lease_id: int
    connection_id: int
    epoch: int


class Bound(StrEnum):
    """What keeps a session from taking more segments right now."""

    RATE = "rate"
    WINDOW = "window"
    BUDGET = "budget"
    THROTTLED = "throttled"
    STANDSTILL = "standstill"


@dataclass(frozen=True, slots=True)
class Room:
    """How many segments a session may take now; `bound` says what sets that, `limit` its figure.

    The figure of a rate is in segments/s, that of a window or a budget in segments; a standstill
    has none.
    """

    segments: int
    bound: Bound
    limit: float


@dataclass(frozen=True, slots=True)
class Work:
    """Segments in order of submission, and the one-line reason why there were not more."""

    segments: Sequence[Segment]
    reason: str


class Desk(Protocol):
    """The product's side.

    Every call is made on the database thread, never in the event loop, and may raise psycopg
    errors.
    """

    def claim(self, lease: LeaseKey, *, room: Room, now: datetime) -> Work:
        """Commit the intent to submit what fits the room and return it.

        Raises Fenced when another owner has the lease.
        """

    def leave(self, lease: LeaseKey) -> None:
        """Before the lease goes to others: give back what a claim without an answer committed.

        Nothing is claimed for this epoch afterwards.
        """

    def record(self, lease: LeaseKey, outcomes: Sequence[Outcome]) -> None:
        """Make outcomes durable. Calling it twice with the same outcomes changes nothing."""

    def receive(self, connection_id: int, receipts: Sequence[Receipt]) -> int:
        """Make receipts durable; returns after the commit, so that deliver_sm may be answered.

        What can be applied at once is; returns how many wait for `tidy`.
        """

    def receive_messages(self, connection_id: int, messages: Sequence[InboundMessage]) -> None:
        """Make subscribers' messages durable, opt-outs that they ask for included; returns after
        the commit, so that deliver_sm may be answered.

        A message that is already stored and not yet `settle_messages` changes nothing.
        """

    def settle_messages(self, connection_id: int, messages: Sequence[InboundMessage]) -> None:
        """Note that the peer has surely read the answers to these: it brings none of them back, and
        the same octets are a new message from now on.
        """

    def tidy(self) -> int:
        """Apply receipts that wait; return how many were looked at."""

    def settle(self, lease: LeaseKey) -> int:
        """Turn what earlier epochs of this lease left open into unknown; return how many."""


class Fenced(RuntimeError):
    """The lease has another owner or has run out: nothing may be claimed or written under it."""
