"""Whose log it is, in words, and whose rows may be read meanwhile. The app that owns workspaces
lends both; the log itself knows UUIDs only.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID


@dataclass(frozen=True)
class Place:
    """A workspace, or the installation itself (then `slug` is empty)."""

    uuid: UUID
    slug: str
    name: str
    zone: str = "UTC"


Opener: TypeAlias = Callable[[UUID], AbstractContextManager[Place | None]]
Finder: TypeAlias = Callable[[str], UUID | None]

_openers: list[Opener] = []
_finders: list[Finder] = []


def register(opener: Opener, finder: Finder) -> None:
    """Let `opener` open a workspace's scope, and `finder` find its UUID by its slug."""
    _openers[:] = [opener]
    _finders[:] = [finder]


@contextmanager
def inside(ws: UUID) -> Iterator[Place]:
    """Be inside a workspace's scope, as a page of it is; of what nobody knows only the UUID."""
    for opener in _openers:
        with opener(ws) as place:
            yield place or Place(ws, "", str(ws))
        return
    yield Place(ws, "", str(ws))


def find(text: str) -> UUID | None:
    """Return the workspace with this slug or UUID, or None."""
    try:
        return UUID(text)
    except ValueError:
        return next((found for finder in _finders if (found := finder(text))), None)
