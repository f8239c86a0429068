"""What a session needs to know of its connection."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from smpp_client.protocol.pdus import WITH_RECEIPT, BindType
from smpp_client.rules.errors import StatusClass
from smpp_client.rules.message_ids import IdRule
from smpp_client.rules.segments import Alphabet


@dataclass(frozen=True, slots=True)
class SessionConfig:
    """One connection's settings; times in seconds.

    `id_rule` relates receipts to responses, `status_classes` is the operator's own error table.
    Beyond `unanswered_limit` deliveries without an acknowledgement the peer is told to come back
    later, beyond `output_limit` octets of unread answers the link counts as dead.
    """

    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    address_range: str = ""
    bind_type: BindType = BindType.TRANSCEIVER
    service_type: str = ""
    registered_delivery: int = WITH_RECEIPT
    window: int = 50
    alphabet: Alphabet = Alphabet.GSM
    id_rule: IdRule = IdRule.AS_IS
    status_classes: Mapping[int, StatusClass] = field(default_factory=dict)
    bind_timeout: float = 15.0
    response_timeout: float = 60.0
    enquire_interval: float = 30.0
    enquire_timeout: float = 10.0
    drain_timeout: float = 10.0
    unbind_timeout: float = 5.0
    partial_timeout: float = 10.0
    unanswered_limit: int = 10_000
    output_limit: int = 1_048_576
