"""The log of one test: the shared ground's clone, emptied, with a connection for each role."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.audit.make import without_guards
from tests.conftest import Database
from tests.ground import Ground


@dataclass
class Log:
    """One clone's audit log; roles are owner, app, sequencer, signer, exporter and superuser."""

    ground: Ground
    name: str
    folder: Path
    opened: list["psycopg.Connection[Any]"] = field(default_factory=list)

    def connect(self, role: str) -> "psycopg.Connection[Any]":
        """Return a new connection in autocommit, closed after the test."""
        connection = psycopg.connect(self.ground.url(role, self.name), autocommit=True)
        self.opened.append(connection)
        return connection

    def close(self) -> None:
        for connection in self.opened:
            connection.close()


EMPTY = """
TRUNCATE audit_event, audit_pending, audit_entry, audit_head, audit_epoch, audit_epoch_change,
         audit_private.audit_disclosure RESTART IDENTITY
"""


@contextmanager
def _closing(log: Log) -> Iterator[Log]:
    """Begin without the entries of the set-up, so that slots and numbers are the test's own."""
    superuser = log.connect("superuser")
    with without_guards(superuser):
        superuser.execute(EMPTY)
    try:
        yield log
    finally:
        log.close()


@pytest.fixture
def log(database: Database, tmp_path: Path) -> Iterator[Log]:
    """A fresh log; Django's connections lead to it as the runtime role."""
    with _closing(Log(database.ground, database.name, tmp_path)) as log:
        yield log


@pytest.fixture(scope="module")
def shared(servers: Ground, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    """One log for all tests of a module that only watch refusals and so leave nothing behind."""
    name = servers.fresh_clone()
    with _closing(Log(servers, name, tmp_path_factory.mktemp("shared"))) as log:
        yield log
    servers.drop(name)


@pytest.fixture
def superuser(log: Log) -> "psycopg.Connection[Any]":
    return log.connect("superuser")


@pytest.fixture
def runtime(log: Log) -> "psycopg.Connection[Any]":
    return log.connect("app")
