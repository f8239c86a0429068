"""A workspace whose messages are sent, sealed, numbered and signed.

All tests share one clone, in which what the test before sealed is taken away: a clone of its own
for each would cost more than the test.
"""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.plugin import DjangoDbBlocker

from audit.actions.record import open_chain
from tests.audit.conftest import Log
from tests.campaigns.evidence.ground import SECRET, Sealed, sealed_ground
from tests.conftest import Database, _two_connections
from tests.ground import Ground
from workspaces.queries import keys as key_queries
from workspaces.queries.access import installation_uuid


@pytest.fixture(scope="session")
def sealed_name(servers: Ground) -> Iterator[str]:
    """The clone that the tests share."""
    name = servers.fresh_clone()
    yield name
    servers.drop(name)


@pytest.fixture
def sealed(
    servers: Ground,
    sealed_name: str,
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path: Path,
    settings: Settings,
) -> Iterator[Sealed]:
    """The ground of a new workspace; nothing is in scope outside of its own functions."""
    _set(settings, tmp_path)
    database = Database(sealed_name, servers)
    with psycopg.connect(database.url("superuser"), autocommit=True) as superuser:
        superuser.execute("TRUNCATE message_segment, sealing, submission")
    with django_db_blocker.unblock(), _two_connections(sealed_name):
        made = sealed_ground(database)
        yield made
        made.close()


@pytest.fixture
def long_ago(database: Database, tmp_path: Path, settings: Settings) -> Iterator[Sealed]:
    """The same in a database of its own, whose first entries may be as old as the test likes."""
    _set(settings, tmp_path)
    # What the set-up numbered is of today, and time in the log never goes back.
    log = Log(database.ground, database.name)
    log.empty()
    log.close()
    open_chain(installation_uuid(), now=timezone.now())
    made = sealed_ground(database)
    yield made
    made.close()


def _set(settings: Settings, folder: Path) -> None:
    key_queries.keys.cache_clear()
    settings.AUDIT_NONCE_FILE = folder / "secret"
    settings.AUDIT_NONCE_FILE.write_bytes(SECRET)
    settings.DATA_DIR = folder / "data"
