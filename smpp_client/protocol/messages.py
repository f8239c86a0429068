"""Messages that subscribers write to us."""

from typing import Final

from smpp_client.protocol.pdus import UDH_INDICATOR, Delivery
from smpp_client.rules.gsm import decode_gsm
from smpp_client.rules.segments import Alphabet

_ENCODINGS: Final = {1: "ascii", 3: "latin-1", 6: "iso8859-5", 7: "iso8859-8", 8: "utf-16-be"}
_BINARY: Final = frozenset({2, 4})


def read_text(delivery: Delivery, alphabet: Alphabet) -> str:
    """Return the text without its user data header; what cannot be read becomes U+FFFD.

    `alphabet` is what the peer takes data coding 0 for. Binary messages have no text.
    """
    message = _without_header(delivery)
    coding = delivery.data_coding
    if coding in _BINARY:
        return ""
    if coding in _ENCODINGS:
        return message.decode(_ENCODINGS[coding], "replace")
    return message.decode("latin-1") if alphabet is Alphabet.LATIN1 else decode_gsm(message)


def _without_header(delivery: Delivery) -> bytes:
    message = delivery.short_message
    if not delivery.esm_class & UDH_INDICATOR or not message or message[0] >= len(message):
        return message
    return message[message[0] + 1 :]
