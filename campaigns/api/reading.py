"""From what a caller sent to values: known members only, of exactly the types that are promised."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.settings import api_settings

from campaigns.rules.api_answers import IDEMPOTENCY_KEY
from campaigns.rules.api_refusals import (
    MOST_FAULTS,
    ApiRefused,
    InputFault,
    More,
    Place,
    pointer,
)

HEADER = "Idempotency-Key"


class Text(serializers.CharField):
    """A JSON string, taken as it is; numbers and booleans are none."""

    default_error_messages = {"not_text": gettext_lazy("This has to be a string.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **options})

    def to_internal_value(self, data: Any) -> str:
        """Return the string."""
        if not isinstance(data, str):
            self.fail("not_text")
        return super().to_internal_value(data)


class Strict(serializers.Serializer[Any]):
    """Members that it does not name are refused."""

    default_error_messages = {"unknown_field": gettext_lazy("There is no such field.")}

    def to_internal_value(self, data: Any) -> Any:
        """Return the values; every fault is named, those of unknown members too."""
        unknown = set(data) - set(self.fields) if isinstance(data, Mapping) else set()
        faults: dict[str, Any] = {}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            faults, values = dict(error.detail), None  # type: ignore[arg-type]
        sentence = str(self.error_messages["unknown_field"])
        faults |= {str(name): [ErrorDetail(sentence, "unknown_field")] for name in unknown}
        if faults:
            raise serializers.ValidationError(faults)
        return values


def read_body(kind: type[Strict], body: Any) -> dict[str, Any]:
    """Return the values of a body. Raises ApiRefused naming every fault by its pointer."""
    return _read(kind, body, "pointer")


def read_query(kind: type[Strict], query: QueryDict) -> dict[str, Any]:
    """Return the values of a query string. Raises ApiRefused naming every faulty parameter."""
    repeated = [name for name, values in query.lists() if len(values) > 1]
    if repeated:
        sentence = _("This parameter stands there more than once.")
        faults = [InputFault(name, "repeated", sentence, "parameter") for name in repeated]
        raise _invalid(faults)
    return _read(kind, query.dict(), "parameter")


def read_key(header: str | None) -> str:
    """Return the idempotency key of a call. Raises ApiRefused."""
    if header is None:
        sentence = _(
            "Send a key of your own with each message, so that a repeated call sends once."
        )
        fault = InputFault(HEADER, "missing", sentence, "header")
        raise ApiRefused("idempotency_key_missing", sentence, More([fault]))
    if not IDEMPOTENCY_KEY.fullmatch(header):
        sentence = _("A key has 1 to 255 visible ASCII characters.")
        raise _invalid([InputFault(HEADER, "malformed", sentence, "header")])
    return header


def _read(kind: type[Strict], data: Any, place: Place) -> dict[str, Any]:
    asked = kind(data=data)
    if not asked.is_valid():
        raise _invalid(list(_faults(asked.errors, (), place)))
    return dict(asked.validated_data)


def _invalid(faults: list[InputFault]) -> ApiRefused:
    return ApiRefused("invalid", _("Some values cannot be used."), More(faults[:MOST_FAULTS]))


def _faults(detail: Any, steps: tuple[str, ...], place: Place) -> Iterator[InputFault]:
    """Flatten a serializer's errors. Faults of the whole stand at the empty pointer."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            inner = () if key == api_settings.NON_FIELD_ERRORS_KEY else (str(key),)
            yield from _faults(value, steps + inner, place)
    elif isinstance(detail, list):
        for value in detail:
            yield from _faults(value, steps, place)
    else:
        name = pointer(*steps) if place == "pointer" else ".".join(steps)
        yield InputFault(name, str(getattr(detail, "code", "invalid")), str(detail), place)
