"""How the long-running commands live and end.

SIGTERM and SIGINT ask, the loop looks. A database that does not answer is tried again.
"""

import logging
import signal
import threading
from collections.abc import Callable
from typing import Any

import psycopg
from django.db import connection as django_connection
from django.db.utils import OperationalError

RETRY_SECONDS = 1.0


class Stop:
    """Whether somebody asked this process to stop. Made once, in the main thread."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    @property
    def is_asked(self) -> bool:
        """Say whether to stop now."""
        return self._asked.is_set()

    def wait(self, seconds: float) -> None:
        """Wait so long, or until asked."""
        self._asked.wait(seconds)

    def _ask(self, *_: Any) -> None:
        self._asked.set()


def keep_working(
    work: Callable[["psycopg.Connection[Any]"], None], stop: Stop, log: logging.Logger
) -> None:
    """Do the work on a fresh connection until asked to stop; connect again when it is lost."""
    while not stop.is_asked:
        try:
            work(connect())
        except (psycopg.OperationalError, psycopg.InterfaceError, OperationalError) as failure:
            log.warning("The database does not answer, trying again: %s", failure)
            stop.wait(RETRY_SECONDS)
        finally:
            django_connection.close()


def connect() -> "psycopg.Connection[Any]":
    """Return this process's connection, in autocommit."""
    django_connection.ensure_connection()
    connection: psycopg.Connection[Any] = django_connection.connection
    return connection
