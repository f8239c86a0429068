"""The words by which a subscriber says STOP, and those that take it back.

A message asks to stop when it is such a word, or begins with one: opting out a person who meant
something else is mended in a minute, sending to one who meant it is not. It asks to start only when
it is the word and nothing else.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LONGEST_WORD: Final = 40

# Marks inside a word that people write in many ways, or leave out: apostrophes, and the Arabic
# letter stretch.
_INSIDE: Final = frozenset("'’‘‛`´ʻʼʹ\u0640")


class Wish(StrEnum):
    """What a subscriber asks for."""

    NONE = ""
    STOP = "stop"
    START = "start"


@dataclass(frozen=True)
class Asked:
    """What a message asks for, and the folded word by which it does."""

    wish: Wish
    word: str = ""


NOTHING: Final = Asked(Wish.NONE)


def fold(text: str) -> str:
    """Return words as they are compared: small letters without accents, one space between words,
    no signs.
    """
    # Twice: folding the case of a letter with an accent may take it apart.
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return " ".join("".join(map(_folded, apart)).split())


def _folded(character: str) -> str:
    category = unicodedata.category(character)
    if character in _INSIDE or category in ("Mn", "Cf"):
        return ""
    return character if character.isalnum() or category == "Mc" else " "


def asked(text: str, *, stop: Iterable[str], start: Iterable[str]) -> Asked:
    """Return what a message asks for; `stop` and `start` are folded words. STOP goes first."""
    words = fold(text)
    if not words:
        return NOTHING
    # The longest: "stop all" rather than "stop".
    for word in sorted(stop, key=len, reverse=True):
        if words == word or words.startswith(f"{word} "):
            return Asked(Wish.STOP, word)
    return Asked(Wish.START, words) if words in set(start) else NOTHING


# What an installation begins with, by language; the platform team changes it on its page.
STOP_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "OPT OUT", "OPTOUT",
    ),
    "ar": ("توقف", "إيقاف", "أوقف", "إلغاء", "إلغاء الاشتراك"),
    "de": ("STOPP", "ABMELDEN", "ABBESTELLEN", "KÜNDIGEN"),
    "es": ("ALTO", "BAJA", "PARAR", "CANCELAR"),
    "fr": ("ARRÊT", "ARRÊTER", "DÉSABONNER", "DÉSINSCRIRE"),
    "it": ("FERMA", "ANNULLA", "CANCELLAMI"),
    "kk": ("ТОҚТАТУ", "ТОҚТАТ"),
    "pt": ("SAIR", "PARE"),
    "ru": ("СТОП", "ОТПИСАТЬСЯ", "ОТПИСКА", "ОТПИШИТЕ", "ОТКАЗ", "ОТМЕНА"),
    "tr": ("DUR", "İPTAL", "RET"),
    "uk": ("ВІДПИСАТИСЯ", "ВІДМОВА"),
    "uz": ("TOʻXTAT", "TOʻXTATISH", "BEKOR", "ТЎХТАТ", "БЕКОР"),
}  # fmt: skip
START_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("START", "UNSTOP", "SUBSCRIBE"),
    "ar": ("ابدأ", "اشتراك"),
    "de": ("ANMELDEN",),
    "es": ("ALTA",),
    "fr": ("DÉMARRER",),
    "ru": ("СТАРТ", "ПОДПИСАТЬСЯ"),
    "tr": ("BAŞLA",),
    "uz": ("BOSHLASH",),
}
