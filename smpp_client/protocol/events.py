"""What a session tells: plain values, in the order in which they happened."""

from dataclasses import dataclass
from typing import NamedTuple

from smpp_client.carrier import Address, Kind, Segment
from smpp_client.protocol.messages import ReadMessage
from smpp_client.protocol.receipts import ReadReceipt
from smpp_client.rules.errors import StatusClass


@dataclass(frozen=True, slots=True)
class Bound:
    """The bind is accepted; `system_id` is the peer's name for itself, if it gave one."""

    system_id: str


@dataclass(frozen=True, slots=True)
class BindRefused:
    """The bind is refused; Closed follows. An `alarm` must not be retried in a hurry."""

    status: int
    status_class: StatusClass
    sentence: str


class Settled(NamedTuple):
    """One segment has its outcome.

    `seconds` is how long the answer took. A response that overtook its timer comes as LateResponse.
    """

    segment: Segment
    kind: Kind
    status: int = 0
    smsc_id: str = ""
    cause: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LateResponse:
    """The answer for a segment that was given out as unknown: evidence that settles it."""

    segment: Segment
    kind: Kind
    status: int
    smsc_id: str
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Throttled:
    """The peer said "too fast" or "queue full" to a segment that was written at `written_at`."""

    status: int
    written_at: float


class ReceiptReceived(NamedTuple):
    """A delivery receipt. Nothing is answered before `acknowledge(ticket, ...)`."""

    ticket: int
    receipt: ReadReceipt


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A subscriber's message. Nothing is answered before `acknowledge(ticket, ...)`."""

    ticket: int
    source: Address
    destination: Address
    message: ReadMessage
    raw: bytes


@dataclass(frozen=True, slots=True)
class UnbindRequested:
    """The peer unbinds. It is answered; what is in flight may still come in, then Closed."""


@dataclass(frozen=True, slots=True)
class LinkDead:
    """The peer stopped answering or reading; Closed follows."""

    reason: str


@dataclass(frozen=True, slots=True)
class ProtocolFault:
    """The peer did something it should not. To be counted and logged; the session goes on."""

    sentence: str


@dataclass(frozen=True, slots=True)
class PeerSilent:
    """No segment was answered for a whole response timer, in seconds, though the peer is there."""

    seconds: float


@dataclass(frozen=True, slots=True)
class PeerAnswers:
    """A segment was answered after such a silence."""


@dataclass(frozen=True, slots=True)
class HealthTold:
    """What a custom carrier says of itself; empty when all is well."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over. Write what is left in `bytes_to_send`, then close the transport.

    `unknown` may have reached the peer and had no answer; `released` provably did not.
    """

    reason: str
    unknown: tuple[Segment, ...]
    released: tuple[Segment, ...]


Event = (
    Bound
    | BindRefused
    | Settled
    | LateResponse
    | Throttled
    | ReceiptReceived
    | MessageReceived
    | UnbindRequested
    | LinkDead
    | ProtocolFault
    | PeerSilent
    | PeerAnswers
    | HealthTold
    | Closed
)
