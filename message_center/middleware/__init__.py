"""What stands around every request: its number, a database that may be down, the shell of pages."""

from message_center.middleware.database_down import DatabaseDownMiddleware
from message_center.middleware.navigation import NAV_COUNTS, Count
from message_center.middleware.not_found import NotFoundMiddleware
from message_center.middleware.request_id import RequestIdMiddleware
from message_center.middleware.shell import shell

__all__ = [
    "NAV_COUNTS",
    "Count",
    "DatabaseDownMiddleware",
    "NotFoundMiddleware",
    "RequestIdMiddleware",
    "shell",
]
