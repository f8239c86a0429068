"""Bodies: JSON as RFC 8259 has it, and nothing that two readers could read differently."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.core.exceptions import RequestDataTooBig
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser


class Malformed(ParseError):
    """The body is no JSON text, or one that has two readings."""

    default_code = "malformed"
    default_detail = _("The body is not JSON that can be read.")


class TooLarge(APIException):
    """The body is larger than DATA_UPLOAD_MAX_MEMORY_SIZE."""

    status_code = 413
    default_code = "too_large"
    default_detail = _("The body is too large.")


class StrictJsonParser(BaseParser):
    """Reads a body of UTF-8 JSON. Raises Malformed for a member that stands there twice, for NaN,
    and for what is nested or written too deep to be read; TooLarge.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the value. `stream` is Django's request, which knows the largest body."""
        try:
            body: bytes = getattr(stream, "body")  # noqa: B009 - an HttpRequest, whatever its type says
        except RequestDataTooBig as error:
            raise TooLarge from error
        try:
            return json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise Malformed from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("A member stands there twice.")
    return members


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON.")
