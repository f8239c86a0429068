"""A database that cannot be reached, said as what it is."""

from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from message_center.errors import database_down, is_connection_lost


class DatabaseDownMiddleware:
    """Answers 503 where a view loses the database; the error handler of views does it elsewhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Catch it before it becomes an ordinary 500; None for every other exception."""
        if not is_connection_lost(error):
            return None
        structlog.get_logger(__name__).exception("database_down", path=request.path)
        return database_down(request)
