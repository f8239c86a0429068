"""The address of a request as it may stand in the log, which forgets nothing."""

import re

from django.http import HttpRequest
from django.urls import Resolver404, resolve

_PART = re.compile(r"<(?:([a-z]+):)?([a-z0-9_]+)>")
# What stands in addresses that we make, by the kind of the part: a number with more digits may be
# somebody's, and free text may be anything.
_MADE = {
    "int": re.compile(r"\d{1,6}"),
    "slug": re.compile(r"(?!(?:\D*\d){7})[a-z][a-z0-9_-]*"),
    "str": re.compile(r"(?:[A-Za-z]{1,3}[_-])?\d{1,6}"),
    "uuid": re.compile(r".*"),
}
_SECRET = {"token", "uidb64"}


def page(request: HttpRequest) -> str:
    """Return the address that was asked for, at most 200 characters.

    Whatever in it may be a secret or somebody's number is replaced by its name in the address's
    pattern (`<str:campaign>`).
    """
    try:
        # Anew: of what Django keeps the gate has taken the workspace out.
        match = resolve(request.path_info)
    except Resolver404:
        return "unknown"

    def shown(part: re.Match[str]) -> str:
        value = str(match.kwargs.get(part[2], ""))
        made = _MADE.get(part[1] or "str")
        is_made = made is not None and made.fullmatch(value) and part[2] not in _SECRET
        return value if is_made else part[0]

    return f"/{_PART.sub(shown, match.route)}"[:200]
