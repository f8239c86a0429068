"""The typed slots of a trigger, as rows of inputs; a row without a name is no slot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from campaigns.rules.text import NAME, SLOT_TYPES, compile_text

MOST_SLOTS = 20
LONGEST_VALUE = 300
EMPTY_ROWS = 2


@dataclass(frozen=True)
class SlotRow:
    """A row as it was typed; `error` is empty or what is wrong with it."""

    name: str = ""
    type: str = "text"
    max_length: str = "30"
    error: str = ""

    def as_slot(self) -> dict[str, Any]:
        """Return it as the campaign keeps it; only for a row without an error."""
        return {"name": self.name, "type": self.type, "max_length": int(self.max_length)}


def shown_slots(slots: Sequence[Mapping[str, Any]], text: str) -> list[SlotRow]:
    """Return the rows of a campaign: its slots, the text's other placeholders, some empty ones."""
    rows = [SlotRow(one["name"], one["type"], str(one["max_length"])) for one in slots]
    known = {row.name for row in rows}
    missing = [name for name in dict.fromkeys(compile_text(text).names) if name not in known]
    rows += [SlotRow(name) for name in missing]
    return [*rows, *[SlotRow() for _ in range(EMPTY_ROWS)]][:MOST_SLOTS]


def read_slots(data: QueryDict) -> list[SlotRow]:
    """Return the rows that were posted, each with its error."""
    names, types, lengths = (
        [text.strip() for text in data.getlist(f"slot_{part}")]
        for part in ("name", "type", "max_length")
    )
    rows = list(zip(names, types, lengths, strict=False))[:MOST_SLOTS]
    seen: set[str] = set()
    found = []
    for name, kind, length in rows:
        found.append(SlotRow(name, kind, length, _error(name, kind, length, seen)))
        seen.add(name)
    return found


def _error(name: str, kind: str, length: str, seen: set[str]) -> str:
    if not name:
        return ""
    if not NAME.fullmatch(name):
        return _("Small letters, digits and _, beginning with a letter.")
    if name in seen:
        return _("Another slot has this name.")
    if kind not in SLOT_TYPES:
        return _("Choose a type.")
    if not (length.isascii() and length.isdigit() and 1 <= int(length[:6]) <= LONGEST_VALUE):
        return _("Type a length from 1 to %(n)s.") % {"n": LONGEST_VALUE}
    return ""
