"""Everybody who may come to a page, in the order of the tables of doors."""

from collections.abc import Mapping

EVERYBODY = (
    "viewer",
    "author",
    "author_moderator",
    "moderator",
    "admin",
    "visitor",
    "master",
    "stranger",
    "anonymous",
)


def row(*expected: int) -> Mapping[str, int]:
    """Statuses in the order of EVERYBODY."""
    return dict(zip(EVERYBODY, expected, strict=True))
