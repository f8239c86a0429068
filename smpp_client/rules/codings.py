"""How the text of a subscriber's message is written, and how to read it.

What a data coding means is the table of SMPP 3.4 (5.2.19); SMSCs that pass the phone's own scheme
on use the groups of 3GPP 23.038, section 4. Data coding 0 is what the connection says.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from smpp_client.rules.gsm import decode_gsm
from smpp_client.rules.segments import Alphabet


class Coding(StrEnum):
    """How octets stand for characters. What is stored with the octets of a message."""

    GSM = "gsm"
    ASCII = "ascii"
    LATIN1 = "latin1"
    CYRILLIC = "cyrillic"
    HEBREW = "hebrew"
    UCS2 = "ucs2"
    BINARY = "binary"


_BY_CODE: Final = {
    1: Coding.ASCII,
    2: Coding.BINARY,
    3: Coding.LATIN1,
    4: Coding.BINARY,
    6: Coding.CYRILLIC,
    7: Coding.HEBREW,
    8: Coding.UCS2,
}
# By two bits of the general group of 23.038; the fourth is reserved.
_GENERAL: Final = (Coding.GSM, Coding.BINARY, Coding.UCS2, Coding.GSM)
_NAMES: Final = {
    Coding.ASCII: "ascii",
    Coding.LATIN1: "latin-1",
    Coding.CYRILLIC: "iso8859-5",
    Coding.HEBREW: "iso8859-8",
}


def coding_of(data_coding: int, alphabet: Alphabet) -> Coding:
    """Return what a data coding (0 to 255) stands for; `alphabet` is what the peer takes 0 for."""
    if data_coding in _BY_CODE:
        return _BY_CODE[data_coding]
    group = data_coding >> 4
    if 1 <= group <= 3:
        return _GENERAL[data_coding >> 2 & 3]
    if group == 0xE:
        return Coding.UCS2
    if group == 0xF:
        return Coding.BINARY if data_coding & 4 else Coding.GSM
    return Coding.LATIN1 if alphabet is Alphabet.LATIN1 and not group else Coding.GSM


def decode(octets: bytes, coding: Coding) -> str:
    """Return the text; what cannot be read becomes U+FFFD. Binary messages have no text."""
    if coding is Coding.BINARY:
        return ""
    if coding is Coding.GSM:
        return decode_gsm(octets)
    if coding is Coding.UCS2:
        return octets.decode("utf-16-be", "replace")
    return octets.decode(_NAMES[coding], "replace")


def decode_parts(parts: Sequence[tuple[bytes, Coding]]) -> str:
    """Return the text of a message from its parts in order.

    Octets are joined before they are read: a phone may cut between the halves of a character.
    """
    text, run, last = "", b"", Coding.GSM
    for octets, coding in parts:
        if coding is not last:
            text, run = text + decode(run, last), b""
        run, last = run + octets, coding
    return text + decode(run, last)
