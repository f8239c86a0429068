"""What became of one part of a message."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from smpp_client.rules.errors import StatusClass


@dataclass(frozen=True)
class PartOutcome:
    """An attempt to submit one part of a message, and its receipt (columns of `submission`).

    `receipt_class` is what the connection's own table makes of the receipt's error, if it has it.
    """

    part: int
    kind: str
    status: int
    cause: str
    happened_at: datetime
    receipt_state: str
    receipt_error: str
    receipt_at: datetime | None
    receipt_class: StatusClass | None = None

    @property
    def state(self) -> str:
        """The part's own state, in the words of message states."""
        if self.kind == "submitted":
            return STATE_OF_RECEIPT.get(self.receipt_state, "undelivered")
        return STATE_OF_KIND.get(self.kind, self.kind)


STATE_OF_RECEIPT: Mapping[str, str] = {
    "": "submitted",
    "delivered": "delivered",
    "none": "no_receipt",
}
STATE_OF_KIND: Mapping[str, str] = {"released": "queued", "resent": "unknown"}
