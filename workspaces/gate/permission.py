"""What permission a view names. A view that names none cannot be served."""

from collections.abc import Callable, Iterator
from typing import Any

from django.core.checks import CheckMessage, Error
from django.urls import URLPattern, URLResolver, get_resolver

from workspaces.rules.permissions import KNOWN

View = Callable[..., Any]


class NoPermissionNamed(RuntimeError):
    """The view behind an address names no permission: a programming error."""


def permission_of(view: View, method: str) -> str:
    """Return the permission that the view's class names for this method.

    The class attribute `permission` is one word, or a mapping of methods to words (`{"GET": ...,
    "POST": ...}`);
    a method that the mapping does not know is refused by the view itself, after the strictest
    check. Raises NoPermissionNamed.
    """
    named = getattr(view_class(view), "permission", None)
    if isinstance(named, dict):
        named = (
            named.get("GET" if method in {"HEAD", "OPTIONS"} else method)
            or list(named.values())[-1]
        )
    if not isinstance(named, str):
        raise NoPermissionNamed(f"{view} names no permission.")
    return named


def view_class(view: View) -> type | None:
    """Return the class behind a view, Django's or DRF's; None for a function."""
    return getattr(view, "view_class", None) or getattr(view, "cls", None)


def routes() -> Iterator[tuple[str, URLPattern]]:
    """Yield every address of the product as (pattern text, pattern)."""
    yield from _walk("/", get_resolver().url_patterns)


def _walk(prefix: str, patterns: Any) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        text = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(text, pattern.url_patterns)
        else:
            yield text, pattern


def check_permissions(**_: Any) -> list[CheckMessage]:
    """Return an error for each route that names no permission, or one that the table does not know.

    A system check: `make check` asks it, and so does any command that leaves none out.
    """
    errors: list[CheckMessage] = []
    for text, pattern in routes():
        named = getattr(view_class(pattern.callback), "permission", None)
        words = set(named.values()) if isinstance(named, dict) else {named}
        if not words <= KNOWN:
            errors.append(Error(f"{text} names no known permission: {named!r}", id="gate.E001"))
    return errors
