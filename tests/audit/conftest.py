"""The audit log of one test: empty, with a connection for each role.

All tests but those of processes share one clone, which is emptied before each: a clone of its own
for every test would cost a second each.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.audit.make import without_guards
from tests.conftest import Database, _two_connections
from tests.ground import Ground
from tests.poll import poll

EMPTY = """
TRUNCATE audit_event, audit_pending, audit_entry, audit_head, audit_epoch, audit_epoch_change,
         audit_anchor, audit_anchor_receipt, audit_log_key,
         audit_pruned, audit_private.audit_disclosure RESTART IDENTITY
"""

HELD = """
SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database
WHERE locktype = 'advisory' AND datname = current_database()
"""


@dataclass
class Log:
    """A database's audit log; roles are owner, app, sequencer, signer, exporter and superuser."""

    ground: Ground
    name: str
    opened: list["psycopg.Connection[Any]"] = field(default_factory=list)

    def connect(self, role: str) -> "psycopg.Connection[Any]":
        """Return a new connection in autocommit, closed after the test."""
        connection = psycopg.connect(self.ground.url(role, self.name), autocommit=True)
        self.opened.append(connection)
        return connection

    def empty(self) -> None:
        """Take out what the set-up wrote, so that slots and numbers are the test's own."""
        superuser = self.connect("superuser")
        # The server may not have noticed yet that the last test's sequencer is gone.
        poll(lambda: not superuser.execute(HELD).fetchone(), 30, "an old lock is held")
        with without_guards(superuser):
            superuser.execute(EMPTY)

    def close(self) -> None:
        for connection in self.opened:
            connection.close()
        self.opened.clear()


@pytest.fixture(scope="session")
def log_name(servers: Ground) -> Iterator[str]:
    """The clone that the tests share."""
    name = servers.fresh_clone()
    yield name
    servers.drop(name)


@pytest.fixture
def log(
    servers: Ground,
    log_name: str,
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[Log]:
    """An empty log; Django's connections lead to it as the runtime role."""
    log = Log(servers, log_name)
    log.empty()
    with django_db_blocker.unblock(), _two_connections(log_name):
        yield log
    log.close()


@pytest.fixture(scope="module")
def untouched(servers: Ground, log_name: str) -> Iterator[Log]:
    """The log for tests that only watch refusals and leave nothing behind."""
    log = Log(servers, log_name)
    yield log
    log.close()


@pytest.fixture
def own_log(database: Database) -> Iterator[Log]:
    """An empty log in a clone of its own, which the test's `processes` work on too."""
    log = Log(database.ground, database.name)
    log.empty()
    yield log
    log.close()


@pytest.fixture
def superuser(log: Log) -> "psycopg.Connection[Any]":
    return log.connect("superuser")


@pytest.fixture
def runtime(log: Log) -> "psycopg.Connection[Any]":
    return log.connect("app")
