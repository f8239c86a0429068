"""The exporter's own connection: a role that only reads, and one moment of the whole log."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from audit.queries.chains import Connection, see_everything

# Entries are joined with their events in order of number, a million without a sort; personal values
# are sorted, some hundred thousand of them in memory.
_PLAN = (
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;"
    " SET LOCAL jit = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;"
    " SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL work_mem = '64MB'"
)
_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


def connect(url: str) -> "psycopg.Connection[Any]":
    """Return a new connection in autocommit that sees every chain (heads need all of them)."""
    connection = psycopg.connect(
        url, autocommit=True, connect_timeout=5, application_name="message-center-exporter"
    )
    see_everything(connection)
    return connection


@contextmanager
def moment(connection: Connection, of: str = "") -> Iterator[str]:
    """Read as of one moment inside, and return its name; `of` names another connection's."""
    with connection.transaction():
        connection.execute(_MOMENT)
        if of:
            # A name that the server made; SET takes no parameters.
            connection.execute(f"SET TRANSACTION SNAPSHOT '{of}'")
        connection.execute(_PLAN)
        found = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert found is not None
        yield str(found[0])
