"""The words of the OpenAPI document that all operations share."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from campaigns.api.shapes import Problem

PROBLEM = "application/problem+json"
JSON = "application/json"
# Every error of the API is a problem document; each operation tells which of these it can give.
ERRORS: Mapping[int, str] = {
    400: "The call cannot be read: `malformed`, `invalid`, `bad_cursor`,"
    " `idempotency_key_missing`.",
    401: "No live key: `key_not_valid`.",
    403: "The key has not got the scope: `forbidden`.",
    404: "There is no such thing in the key's workspace: `not_found`.",
    406: "Answers are JSON only: `not_acceptable`.",
    409: "It does not fit the state of things: `not_a_trigger`, `campaign_not_sending`,"
    " `campaign_over`, `closed_hours` (with Retry-After), `approval_void`,"
    " `client_reference_taken`, `stale` (somebody else changed it meanwhile),"
    " `idempotency_in_progress` (with Retry-After).",
    413: "The body is too large: `too_large`.",
    415: "Bodies are JSON only: `unsupported_media_type`.",
    422: "The idempotency key belongs to another body: `idempotency_key_reused`.",
    429: "Too many calls, `rate_limited`, or the campaign's messages of the day are used up,"
    " `quota_exhausted`. Retry-After tells the seconds.",
    503: "The database does not answer; nothing was stored: `database_down`; or a refusal could be"
    " recorded nowhere: `not_recorded`. Retry-After tells the seconds.",
}
ALWAYS = (406, 503)
WITH_KEY = (401, 403, 429)

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
    OpenApiParameter.HEADER,
    required=True,
    description="A name of your own for this call. The same key with the same body gets the same"
    " answer for 14 days, and sends once.",
)
REPLAY = OpenApiParameter(
    "Idempotency-Replay",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    response=[201],
    description="`true` when an earlier call with this key got this answer.",
)


def answers(
    status: int, shape: type[serializers.Serializer[Any]] | dict[str, Any], *errors: int
) -> dict[tuple[int, str], OpenApiResponse]:
    """Return the answers of an operation: the good one and its problem documents."""
    found = {(status, JSON): OpenApiResponse(shape)}
    for error in sorted({*errors, *ALWAYS}):
        found[error, PROBLEM] = OpenApiResponse(Problem, description=ERRORS[error])
    return found
