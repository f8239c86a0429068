"""What the outside sees when something is refused or breaks: one table for the API, one page each
for people.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.response import Response

from audit.queries.away import is_connection_lost
from audit.rules.fallback import NotRecorded
from campaigns.rules.api_refusals import ApiRefused, pointer
from workspaces.gate.outage import note_outage
from workspaces.rules.refusal import Refusal

PROBLEM = "application/problem+json"
FORM = "application/x-www-form-urlencoded"
# A refusal's code -> HTTP status; what is not here is a conflict with the state of things.
STATUS_OF: Mapping[str, int] = {
    "not_found": 404,
    "four_eyes": 403,
    "not_yours": 403,
    "invalid": 400,
    "bad_cursor": 400,
    "idempotency_key_missing": 400,
    "idempotency_key_reused": 422,
    "quota_exhausted": 429,
    "rate_limited": 429,
}
CONFLICT = 409


@dataclass(frozen=True)
class Told:
    """What a problem document tells, and the seconds of its Retry-After."""

    status: int
    code: str
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)
    retry_after: int | None = None


def problem_document(request: Any, told: Told) -> dict[str, Any]:
    """Return a problem document (RFC 9457) with a stable `code` and the request's number."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(told.status).phrase,
        "status": told.status,
        "code": told.code,
        "detail": told.detail,
        "request_id": str(getattr(request, "request_id", "")),
        **told.members,
    }


def problem_answer(
    request: HttpRequest, status: int, code: str, detail: str | Promise
) -> JsonResponse:
    """Answer with a problem document outside of a view."""
    document = problem_document(request, Told(status, code, str(detail)))
    return JsonResponse(document, status=status, content_type=PROBLEM)


def problem(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler: refusals and DRF's own errors become problem documents; the
    unexpected goes on.
    """
    told = _of(error)
    if told is None:
        return None
    document = problem_document(context["request"], told)
    headers = {"Retry-After": str(told.retry_after)} if told.retry_after is not None else None
    return Response(document, status=told.status, content_type=PROBLEM, headers=headers)


def _of(error: Exception) -> Told | None:
    if isinstance(error, ApiRefused):
        return _of_refused(error)
    if isinstance(error, Refusal):
        return _of_refusal(error)
    if isinstance(error, Http404):
        return Told(404, "not_found", _("There is no such thing here."))
    if isinstance(error, PermissionDenied):
        return Told(403, "forbidden", _("This key may not do this."))
    if isinstance(error, exceptions.ValidationError):
        members = _with_errors(list(_errors(error.detail, ())))
        return Told(400, "invalid", _("Some values cannot be used."), members)
    if isinstance(error, exceptions.APIException):
        return Told(error.status_code, str(error.default_code), str(error.detail))
    return None


def _of_refused(error: ApiRefused) -> Told:
    more = error.more
    members = {**more.members, **_with_errors([fault.document() for fault in more.faults])}
    status = STATUS_OF.get(error.code, CONFLICT)
    return Told(status, error.code, error.sentence, members, more.retry_after)


def _of_refusal(error: Refusal) -> Told:
    at = pointer(*error.field.split("."))
    errors = [{"pointer": at, "code": error.code, "message": error.sentence}] if error.field else []
    status = STATUS_OF.get(error.code, CONFLICT)
    return Told(status, error.code, error.sentence, _with_errors(errors))


def _with_errors(errors: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    return {"errors": list(errors)} if errors else {}


def _errors(detail: Any, steps: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Flatten DRF's nested errors into pointers (RFC 6901)."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            yield from _errors(value, (*steps, str(key)))
    elif isinstance(detail, list):
        for value in detail:
            yield from _errors(value, steps)
    else:
        code = str(getattr(detail, "code", "invalid"))
        yield {"pointer": pointer(*steps), "code": code, "message": str(detail)}


def is_api(request: HttpRequest) -> bool:
    """Whether the caller is a program."""
    return request.path.startswith("/api/")


@dataclass(frozen=True)
class Words:
    """An error page: what happened, what the reader can do, and how it looks."""

    heading: str | Promise
    lede: str | Promise
    icon: str = "alert-circle"
    tone: str = "bad"


PAGES: Mapping[str, Words] = {
    "400": Words(
        gettext_lazy("We could not read that request"),
        gettext_lazy(
            "Go back and try again. If it happens again, tell the platform team the number below."
        ),
    ),
    "403": Words(
        gettext_lazy("You may not do this here"),
        gettext_lazy(
            "Your role in this workspace does not include it. A workspace admin can change roles."
        ),
        icon="lock",
        tone="warn",
    ),
    "404": Words(
        gettext_lazy("Nothing here"),
        gettext_lazy("This page does not exist, or you are not a member of its workspace."),
        icon="search",
        tone="mute",
    ),
    "500": Words(
        gettext_lazy("Something broke on our side"),
        gettext_lazy(
            "Go back, your form is still filled in, and look whether it was saved before you send"
            " it again. If it happens again, tell the platform team the number below."
        ),
    ),
    "503": Words(
        gettext_lazy("The database does not answer"),
        gettext_lazy(
            "The database does not answer. Nothing you typed was saved; go back, your form is"
            " still filled in. Approved campaigns go on by themselves as soon as it is back."
        ),
        icon="database",
        tone="warn",
    ),
    "not_recorded": Words(
        gettext_lazy("This cannot be recorded now"),
        gettext_lazy(
            "What you tried has to be recorded, and neither the audit log nor this machine's"
            " fallback file can be written. Nothing was done; go back, your form is still filled"
            " in, and tell the platform team the number below."
        ),
        icon="database",
    ),
    "csrf": Words(
        gettext_lazy("Your form was too old to accept"),
        gettext_lazy(
            "You signed in or out in another tab, or this browser keeps no cookies. Go back, your"
            " form is still filled in: copy what is long, load the page anew and send it again."
        ),
        icon="clock-x",
        tone="warn",
    ),
}


def page(
    request: HttpRequest,
    status: int,
    sentence: str = "",
    *,
    words: str = "",
    typed: Sequence[tuple[str, str]] = (),
) -> HttpResponse:
    """Answer with an error page. It asks the database nothing. `words` is a key of PAGES; `typed`
    is what a form holds, to be sent again from here.
    """
    context = {
        "typed": typed,
        "request_id": getattr(request, "request_id", ""),
        "sentence": sentence,
        "words": PAGES[words or str(status)],
    }
    return render(request, "errors/page.html", context, status=status)


def is_away(error: BaseException | None) -> bool:
    """Whether 503 is the answer: the database cannot be reached, or what had to be recorded could
    be recorded nowhere.
    """
    return isinstance(error, NotRecorded) or is_connection_lost(error)


def database_down(request: HttpRequest, error: BaseException | None = None) -> HttpResponse:
    """Answer 503 without touching the database. What was tried is recorded in the fallback file."""
    is_recorded = not isinstance(error, NotRecorded)
    try:
        if is_recorded:
            note_outage(request)
    except NotRecorded:
        is_recorded = False
    request.me = None  # type: ignore[attr-defined]
    if is_api(request):
        response: HttpResponse = problem_answer(request, 503, *_API_AWAY[is_recorded])
    else:
        response = page(
            request, 503, words="" if is_recorded else "not_recorded", typed=typed_in(request)
        )
    response["Retry-After"] = "5"
    return response


def typed_in(request: HttpRequest) -> list[tuple[str, str]]:
    """Return what a form sent, to be sent again; without passwords, and not what came with a
    file, which cannot be given back.
    """
    if request.method != "POST" or request.content_type != FORM:
        return []
    return [
        (name, value)
        for name, values in request.POST.lists()
        if name != "csrfmiddlewaretoken" and "password" not in name
        for value in values
    ]


# Whether the attempt was recorded -> code and sentence.
_API_AWAY: Mapping[bool, tuple[str, str | Promise]] = {
    True: ("database_down", gettext_lazy("The database does not answer. Nothing was stored.")),
    False: (
        "not_recorded",
        gettext_lazy("What was tried can be recorded nowhere, so it was refused."),
    ),
}


def log_unexpected(request: HttpRequest) -> None:
    """Leave the trace in the log under the number that the page shows."""
    structlog.get_logger(__name__).error("server_error", path=request.path)
