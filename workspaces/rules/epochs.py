"""The installation's epoch: a number that only grows, kept in the database and in a file beside it.

The database advances first, the file follows. So the file is never ahead of the database that it
belongs to, whatever crashes in between; a database that is behind its file was restored from a
backup, and what it takes for waiting may have been sent long ago.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Doubt(StrEnum):
    """Why a database is not believed."""

    BEHIND = "behind"
    FILE_MISSING = "file_missing"
    FILE_UNREADABLE = "file_unreadable"
    OTHER_INSTALLATION = "other_installation"
    CLAIM_MISSING = "claim_missing"


class Choice(StrEnum):
    """What two people let become of messages that may have been sent after the backup."""

    UNKNOWN = "unknown"
    ALL_UNKNOWN = "all-unknown"
    GO_ON = "go-on"


class BadEpoch(ValueError):
    """The file does not hold an epoch."""


@dataclass(frozen=True)
class Epoch:
    """The epoch of an installation, and when it was reached."""

    installation: UUID
    number: int
    at: datetime

    def text(self) -> str:
        """Return what the file holds: `uuid number time` in one line."""
        return f"{self.installation} {self.number} {self.at.isoformat()}\n"


def read_epoch(text: str) -> Epoch:
    """Return the epoch that a file's text holds. Raises BadEpoch."""
    try:
        installation, number, at = text.split()
        read = Epoch(UUID(installation), int(number), datetime.fromisoformat(at))
    except ValueError as bad:
        raise BadEpoch("The epoch file does not hold an epoch.") from bad
    if read.number < 1 or read.at.tzinfo is None:
        raise BadEpoch("The epoch file does not hold an epoch.")
    return read


def doubt_about(installation: UUID, number: int, kept: Epoch | None) -> Doubt | None:
    """Return why a database with this epoch is not believed beside what the file holds.

    Only an installation whose epoch never advanced, number 1, may have no file.
    """
    if kept is None:
        return None if number == 1 else Doubt.FILE_MISSING
    if kept.installation != installation:
        return Doubt.OTHER_INSTALLATION
    return Doubt.BEHIND if number < kept.number else None
