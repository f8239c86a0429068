"""Which connection of a route a number belongs to: the longest prefix wins."""

from collections.abc import Mapping
from typing import Final

LONGEST_PREFIX: Final = 15  # an E.164 number has no more digits


def connection_for(number: str, ranges: Mapping[str, int]) -> int | None:
    """Return the connection whose range holds an E.164 number, or None where none does.

    `ranges` maps prefixes (digits without "+") to connections.
    """
    if not ranges:
        return None
    digits = number.removeprefix("+")
    for length in range(min(len(digits), LONGEST_PREFIX), 0, -1):
        found = ranges.get(digits[:length])
        if found is not None:
            return found
    return None
