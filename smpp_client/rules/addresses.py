"""Addresses as the wire takes them, derived from what people write. Nothing is ever cut.

Alphanumeric senders are type 5, plan 0 and at most 11 characters; short codes type 3 or 0 (the
operator's choice), plan 0; E.164 numbers type 1, plan 1, without the plus sign (SMPP 3.4, 5.2.5 to
5.2.9).
"""

from typing import Final, NamedTuple

from smpp_client.rules.gsm import BASIC

TON_UNKNOWN: Final = 0
TON_INTERNATIONAL: Final = 1
TON_NETWORK: Final = 3
TON_ALPHANUMERIC: Final = 5
NPI_UNKNOWN: Final = 0
NPI_E164: Final = 1

MAX_ALPHANUMERIC: Final = 11
MAX_SHORT_CODE: Final = 6
MIN_E164: Final = 7
MAX_E164: Final = 15

# Printable, in ASCII and one septet in GSM: an escape would make 11 characters more than 11.
_SENDER_CHARACTERS: Final = frozenset(
    character for character in BASIC if character.isascii() and character.isprintable()
)


class Address(NamedTuple):
    """An SMPP address: type of number, numbering plan, value (SMPP 3.4, 5.2.5 to 5.2.9)."""

    ton: int
    npi: int
    value: str


class AddressRefused(ValueError):
    """The address cannot be sent as it is; the sentence says what to change."""


def sender_address(text: str, *, short_code_ton: int = TON_NETWORK) -> Address:
    """Derive a sender's address from its name or number.

    Digits: up to 6 are a short code, more an E.164 number, with or without a plus sign. Anything
    else is alphanumeric. Raises AddressRefused.
    """
    if not text:
        raise AddressRefused("Enter a sender.")
    if text.startswith("+"):
        return destination_address(text)
    if not _is_digits(text):
        return _alphanumeric(text)
    if len(text) <= MAX_SHORT_CODE:
        return Address(short_code_ton, NPI_UNKNOWN, text)
    return destination_address(text)


def destination_address(text: str) -> Address:
    """Return the address of an E.164 number, 7 to 15 digits. Raises AddressRefused."""
    digits = text.removeprefix("+")
    if not _is_digits(digits):
        raise AddressRefused("Write the number with digits only, beginning with the country code.")
    if digits.startswith("0"):
        raise AddressRefused("Begin the number with the country code, without leading zeros.")
    if not MIN_E164 <= len(digits) <= MAX_E164:
        raise AddressRefused(
            f"A number has {MIN_E164} to {MAX_E164} digits with its country code;"
            f" this one has {len(digits)}."
        )
    return Address(TON_INTERNATIONAL, NPI_E164, digits)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _alphanumeric(text: str) -> Address:
    for character in text:
        if character not in _SENDER_CHARACTERS:
            raise AddressRefused(
                f"A sender name cannot carry {_shown(character)}."
                " Use letters A to Z, digits and spaces."
            )
    if len(text) > MAX_ALPHANUMERIC:
        raise AddressRefused(
            f"A sender name has at most {MAX_ALPHANUMERIC} characters; this one has {len(text)}."
        )
    if text != text.strip():
        raise AddressRefused("A sender name cannot begin or end with a space.")
    if not any(character.isalpha() for character in text):
        raise AddressRefused("A sender name needs a letter. A number has digits only.")
    return Address(TON_ALPHANUMERIC, NPI_UNKNOWN, text)


def _shown(character: str) -> str:
    return f"“{character}”" if character.isprintable() else f"the character U+{ord(character):04X}"
