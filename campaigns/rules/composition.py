"""What a text will be on phones: its parts over many rows, and the letters that make them more."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from campaigns.rules.text import PLACEHOLDER, Template, compile_text
from smpp_client.rules.gsm import Foreign, foreign_characters
from smpp_client.rules.segments import Alphabet, Count, Encoding, count, split_points

_WORD = re.compile(r"\S+")
_LONGEST_WORD = 24
SHOWN_WORDS = 4
HIGHEST_LATIN1 = "\xff"


@dataclass(frozen=True)
class Measured:
    """How many parts and which encoding each of some rows gets.

    `counts` is in the order of the rows; `shortest` and `longest` are indexes into it.
    """

    counts: tuple[Count, ...]

    @property
    def parts(self) -> dict[int, int]:
        """Parts -> how many rows get that many, the most frequent first."""
        return dict(Counter(one.segments for one in self.counts).most_common())

    @property
    def encodings(self) -> dict[Encoding, int]:
        """Encoding -> how many rows travel in it, the most frequent first."""
        return dict(Counter(one.encoding for one in self.counts).most_common())

    @property
    def mean_parts(self) -> float:
        """Segments per row."""
        return sum(max(1, one.segments) for one in self.counts) / len(self.counts)

    @property
    def usual(self) -> Count:
        """The count of the first row that has the most frequent number of parts."""
        wanted = next(iter(self.parts))
        return next(one for one in self.counts if one.segments == wanted)

    @property
    def shortest(self) -> int:
        """The row that takes the least room."""
        return min(range(len(self.counts)), key=lambda index: _size(self.counts[index]))

    @property
    def longest(self) -> int:
        """The row that takes the most."""
        return max(range(len(self.counts)), key=lambda index: _size(self.counts[index]))

    @property
    def rarest(self) -> int | None:
        """A row in another encoding than most; None where all have the same."""
        found = list(self.encodings)
        if len(found) < 2:
            return None
        return next(i for i, one in enumerate(self.counts) if one.encoding == found[-1])


def _size(one: Count) -> tuple[int, int]:
    return one.segments, one.units


def measure(
    template: Template, rows: Sequence[Mapping[str, str]], alphabet: Alphabet = Alphabet.GSM
) -> Measured:
    """Count a text for each row, by the encoder that sends. Raises TextRefused."""
    if not template.is_personal:
        return Measured((count(template.render({}), alphabet=alphabet),) * max(1, len(rows)))
    return Measured(tuple(count(template.render(row), alphabet=alphabet) for row in rows))


def excess(one: Count) -> int:
    """Return how many units would have to go for one part less; 0 for one part."""
    if one.segments < 2:
        return 0
    alone = 70 if one.encoding is Encoding.UCS2 else 160
    room = alone if one.segments == 2 else one.unit_limit * (one.segments - 1)
    return max(one.units - room, 1)


def parts_of(text: str, alphabet: Alphabet = Alphabet.GSM) -> list[str]:
    """Return a rendered text cut where its parts begin. Raises TextRefused."""
    edges = [0, *split_points(text, alphabet=alphabet), len(text)]
    return [text[start:stop] for start, stop in pairwise(edges)]


@dataclass(frozen=True)
class Change:
    """A word with one foreign character: what stands before and after it."""

    before: str
    after: str


@dataclass(frozen=True)
class Letter:
    """A character that makes a text longer: its name in words, and what could stand there.

    `suggestion` is None where nothing is known, and empty where it can be left out.
    """

    character: str
    name: str
    count: int
    suggestion: str | None
    words: tuple[Change, ...]

    @property
    def is_visible(self) -> bool:
        """Whether a person sees it at all."""
        return not unicodedata.category(self.character).startswith(("C", "Z"))


def foreign_to(literal: str, alphabet: Alphabet) -> list[Foreign]:
    """Return the characters that an alphabet does not carry: what is not in GSM-7, and for Latin-1
    what is in GSM-7 alone, for which nothing is suggested.
    """
    found = foreign_characters(literal)
    if alphabet is Alphabet.GSM:
        return found
    seen = {one.offset for one in found}
    others = (at for at, one in enumerate(literal) if one > HIGHEST_LATIN1 and at not in seen)
    return sorted([*found, *(Foreign(at, literal[at], None) for at in others)])


def letters_of(text: str, alphabet: Alphabet = Alphabet.GSM) -> list[Letter]:
    """Return the characters of a text that make it longer, each once, in order; those of its
    placeholders' values are not in it.
    """
    places: dict[str, list[tuple[str, Foreign]]] = {}
    for literal in compile_text(text).literals:
        for foreign in foreign_to(literal, alphabet):
            places.setdefault(foreign.character, []).append((literal, foreign))
    return [_letter(character, found) for character, found in places.items()]


def _letter(character: str, found: list[tuple[str, Foreign]]) -> Letter:
    words = [_word_around(literal, foreign.offset) for literal, foreign in found]
    return Letter(
        character=character,
        name=unicodedata.name(character, f"U+{ord(character):04X}").lower(),
        count=len(found),
        suggestion=found[0][1].suggestion,
        words=tuple(dict.fromkeys(words))[:SHOWN_WORDS],
    )


def _word_around(literal: str, offset: int) -> Change:
    """Return what surrounds a character inside its word, at most some letters on each side."""
    for match in _WORD.finditer(literal):
        if match.start() <= offset < match.end():
            before, after = literal[match.start() : offset], literal[offset + 1 : match.end()]
            return Change(before[-_LONGEST_WORD:], after[:_LONGEST_WORD])
    return Change("", "")


def plainer(text: str) -> str:
    """Return a text with every foreign character replaced for which there is a suggestion; its
    placeholders stay as they are.
    """
    pieces: list[str] = []
    end = 0
    for match in PLACEHOLDER.finditer(text):
        pieces += [_plain_literal(text[end : match.start()]), match[0]]
        end = match.end()
    return "".join([*pieces, _plain_literal(text[end:])])


def _plain_literal(literal: str) -> str:
    suggestions = {one.character: one.suggestion for one in foreign_characters(literal)}
    table = {ord(c): new for c, new in suggestions.items() if new is not None}
    return literal.translate(table)


def marked(text: str, alphabet: Alphabet = Alphabet.GSM) -> list[tuple[str, str]]:
    """Cut a text into (kind, words): `text`, `name` of a placeholder, `foreign` letters."""
    pieces: list[tuple[str, str]] = []
    template = compile_text(text)
    for literal, name in zip(template.literals, (*template.names, None), strict=True):
        pieces += _marked_literal(literal, alphabet)
        if name is not None:
            pieces.append(("name", name))
    return pieces


def _marked_literal(literal: str, alphabet: Alphabet) -> list[tuple[str, str]]:
    pieces: list[tuple[str, str]] = []
    end = 0
    for offset, character, _suggestion in foreign_to(literal, alphabet):
        if offset > end:
            pieces.append(("text", literal[end:offset]))
        pieces.append(("foreign", character))
        end = offset + 1
    return [*pieces, ("text", literal[end:])] if end < len(literal) else pieces
