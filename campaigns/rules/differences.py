"""What changed between two short texts, word by word."""

import re
from difflib import SequenceMatcher
from typing import Literal

# What happened to a piece of text, and the piece. "same" and "del" together are the old text.
Piece = tuple[Literal["same", "del", "ins"], str]

WORDS = re.compile(r"\{\{[^{}]*\}\}|\s+|\w+|[^\w\s]")


def differences(old: str, new: str) -> list[Piece]:
    """Return the pieces that turn old into new; what went stands before what came."""
    before, after = WORDS.findall(old), WORDS.findall(new)
    found: list[Piece] = []
    for _op, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if before[i:j] == after[k:m]:
            found.append(("same", "".join(before[i:j])))
            continue
        found.append(("del", "".join(before[i:j])))
        found.append(("ins", "".join(after[k:m])))
    return [piece for piece in found if piece[1]]
