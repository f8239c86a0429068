"""Subscribers who write: their numbers, and how the sender name that they wrote to is spelled."""

from campaigns.rules.faults import Fault
from campaigns.rules.numbers import Number, normalise
from smpp_client.rules.addresses import MAX_E164, MIN_E164, TON_INTERNATIONAL, Address

# Longer than any address may be: one of a peer that keeps no limit must not keep its message from
# being stored.
LONGEST_ADDRESS = 40


def read_number(address: Address, country: str) -> Number | None:
    """Return the E.164 digits of an address, or None where it is no number that gets messages.

    `country` is the ISO code of numbers that come without their country code.
    """
    digits = address.value.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return None
    is_international = address.ton == TON_INTERNATIONAL or address.value.startswith("+")
    read = normalise(f"+{digits}" if is_international else digits, country)
    if isinstance(read, Fault) and not is_international:
        read = normalise(digits, "")
    if not isinstance(read, Fault):
        return read
    # The network says that it is one, and it has just written: a plan that does not know it is old.
    is_likely = is_international and MIN_E164 <= len(digits) <= MAX_E164
    return Number(digits) if is_likely and not digits.startswith("0") else None


def shown_address(address: Address) -> str:
    """Return an address as it is stored and shown."""
    return address.value.replace("\0", "")[:LONGEST_ADDRESS]


def spellings(address: Address, country: str) -> frozenset[str]:
    """Return how a sender name that is this address may be written, without a plus sign."""
    number = read_number(address, country)
    own = shown_address(address).removeprefix("+")
    return frozenset({own, number} if number else {own})


def content_context(workspace_id: int) -> str:
    """Return what a subscriber's text is sealed for; 0 is no workspace."""
    return f"inbound_message.content:{workspace_id}"
