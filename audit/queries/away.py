"""Whether the database is away, which is another thing than a statement that it refuses."""

from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    NotSupportedError,
    OperationalError,
)

# SQLSTATEs with which PostgreSQL sends callers away; without one, the connection itself broke.
GONE = {None, "08000", "08001", "08003", "08004", "08006", "53300", "57P01", "57P02", "57P03"}


def is_connection_lost(error: BaseException | None) -> bool:
    """Whether the database cannot be reached, unlike a statement that it refused or cut short."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return getattr(error.__cause__, "sqlstate", None) in GONE


def cannot_record(error: DatabaseError) -> bool:
    """Whether the log cannot be written now although the event is a good one: the database is away,
    full, read only after a failover, or does not let us.
    """
    return not isinstance(error, IntegrityError | DataError | NotSupportedError)
