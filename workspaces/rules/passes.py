"""Who may look at diagnostics while the database, which knows sessions and keys, is away.

The list is written while it is there. Nobody can be signed out and no key revoked while it is not,
so what was true last is still true, as long as each pass's own time lasts.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Pass:
    """`mark` stands for a session or a key and gives neither away; `until` is aware."""

    mark: str
    until: datetime


def passes_text(passes: Sequence[Pass]) -> str:
    """Write passes as JSON."""
    return json.dumps({one.mark: one.until.isoformat() for one in passes}) + "\n"


def read_passes(text: str) -> list[Pass]:
    """Read what `passes_text` wrote; nothing from anything else."""
    try:
        return [
            Pass(str(mark), datetime.fromisoformat(until))
            for mark, until in json.loads(text).items()
        ]
    except (ValueError, TypeError, AttributeError):
        return []
