"""What a custom carrier implements and what it is given. docs/carriers.md says how;
tests/carriers/line_carrier is a whole one.

A carrier is a class or function of a package of its own, found by an entry point of the group
`message_center.carriers`. It runs in a process of its own, without the product's database and keys:
whatever it does, it cannot take the sender or another connection down.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from smpp_client.carrier import Address, Outcome, Receipt, Segment

GROUP: Final = "message_center.carriers"
BUILT_IN: Final = "smpp"

# Called once for each segment, from any thread.
OnOutcome = Callable[[Outcome], None]
# Called with True when a delivery is durable here, with False when it is not and has to come again.
Acknowledge = Callable[[bool], None]


class CarrierDown(Exception):
    """There is no far end, and why in one sentence.

    From `open`: no session. From any other call: the session is over, and what has no outcome is
    unknown.
    """


class NotTaken(Exception):
    """From `submit` only: provably nothing of what was given left this machine. It is sent again
    later.
    """


@dataclass(frozen=True, slots=True)
class CarrierSettings:
    """What a connection is told.

    `rate` is in segments/s, `window` in segments: the carrier is never given more than `window`
    without an outcome, and never faster than `rate`. `secret` is the connection's password, opened
    for the carrier alone. `options` are the free settings of the connection, as JSON has them.
    """

    connection: str
    host: str
    port: int
    account: str
    secret: str = field(repr=False)
    rate: int
    window: int
    server_name: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message:
    """A subscriber's message, as it came and read."""

    source: Address
    destination: Address
    text: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Where a carrier brings what comes from the far end. Each may be called from any thread.

    A receipt or message is kept when its `Acknowledge` is called with True, some 50 ms later: only
    then tell the far end that it is taken. `on_down` ends the session with a sentence.
    """

    on_receipt: Callable[[Receipt, Acknowledge], None]
    on_message: Callable[[Message, Acknowledge], None]
    on_down: Callable[[str], None]


class Carrier(Protocol):
    """One session with the far end, from `open` to `close`. It does not come back: after its end
    the factory is called again, with a back-off.

    All calls come from one thread, one at a time; one that does not return within ten seconds (or
    the connection's `enquire_seconds`, if they are fewer) counts as hanging and ends the process.
    `open` has 20 seconds with the start of the process, `close` has 5.
    """

    def open(self, callbacks: Callbacks) -> None:
        """Reach the far end; segments may come as soon as it returns. Raises CarrierDown."""

    def close(self) -> None:
        """Take leave. What has no outcome after it is unknown."""

    @property
    def free(self) -> int:
        """How many segments it takes now; asked ten times a second and after each call."""

    @property
    def health(self) -> str:
        """One sentence when something is not as it should be, else empty; shown to people."""

    def submit(self, segments: Sequence[Segment], on_outcome: OnOutcome) -> None:
        """Send segments in this order and return; outcomes may come at once or later.

        Each segment gets one outcome; none within the connection's `response_seconds` makes it
        unknown. `submitted` has the far end's id, `released` is for what provably did not leave.
        Raises NotTaken, CarrierDown; any other exception makes unknown what has no outcome.
        """


# What the entry point names.
Factory = Callable[[CarrierSettings], Carrier]
