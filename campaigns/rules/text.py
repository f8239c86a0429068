"""Texts with {{placeholders}}: one pass, values are never scanned again."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Template:
    """A text cut at its placeholders: literals and names alternate, with literals at both ends."""

    literals: tuple[str, ...]
    names: tuple[str, ...]

    def render(self, values: Mapping[str, str]) -> str:
        """Return the text with its placeholders filled; a name without a value becomes nothing."""
        pieces = [self.literals[0]]
        for name, literal in zip(self.names, self.literals[1:], strict=True):
            pieces.append(str(values.get(name, "")))
            pieces.append(literal)
        return "".join(pieces)

    @property
    def is_personal(self) -> bool:
        """Whether the text differs from person to person."""
        return bool(self.names)


def compile_text(text: str) -> Template:
    """Return the template of a text. Names are taken as written; `unknown_names` judges them."""
    parts = PLACEHOLDER.split(text)
    return Template(literals=tuple(parts[0::2]), names=tuple(parts[1::2]))


def unknown_names(text: str, columns: Iterable[str]) -> tuple[str, ...]:
    """Return the placeholders of a text that are no column, each once, in order."""
    known = set(columns)
    return tuple(dict.fromkeys(name for name in compile_text(text).names if name not in known))


@dataclass(frozen=True)
class Slot:
    """A typed slot of a trigger's text.

    `type`: text, number, amount, date, code; `max_length` in characters.
    """

    name: str
    type: str
    max_length: int


SLOT_TYPES: Mapping[str, re.Pattern[str]] = {
    "text": re.compile(r"[^\x00-\x1f\x7f]*"),
    "number": re.compile(r"-?[0-9][0-9 ,.]*"),
    "amount": re.compile(r"-?[0-9][0-9 ,.]*( ?[A-Za-z]{2,4}| ?[€$£₸₽])?"),
    "date": re.compile(r"[0-9A-Za-z .:/-]+"),
    "code": re.compile(r"[0-9A-Za-z-]+"),
}
LINK = re.compile(r"(https?:|www\.|[a-z0-9-]+\.[a-z]{2,}/)", re.IGNORECASE)


def slot_fault(slot: Slot, value: object) -> str:
    """Return why a value does not fit its slot, as a code, or '' when it does.

    Codes: not_text, too_long, wrong_type, has_link (a slot never carries a link: the text that was
    approved does).
    """
    if not isinstance(value, str):
        return "not_text"
    if len(value) > slot.max_length:
        return "too_long"
    if not SLOT_TYPES[slot.type].fullmatch(value):
        return "wrong_type"
    return "has_link" if LINK.search(value) else ""
