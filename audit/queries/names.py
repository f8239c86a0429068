"""Names for the opaque ids of the log. The apps that own the names lend them; the log has none.

An app registers once, when it is ready. Ids that nobody names are shown as they are.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

Resolver: TypeAlias = Callable[[Sequence[str]], Mapping[str, str]]
Finder: TypeAlias = Callable[[str], Sequence[str]]

_resolvers: dict[str, Resolver] = {}
_finders: dict[str, Finder] = {}
_staying: set[str] = set()


def register(
    kind: str, resolver: Resolver, find: Finder | None = None, *, stays_here: bool = False
) -> None:
    """Let `resolver` (ids -> id -> name) name what is of this kind, within the reader's scope.

    `kind` is an actor's (`user`, `api`) or an object's type (`campaign`). `find` returns the ids
    that fit what a person typed, so that the log can be searched by name; a few hundred at most.
    Where the name is a value that entries commit to, it `stays_here`: no bundle shows it.
    """
    _resolvers[kind] = resolver
    if stays_here:
        _staying.add(kind)
    if find is not None:
        _finders[kind] = find


def names(kind: str, ids: Iterable[str]) -> Mapping[str, str]:
    """Return the names that are known for these ids, in one question; unknown ids are left out."""
    wanted = sorted(set(ids))
    resolver = _resolvers.get(kind)
    return resolver(wanted) if resolver and wanted else {}


def names_to_give(kind: str, ids: Iterable[str]) -> Mapping[str, str]:
    """Return those of them that may leave with a bundle."""
    return {} if kind in _staying else names(kind, ids)


def find(text: str) -> list[str]:
    """Return all ids that somebody knows by this text, and the text itself, which may be an id."""
    found = {one for finder in _finders.values() for one in finder(text)}
    return sorted(found | {text})
