"""What the nightly check remembers outside the database: where every chain stood."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from audit.rules.canonical import NotCanonical, read_stamp, stamp
from audit.rules.chain import Link


class BadChecked(ValueError):
    """What was remembered cannot be read."""


@dataclass(frozen=True)
class Checked:
    """The chains of an installation as a check found them whole, at `at`."""

    install: UUID
    at: datetime
    links: tuple[Link, ...]

    def text(self) -> str:
        """Write it as JSON with a line for each chain."""
        rows = [[link.slot, str(link.ws), link.seq, link.hash.hex()] for link in self.links]
        fields = {"v": 1, "install": str(self.install), "at": stamp(self.at), "chains": rows}
        return json.dumps(fields, indent=1) + "\n"


def read_checked(text: str) -> Checked:
    """Read what `Checked.text` wrote; raise BadChecked."""
    try:
        fields: dict[str, Any] = json.loads(text)
        links = tuple(
            Link(int(slot), UUID(ws), int(seq), bytes.fromhex(found))
            for slot, ws, seq, found in fields["chains"]
        )
        return Checked(UUID(fields["install"]), read_stamp(fields["at"]), links)
    except (ValueError, KeyError, TypeError, AttributeError, NotCanonical) as broken:
        raise BadChecked(f"What the last check remembered is damaged: {broken}") from broken
