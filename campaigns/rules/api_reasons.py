"""Why a message is in its state: a stable code and a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from campaigns.rules.message_states import MessageState
from campaigns.rules.part_outcomes import PartOutcome
from smpp_client.rules.errors import explain, explain_receipt, status_of


def gettext_noop(text: str) -> str:
    """Mark a sentence for translation; the question translates it."""
    return text


_ = gettext_noop


@dataclass(frozen=True)
class Reason:
    """Why, for a program and for a person."""

    code: str
    message: str


# States that need no reason beyond the state itself.
PLAIN = frozenset(
    {
        MessageState.QUEUED,
        MessageState.SENDING,
        MessageState.SUBMITTED,
        MessageState.DELIVERED,
    }
)
# What the state says of every message in it.
OF_STATE: Mapping[str, Reason] = {
    MessageState.UNKNOWN: Reason(
        "no_answer",
        _(
            "The SMSC's answer to it never came. It may have been sent; it is not sent again"
            " by itself."
        ),
    ),
    MessageState.NO_RECEIPT: Reason(
        "no_receipt", _("The SMSC took it and sent no delivery receipt in time.")
    ),
    MessageState.EXPIRED: Reason(
        "window_over", _("The campaign's window was over before it could be sent.")
    ),
    MessageState.CANCELLED: Reason(
        "campaign_cancelled", _("The campaign was cancelled before it was sent.")
    ),
}
SUPPRESSED: Mapping[str, str] = {
    "opted_out": _("This person has opted out of messages from this workspace."),
    "erased": _("The number was erased before it could be sent."),
}
UNDELIVERED: Mapping[str, str] = {
    "undeliverable": _("The network could not deliver it."),
    "expired": _("The network could not deliver it in time."),
    "rejected": _("The SMSC rejected it after it had accepted it."),
    "deleted": _("The SMSC deleted it."),
}


def reason_of(state: str, parts: Sequence[PartOutcome]) -> Reason | None:
    """Return why a message is in its state, or None where the state says all."""
    if state in PLAIN:
        return None
    if state in OF_STATE:
        return OF_STATE[state]
    told = next((part for part in parts if part.state == state), None)
    return _of_part(told) if told is not None else None


def _of_part(part: PartOutcome) -> Reason:
    if part.state == MessageState.SUPPRESSED:
        return Reason(part.cause, SUPPRESSED.get(part.cause, part.cause))
    if part.state == MessageState.UNDELIVERED:
        told = explain_receipt(part.receipt_error, part.receipt_class)
        sentence = UNDELIVERED.get(part.receipt_state, part.receipt_state)
        return Reason(part.receipt_state, told or sentence)
    if not part.status:
        return Reason("not_encoded", part.cause)
    row = status_of(part.status)
    return Reason(row.name.lower(), f"{row.sentence} {explain(part.status)}")
