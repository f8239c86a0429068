"""Error pages. Every one works without the database."""

import sys

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from message_center.errors import (
    database_down,
    is_api,
    is_away,
    log_unexpected,
    page,
    problem_answer,
)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    if is_api(request):
        return problem_answer(request, 400, "bad_request", _("The request cannot be read."))
    return page(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: a member without the permission."""
    if is_api(request):
        return problem_answer(request, 403, "forbidden", _("This key may not do this."))
    return page(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: for what does not exist, and for strangers; nobody can tell the two apart."""
    if is_api(request):
        return problem_answer(request, 404, "not_found", _("There is no such thing here."))
    request.me = None  # type: ignore[attr-defined]
    return page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, with the number under which the log has the rest; 503 for a database that is away.

    Django calls this while it handles the exception, which may come from any middleware.
    """
    error = sys.exc_info()[1]
    if is_away(error):
        return database_down(request, error)
    log_unexpected(request)
    if is_api(request):
        return problem_answer(request, 500, "server_error", _("Something broke on our side."))
    request.me = None  # type: ignore[attr-defined]
    return page(request, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form without a valid token; says what to do, and nothing about why."""
    request.me = None  # type: ignore[attr-defined]
    return page(request, 403, words="csrf")
