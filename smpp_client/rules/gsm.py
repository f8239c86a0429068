"""GSM 03.38: the default alphabet and its extension table, unpacked (3GPP 23.038, 6.2.1).

Ours rather than a library's, since a wrong table corrupts texts in silence: the backtick is not in
it, `@` is zero, `§` and the form feed are in it, and the escape itself is never a character.
"""

import re
import unicodedata
from typing import Final, NamedTuple

ESCAPE: Final = 0x1B

BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
EXTENSION: Final = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}

_BASIC_CHARACTERS: Final = frozenset(BASIC) - {"\x1b"}
_CHARACTERS: Final = _BASIC_CHARACTERS | frozenset(EXTENSION)
_SEPTETS: Final = {
    ord(character): chr(septet)
    for septet, character in enumerate(BASIC)
    if character in _BASIC_CHARACTERS
} | {ord(character): "\x1b" + chr(septet) for character, septet in EXTENSION.items()}
_EXTENSION_OF: Final = {septet: character for character, septet in EXTENSION.items()}


def _only(characters: frozenset[str]) -> re.Pattern[str]:
    return re.compile("[" + re.escape("".join(sorted(characters))) + "]*")


_is_gsm: Final = _only(_CHARACTERS).fullmatch
_is_plain: Final = _only(
    frozenset(chr(octet) for octet in range(128) if _SEPTETS.get(octet) == chr(octet))
).fullmatch

# What people paste, and what they meant. An empty suggestion says: leave it out.
_MEANT: Final = {
    "`": "'",
    "´": "'",
    "‘": "'",
    "’": "'",
    "‚": "'",
    "‛": "'",
    "′": "'",
    "ʼ": "'",
    "ʻ": "'",
    "“": '"',
    "”": '"',
    "„": '"',
    "‟": '"',
    "″": '"',
    "«": '"',
    "»": '"',
    "‹": "'",
    "›": "'",
    "‐": "-",
    "‑": "-",
    "‒": "-",
    "–": "-",
    "—": "-",
    "―": "-",
    "−": "-",
    "\u00ad": "",
    "•": "-",
    "·": "-",
    "…": "...",
    "⁄": "/",
    "×": "x",
    "÷": ":",
    "©": "(c)",
    "®": "(R)",
    "\t": " ",
    "\u2028": "\n",
    "\u2029": "\n",
    "\u0085": "\n",
    "\u200b": "",
    "\u2060": "",
    "\ufeff": "",
    "đ": "d",
    "Đ": "D",
    "ł": "l",
    "Ł": "L",
    "ı": "i",
    "œ": "oe",
    "Œ": "OE",
    "ç": "c",
    "þ": "th",
    "Þ": "Th",
    "ð": "d",
    "Ð": "D",
    "№": "No.",
}


class NotGsm(ValueError):
    """The text has a character outside GSM 03.38."""


class Foreign(NamedTuple):
    """A character outside GSM 03.38, where it stands (from 0), and what could stand there."""

    offset: int
    character: str
    suggestion: str | None


def is_gsm(text: str) -> bool:
    """Say whether every character is in the basic or the extension table."""
    return _is_gsm(text) is not None


def is_plain(text: str) -> bool:
    """Say whether every character's septet is its ASCII octet, as in most texts: no table then."""
    return _is_plain(text) is not None


def encode_gsm(text: str) -> bytes:
    """Return one septet per octet, extension characters as escape and septet.

    Raises NotGsm; nothing is ever replaced.
    """
    if _is_plain(text):
        return text.encode("ascii")
    if not _is_gsm(text):
        first = foreign_characters(text)[0]
        raise NotGsm(f"“{first.character}” is not in the GSM alphabet.")
    return text.translate(_SEPTETS).encode("latin-1")


def decode_gsm(septets: bytes) -> str:
    """Return the text of unpacked septets; what no table knows becomes U+FFFD.

    An escape before an unknown septet shows the basic character, as 23.038 tells receivers to.
    """
    characters: list[str] = []
    is_escaped = False
    for octet in septets:
        if octet == ESCAPE and not is_escaped:
            is_escaped = True
            continue
        basic = BASIC[octet] if octet < len(BASIC) and octet != ESCAPE else "\ufffd"
        characters.append(_EXTENSION_OF.get(octet, basic) if is_escaped else basic)
        is_escaped = False
    return "".join(characters)


def foreign_characters(text: str) -> list[Foreign]:
    """List the characters outside GSM 03.38 in order, each with a suggestion or None."""
    return [
        Foreign(offset, character, _suggest(character))
        for offset, character in enumerate(text)
        if character not in _CHARACTERS
    ]


def _suggest(character: str) -> str | None:
    if character in _MEANT:
        return _MEANT[character]
    if unicodedata.category(character) == "Zs":
        return " "
    plain = "".join(
        _MEANT.get(piece, piece)
        for piece in unicodedata.normalize("NFKD", character)
        if not unicodedata.combining(piece)
    )
    return plain if plain and is_gsm(plain) else None
