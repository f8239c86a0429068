"""What the outside sees when something is refused or breaks: one table for the API, one page each
for people.
"""

from collections.abc import Mapping
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from workspaces.rules.refusal import Refusal

PROBLEM = "application/problem+json"
# A refusal's code -> HTTP status; what is not here is a conflict with the state of things.
STATUS_OF: Mapping[str, int] = {
    "not_found": 404,
    "four_eyes": 403,
    "not_yours": 403,
    "invalid": 400,
    "idempotency_key_missing": 400,
    "idempotency_key_reused": 422,
    "quota_exhausted": 429,
    "rate_limited": 429,
}


def problem_document(
    request: HttpRequest, status: int, code: str, title: str, detail: str, **more: Any
) -> dict[str, Any]:
    """Return a problem document (RFC 9457) with a stable `code` and the request's number."""
    return {
        "type": "about:blank",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": str(getattr(request, "request_id", "")),
        **more,
    }


def problem_answer(request: HttpRequest, status: int, code: str, detail: str) -> JsonResponse:
    """Answer with a problem document outside of a view."""
    titles = {400: "Bad request", 403: "Forbidden", 404: "Not found", 500: "Server error"}
    document = problem_document(request, status, code, titles.get(status, "Refused"), detail)
    return JsonResponse(document, status=status, content_type=PROBLEM)


def problem(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler: refusals and DRF's own errors become problem documents; the
    unexpected goes on.
    """
    request = context["request"]
    found = _of(error)
    if found is None:
        return None
    status, code, title, detail, more = found
    headers = {"Retry-After": "1"} if status == 429 else None
    document = problem_document(request, status, code, title, detail, **more)
    return Response(document, status=status, content_type=PROBLEM, headers=headers)


Found = tuple[int, str, str, str, dict[str, Any]]


def _of(error: Exception) -> Found | None:
    if isinstance(error, Refusal):
        more = (
            {"errors": [_pointed(error.field, error.code, error.sentence)]} if error.field else {}
        )
        return STATUS_OF.get(error.code, 409), error.code, "Refused", error.sentence, more
    if isinstance(error, Http404):
        return 404, "not_found", "Not found", _("There is no such thing here."), {}
    if isinstance(error, PermissionDenied):
        return 403, "forbidden", "Forbidden", _("This key may not do this."), {}
    if isinstance(error, exceptions.ValidationError):
        return (
            400,
            "invalid",
            "Bad request",
            _("Some values cannot be used."),
            {"errors": list(_errors(error.detail))},
        )
    if isinstance(error, exceptions.APIException):
        return error.status_code, str(error.default_code), "Refused", str(error.detail), {}
    return None


def _pointed(field: str, code: str, message: str) -> dict[str, str]:
    return {"pointer": "/" + field.replace(".", "/"), "code": code, "message": message}


def _errors(detail: Any, path: str = "") -> list[dict[str, str]]:
    """Flatten DRF's nested errors into pointers (RFC 6901)."""
    if isinstance(detail, Mapping):
        return [row for key, value in detail.items() for row in _errors(value, f"{path}/{key}")]
    if isinstance(detail, list):
        return [row for value in detail for row in _errors(value, path)]
    code = str(getattr(detail, "code", "invalid"))
    return [{"pointer": path or "/", "code": code, "message": str(detail)}]


def is_api(request: HttpRequest) -> bool:
    """Whether the caller is a program."""
    return request.path.startswith("/api/")


def page(request: HttpRequest, status: int, sentence: str = "") -> HttpResponse:
    """Answer with the error page of a status. It asks the database nothing."""
    context = {"request_id": getattr(request, "request_id", ""), "sentence": sentence}
    return render(request, f"errors/{status}.html", context, status=status)


def database_down(request: HttpRequest) -> HttpResponse:
    """Answer 503 without touching the database."""
    request.me = None  # type: ignore[attr-defined]
    if is_api(request):
        response: HttpResponse = problem_answer(
            request, 503, "database_down", _("The database does not answer. Nothing was stored.")
        )
    else:
        response = page(request, 503)
    response["Retry-After"] = "5"
    return response


def log_unexpected(request: HttpRequest) -> None:
    """Leave the trace in the log under the number that the page shows."""
    structlog.get_logger(__name__).error("server_error", path=request.path)
