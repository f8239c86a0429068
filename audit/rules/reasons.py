"""What a reason, or a legal ground, has to be before it enters the log."""

from typing import Final

# In characters, as the sentences that refuse a shorter one say in words.
SHORTEST_REASON: Final = 10
# Of small things that happen every day.
SHORTEST_NOTE: Final = 3
