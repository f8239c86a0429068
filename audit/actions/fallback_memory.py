"""What a process knows of its own writing while the database is away, until it can tell it."""

import threading
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from audit.rules.fallback import Place


@dataclass(frozen=True)
class Wrote:
    """How many lines a process wrote to a file, and where the last one stands."""

    count: int
    place: Place


Told: TypeAlias = dict[tuple[UUID, str], Wrote]


@dataclass
class Memory:
    """What this process still has to tell: what it wrote, by chain and file, and how many records
    it could write nowhere, the alarm included.
    """

    written: Told = field(default_factory=dict)
    lost_count: int = 0
    guard: threading.Lock = field(default_factory=threading.Lock)

    @property
    def has_news(self) -> bool:
        """Say whether there is anything to tell."""
        return bool(self.written or self.lost_count)

    def note(self, key: tuple[UUID, str], place: Place) -> None:
        """Remember one more line."""
        self.put_back({key: Wrote(1, place)})

    def take(self) -> Told:
        """Return what was written and forget it."""
        with self.guard:
            told, self.written = self.written, {}
        return told

    def put_back(self, told: Told) -> None:
        """Remember what could not be told yet, beside what came meanwhile."""
        with self.guard:
            for key, wrote in told.items():
                more = self.written.get(key, Wrote(0, wrote.place))
                last = max(more.place, wrote.place, key=lambda place: place.n)
                self.written[key] = Wrote(more.count + wrote.count, last)
