"""What approvals are about. The app that owns sender names and campaigns lends what it knows.

The log says who approved a digest when; the lender says what the digest stands for, in the very
bytes, so that a reader can hash them himself.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Version:
    """What was proposed or approved: `facts` are (name, value); `digest` (hex) is SHA-256 of
    `exact`, the text as it was hashed, or both are empty.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    digest: str = ""
    exact: str = ""


@dataclass(frozen=True)
class Subject:
    """A sender name or a campaign; `ids` are the log's ids of all objects that belong to it."""

    kind: str
    id: str
    title: str
    ids: tuple[str, ...]
    versions: tuple[Version, ...]


Source: TypeAlias = Callable[[Sequence[str]], Iterable[Subject]]

_sources: list[Source] = []


def register(source: Source) -> None:
    """Let `source` (ids -> subjects) tell what is approved, within the reader's scope."""
    if source not in _sources:
        _sources.append(source)


def subjects(ids: Iterable[str]) -> list[Subject]:
    """Return the subjects to which these ids belong."""
    wanted = sorted(set(ids))
    return [subject for source in _sources for subject in source(wanted)]
