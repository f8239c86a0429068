"""Sender names: what may be one, and which of them people take for another.

Two names with one skeleton cannot both exist in an installation. A name whose skeleton is at most
one edit away from a protected name, or carries it, needs a second approval. Only ASCII goes on the
wire, so that the look-alikes that matter are ASCII ones; other scripts are refused by name.
"""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from smpp_client.rules.addresses import (
    MAX_SHORT_CODE,
    Address,
    AddressRefused,
    sender_address,
)

MIN_ALPHANUMERIC: Final = 2
MIN_SHORT_CODE: Final = 3
# A protected name this short is part of too many honest words.
MIN_CARRIED: Final = 4


def gettext_noop(text: str) -> str:
    """Mark a sentence for translation; the page translates it."""
    return text


_ = gettext_noop

# Marks that people do not see as part of a name.
_SEPARATORS: Final = " .-_&'+"
_LETTERS: Final = re.compile(r"[A-Za-z0-9 .\-_&']*")

# One class of characters that look alike, or stand for each other, in some common typeface. No two
# digits share a class: two short codes are never one.
_ALIKE: Final = ("0o", "1li", "2z", "3e", "4a", "5s", "6g", "7t", "8b", "9q")
_FOLD: Final = str.maketrans(
    {character: group[1] for group in _ALIKE for character in group}
    | dict.fromkeys(_SEPARATORS, "")
)
_PAIRS: Final = (("vv", "w"), ("rn", "m"))

# Names that say nothing about who sends: anybody could be meant.
_GENERIC: Final = (
    "admin alert alerts auth bank billing care code customer default delivery emergency fire gov"
    " government helpdesk help info information message messages mobile msg network new news"
    " no reply noreply notice notify offer offers operator otp parcel pass password payment phone"
    " pin police post preview promo sale sales secure security sender service services sms support"
    " system tax test text unknown update user verify warning"
)
# People call these in need; none of them writes.
_EMERGENCY: Final = frozenset({"000", "110", "112", "119", "911", "999"})
# Words with which networks and phones mark what they warn of.
_LABELS: Final = ("scam", "spam", "phishing", "unverified", "unregister", "suspicious")

# Letters of other alphabets that are drawn like Latin ones (Unicode UTS 39, the part people meet).
_DRAWN_LIKE: Final = dict(
    zip("АВЕКМНОРСТУХЅІЈԚԜаеорсухѕіјԛԝһӏ", "ABEKMHOPCTYXSIJQWaeopcyxsijqwhl", strict=True)
) | dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοανιρτυκ", "ABEZHIKMNOPTYXoaviptuk", strict=True))


class Kind(StrEnum):
    """What a sender is; the string itself says it."""

    NAME = "name"
    SHORT_CODE = "short_code"
    NUMBER = "number"


class NameRefused(ValueError):
    """This cannot be a sender name.

    `sentence` is English and a translation's key; `values` fill it.
    """

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence % values if values else sentence)
        self.sentence = sentence
        self.values = values


def read_name(text: str) -> Address:
    """Return the address that a sender name or number is sent with. Raises NameRefused.

    The value is the name as written; a number comes without its plus sign.
    """
    _check_characters(text)
    try:
        address = sender_address(text)
    except AddressRefused as refused:
        raise NameRefused(str(refused)) from refused
    kind = kind_of(address.value)
    if kind is Kind.SHORT_CODE:
        _check_short_code(address.value)
    elif kind is Kind.NAME:
        _check_words(text)
    return address


def skeleton(text: str) -> str:
    """Return what is left of a name when everything that looks alike is written alike.

    Defined for any text; for names that read_name accepts it is never empty.
    """
    folded = text.lower().translate(_FOLD)
    for pair, single in _PAIRS:
        folded = folded.replace(pair, single)
    return folded


def resembled(name: str, protected: Iterable[tuple[str, str]]) -> str:
    """Return the protected name that a name resembles, or "". Exact and nearest ones come first.

    `protected` gives (name, skeleton).
    """
    mine = skeleton(name)
    near = [
        (mine != theirs, not _is_one_edit_away(mine, theirs), known)
        for known, theirs in protected
        if resembles(mine, theirs)
    ]
    return min(near)[2] if near else ""


def resembles(mine: str, theirs: str) -> bool:
    """Say whether a skeleton is at most one edit from a protected one, or carries it."""
    is_carried = len(theirs) >= MIN_CARRIED and theirs in mine
    return mine == theirs or is_carried or _is_one_edit_away(mine, theirs)


def kind_of(value: str) -> Kind:
    """Return the kind of an address's value."""
    if not value.isdigit():
        return Kind.NAME
    return Kind.SHORT_CODE if len(value) <= MAX_SHORT_CODE else Kind.NUMBER


def _check_characters(text: str) -> None:
    """Refuse what is outside our letters, naming the first such character."""
    if text.startswith("+") and text[1:].isascii():
        return  # a number; sender_address looks at its digits
    for character in text:
        if not character.isascii():
            raise _foreign(character)
        if not _LETTERS.fullmatch(character):
            raise NameRefused(
                _("A sender name cannot carry %(character)s. Use letters, digits, spaces or .-_&'"),
                character=_shown(character),
            )
    if text and not text[-1].isalnum():
        raise NameRefused(_("A sender name ends with a letter or a digit."))


def _foreign(character: str) -> NameRefused:
    latin = _DRAWN_LIKE.get(character) or _plain(character)
    name = unicodedata.name(character, "").lower()
    shown = f"{_shown(character)} ({name})" if name else _shown(character)
    if not latin:
        return NameRefused(
            _("A sender name cannot carry %(character)s. Use the letters A to Z."), character=shown
        )
    if character in _DRAWN_LIKE:
        return NameRefused(
            _("%(character)s looks like “%(latin)s” but is another letter. Type “%(latin)s”."),
            character=shown,
            latin=latin,
        )
    return NameRefused(
        _("A sender name cannot carry %(character)s. Write “%(latin)s”."),
        character=shown,
        latin=latin,
    )


def _plain(character: str) -> str:
    """Return the ASCII letters under an accent or a width, or ""."""
    pieces = unicodedata.normalize("NFKD", character)
    return "".join(piece for piece in pieces if piece.isascii() and piece.isalnum())


def _shown(character: str) -> str:
    return f"“{character}”" if character.isprintable() else f"U+{ord(character):04X}"


def _check_short_code(digits: str) -> None:
    if digits in _EMERGENCY:
        raise NameRefused(_("%(digits)s is an emergency number."), digits=digits)
    if len(digits) < MIN_SHORT_CODE:
        raise NameRefused(_("A short code has at least 3 digits."))
    if digits.startswith("0"):
        raise NameRefused(_("A short code does not begin with 0."))


def _check_words(text: str) -> None:
    mine = skeleton(text)
    if len(text) < MIN_ALPHANUMERIC:
        raise NameRefused(_("A sender name has at least 2 characters."))
    if mine in _GENERIC_SKELETONS:
        raise NameRefused(
            _("“%(name)s” says nothing about who sends. Use the name of the service or company."),
            name=text,
        )
    for label, theirs in _LABEL_SKELETONS:
        if theirs in mine:
            raise NameRefused(
                _("“%(name)s” reads like “%(label)s”, a word that networks warn with."),
                name=text,
                label=label,
            )


def _is_one_edit_away(mine: str, theirs: str) -> bool:
    """Say whether one letter more, less, changed or swapped makes one of the other."""
    short, long = sorted((mine, theirs), key=len)
    at = _first_difference(short, long)
    if len(long) - len(short) > 1:
        return False
    if len(long) > len(short):
        return short[at:] == long[at + 1 :]
    is_swap = short[at : at + 2] == long[at : at + 2][::-1] and short[at + 2 :] == long[at + 2 :]
    return is_swap or short[at + 1 :] == long[at + 1 :]


def _first_difference(short: str, long: str) -> int:
    for at, (one, other) in enumerate(zip(short, long, strict=False)):
        if one != other:
            return at
    return len(short)


_GENERIC_SKELETONS: Final = frozenset(skeleton(word) for word in _GENERIC.split())
_LABEL_SKELETONS: Final = tuple((word, skeleton(word)) for word in _LABELS)
