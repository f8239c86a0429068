"""The one clock that the machines of an installation share."""

from datetime import datetime

from django.db import connection


def database_now() -> datetime:
    """Return the database's time: what several machines observe and compare is dated by it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
