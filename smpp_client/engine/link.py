"""The sender's own connections to the database: psycopg without Django, one statement a
transaction.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.conf import settings
from psycopg.rows import tuple_row
from psycopg.types.json import set_json_loads

# A statement that takes longer than this is given up and tried again: the sender must never hang on
# a row.
STATEMENT_TIMEOUT_MS, LOCK_TIMEOUT_MS = 10_000, 5_000
_decode = json.JSONDecoder().decode


def connect(lock_timeout_ms: int = LOCK_TIMEOUT_MS) -> psycopg.Connection[tuple[Any, ...]]:
    """Open an autocommit connection of the runtime role that sees every workspace.

    A lock is waited for no longer than `lock_timeout_ms`. Raises psycopg.OperationalError.
    """
    database = settings.DATABASES["default"]
    link = psycopg.connect(
        dbname=database["NAME"],
        user=database["USER"],
        password=database["PASSWORD"],
        host=database["HOST"],
        port=database["PORT"],
        autocommit=True,
        row_factory=tuple_row,
        connect_timeout=5,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=10_000,
        application_name="message-center-sender",
        options=f"-c app.workspace=* -c app.workspace_uuid=* -c timezone=UTC"
        f" -c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={lock_timeout_ms}"
        # An intent or an outcome counts when it is on disk, whatever the server's default is.
        " -c synchronous_commit=on"
        " -c idle_in_transaction_session_timeout=2000 -c plan_cache_mode=force_generic_plan"
        # Plans are kept: one made while a table was empty would read it through when it is full.
        " -c enable_seqscan=off",
    )
    set_json_loads(_read_json, link)
    return link


def _read_json(text: str | bytes) -> Any:
    """Read what PostgreSQL wrote: half the time of what looks for the encoding first."""
    return _decode(text if isinstance(text, str) else text.decode())


class Link:
    """A connection that is opened when needed and thrown away when it breaks.

    Used by one thread at a time.
    """

    def __init__(self, lock_timeout_ms: int = LOCK_TIMEOUT_MS) -> None:
        self._lock_timeout_ms = lock_timeout_ms
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    @property
    def open(self) -> psycopg.Connection[tuple[Any, ...]]:
        """The live connection.

        Raises psycopg.OperationalError when the database cannot be reached.
        """
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._lock_timeout_ms)
        return self._connection

    def rows(
        self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows; a broken connection is dropped before the error
        goes on.
        """
        try:
            return self.open.execute(statement, values, prepare=True, binary=True).fetchall()
        except psycopg.errors.LockNotAvailable:
            raise
        except psycopg.OperationalError:
            self.close()
            raise

    def run(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> int:
        """Run one statement and return how many rows it touched."""
        try:
            return self.open.execute(statement, values, prepare=True).rowcount
        except psycopg.errors.LockNotAvailable:
            raise
        except psycopg.OperationalError:
            self.close()
            raise

    def close(self) -> None:
        """Throw the connection away."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
