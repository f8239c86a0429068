"""A database that cannot be reached, said as what it is."""

from collections.abc import Callable

import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone

from audit.actions.fallback import fallback
from audit.actions.fallback_sweep import tell
from message_center.errors import database_down, is_away

log = structlog.get_logger(__name__)


class DatabaseDownMiddleware:
    """Answers 503 where a view loses the database; the error handler of views does it elsewhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        # Who called was found out: the database is there.
        if getattr(request, "me", None) is not None and fallback().memory.has_news:
            _tell()
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Catch it before it becomes an ordinary 500; None for every other exception."""
        if not is_away(error):
            return None
        log.exception("database_down", path=request.path)
        return database_down(request, error)


def _tell() -> None:
    """Tell what this process wrote while the database was away; later, if it still is."""
    try:
        tell(fallback(), timezone.now())
    except (DatabaseError, OSError) as failure:
        log.warning("audit_fallback_not_told", why=str(failure))
