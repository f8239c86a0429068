"""The one encoder: what counts segments for the preview also makes the octets that are sent.

160 septets or 70 UCS-2 units in one segment; with a user data header 153 or 67 in each, and with a
16-bit reference 152 or 66 (3GPP 23.040, 9.2.3.24.1 and 9.2.3.24.8). Escape pairs and surrogate
pairs are never split.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

from smpp_client.rules.gsm import ESCAPE, encode_gsm, is_gsm, is_plain

MAX_PARTS: Final = 255  # the header counts parts in one octet
DATA_CODING_DEFAULT: Final = 0
DATA_CODING_UCS2: Final = 8


class Alphabet(StrEnum):
    """What the peer takes data coding 0 for: a setting of the connection, never a guess.

    A text never needs fewer segments with LATIN1 than with GSM.
    """

    GSM = "gsm"
    LATIN1 = "latin1"


class Encoding(StrEnum):
    """How the text of one message travels. A message has one encoding for all its parts."""

    GSM = "gsm"
    LATIN1 = "latin1"
    UCS2 = "ucs2"


class TextRefused(ValueError):
    """The text cannot be sent; the sentence says why."""


class TextTooLong(TextRefused):
    """More parts than a header can count."""


class NotText(TextRefused):
    """Half a surrogate pair: not a character in any encoding."""


class Encoded(NamedTuple):
    """The octets of each part, in order, headers included."""

    data_coding: int
    parts: tuple[bytes, ...]
    has_header: bool


@dataclass(frozen=True, slots=True)
class Count:
    """What the preview shows. Units are septets or UTF-16 units of the text, without headers.

    `unit_limit` is what one segment of this message holds, `units_left` the room in its last one.
    """

    encoding: Encoding
    segments: int
    units: int
    units_left: int
    unit_limit: int


class _Limits(NamedTuple):
    alone: int
    joined: int
    joined_wide: int


_SEPTETS: Final = _Limits(160, 153, 152)
_UCS2_UNITS: Final = _Limits(70, 67, 66)


class _Split(NamedTuple):
    """The text in units and where its parts begin and end, in units."""

    encoding: Encoding
    data: bytes
    unit_size: int
    edges: list[int]
    limit: int


def encode(
    text: str,
    *,
    reference: int,
    alphabet: Alphabet = Alphabet.GSM,
    counted_for: Alphabet = Alphabet.GSM,
    is_wide: bool = False,
) -> Encoded:
    """Return the parts of a message ready for short_message.

    A text that was `counted_for` LATIN1 has the parts of that also where the peer reads GSM. The
    concatenation header carries `reference` modulo 256, or 65536 when `is_wide`. Raises
    TextTooLong beyond 255 parts and NotText.
    """
    if len(text) <= _SEPTETS.alone and is_plain(text):
        return Encoded(DATA_CODING_DEFAULT, (text.encode("ascii"),), has_header=False)
    split = _split(text, alphabet, counted_for, is_wide=is_wide)
    data_coding = DATA_CODING_UCS2 if split.encoding is Encoding.UCS2 else DATA_CODING_DEFAULT
    bodies = _bodies(text, split)
    if len(bodies) == 1:
        return Encoded(data_coding, bodies, has_header=False)
    header = _header(reference, len(bodies), is_wide=is_wide)
    return Encoded(
        data_coding,
        tuple(header + bytes((number,)) + body for number, body in enumerate(bodies, start=1)),
        has_header=True,
    )


def count(text: str, *, alphabet: Alphabet = Alphabet.GSM, is_wide: bool = False) -> Count:
    """Count what `encode` would make. Raises as it does."""
    split = _split(text, alphabet, alphabet, is_wide=is_wide)
    edges = split.edges
    return Count(
        encoding=split.encoding,
        segments=len(edges) - 1,
        units=edges[-1],
        units_left=split.limit - (edges[-1] - edges[-2]),
        unit_limit=split.limit,
    )


def split_points(
    text: str, *, alphabet: Alphabet = Alphabet.GSM, is_wide: bool = False
) -> tuple[int, ...]:
    """Return the index in `text` where each part after the first begins. Raises as `encode`."""
    return tuple(_indexes(_split(text, alphabet, alphabet, is_wide=is_wide))[1:-1])


def encoding_of(
    text: str, alphabet: Alphabet = Alphabet.GSM, counted_for: Alphabet = Alphabet.GSM
) -> Encoding:
    """Choose the encoding.

    Where data coding 0 is Latin-1 the SMSC still packs septets for the air, so only what both
    tables hold goes that way; the rest goes as UCS-2.
    """
    if not is_gsm(text):
        return Encoding.UCS2
    if Alphabet.LATIN1 in {alphabet, counted_for} and not _is_latin1(text):
        return Encoding.UCS2
    return Encoding.GSM if alphabet is Alphabet.GSM else Encoding.LATIN1


def is_alike(text: str) -> bool:
    """Say whether a text has the same parts whatever a peer takes data coding 0 for."""
    return _is_latin1(text) or not is_gsm(text)


def _is_latin1(text: str) -> bool:
    return not text or max(text) <= "\xff"


def _split(text: str, alphabet: Alphabet, counted_for: Alphabet, *, is_wide: bool) -> _Split:
    encoding = encoding_of(text, alphabet, counted_for)
    if encoding is Encoding.UCS2:
        data, unit_size, limits = _utf16(text), 2, _UCS2_UNITS
    else:
        data, unit_size, limits = encode_gsm(text), 1, _SEPTETS
    units = len(data) // unit_size
    if units <= limits.alone:
        return _Split(encoding, data, unit_size, [0, units], limits.alone)
    limit = limits.joined_wide if is_wide else limits.joined
    return _Split(encoding, data, unit_size, _edges(data, unit_size, limit), limit)


def _utf16(text: str) -> bytes:
    try:
        return text.encode("utf-16-be")
    except UnicodeEncodeError as error:
        raise NotText(f"Character {error.start + 1} of the text is half a character.") from error


def _edges(data: bytes, unit_size: int, limit: int) -> list[int]:
    units = len(data) // unit_size
    edges = [0]
    while edges[-1] < units:
        edge = edges[-1] + limit
        if edge < units and _opens_pair(data, unit_size, edge - 1):
            edge -= 1
        edges.append(min(edge, units))
    if len(edges) - 1 > MAX_PARTS:
        raise TextTooLong(
            f"This text needs {len(edges) - 1} parts; a message can have {MAX_PARTS}."
            " Make it shorter."
        )
    return edges


def _opens_pair(data: bytes, unit_size: int, unit: int) -> bool:
    """Say whether this unit and the next make one character."""
    octet = data[unit * unit_size]
    return octet == ESCAPE if unit_size == 1 else 0xD8 <= octet <= 0xDB


def _bodies(text: str, split: _Split) -> tuple[bytes, ...]:
    if split.encoding is Encoding.LATIN1:
        edges, data, size = _indexes(split), text.encode("latin-1"), 1
    else:
        edges, data, size = split.edges, split.data, split.unit_size
    if len(edges) == 2:
        return (data,)
    return tuple(data[start * size : stop * size] for start, stop in pairwise(edges))


def _indexes(split: _Split) -> list[int]:
    """Turn edges in units into edges in characters: a pair is two units and one character."""
    indexes = [0]
    for start, stop in pairwise(split.edges):
        piece = split.data[start * split.unit_size : stop * split.unit_size]
        if split.unit_size == 1:
            characters = len(piece) - piece.count(ESCAPE)
        else:
            characters = len(piece.decode("utf-16-be"))
        indexes.append(indexes[-1] + characters)
    return indexes


def _header(reference: int, total: int, *, is_wide: bool) -> bytes:
    """Return the concatenation header without its last octet, the part's number."""
    if is_wide:
        return b"\x06\x08\x04" + (reference % 0x10000).to_bytes(2, "big") + bytes((total,))
    return b"\x05\x00\x03" + bytes((reference % 0x100, total))
