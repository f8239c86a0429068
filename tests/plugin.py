"""Loaded by pytest before pytest-django sets Django up: fixes the environment it will read.

Under pytest-xdist each worker loads it and has its own servers; the controller runs no test, so it
starts none.
"""

import os

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from tests.ground import Ground, make_ground

GROUND = pytest.StashKey[Ground]()
# Seconds of the files that take long, as measured on a busy machine. They go first, so that no
# worker is left with a long one at the end.
SECONDS: dict[str, int] = {
    "tests/campaigns/sending/test_faults.py": 208,
    "tests/campaigns/sending/test_pace.py": 191,
    "tests/workspaces/test_in_browser.py": 189,
    "tests/campaigns/test_lists_in_browser.py": 135,
    "tests/stack/test_demo.py": 100,
    "tests/smpp_client/test_connections_in_browser.py": 87,
    "tests/stack/test_setup_database.py": 75,
    "tests/campaigns/test_senders_in_browser.py": 70,
    "tests/campaigns/test_import_processes.py": 64,
    "tests/workspaces/test_doors.py": 62,
    "tests/stack/test_compose.py": 51,
    "tests/stack/test_postgres.py": 49,
    "tests/campaigns/api/test_document.py": 48,
    "tests/test_doors.py": 45,
}


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Choose this run's servers; they start when the first test needs them."""
    ground = make_ground()
    early_config.stash[GROUND] = ground
    for name in [name for name in os.environ if name.endswith(("_URL", "_URL_FILE"))]:
        del os.environ[name]
    kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    os.environ.update(ground.environment() | kept)
    # Playwright's synchronous calls run inside an event loop, in which Django would refuse to
    # query.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    _hash_quickly()


def _hash_quickly() -> None:
    """Let this process hash with Argon2's least cost; the product's processes keep theirs, and
    verify what was hashed here, for a hash carries its cost.
    """
    Argon2PasswordHasher.time_cost = 1
    Argon2PasswordHasher.memory_cost = 8
    Argon2PasswordHasher.parallelism = 1


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers, whatever happened."""
    if GROUND in config.stash:
        config.stash[GROUND].stop()


@pytest.hookimpl
def pytest_itemcollected(item: pytest.Item) -> None:
    """Let every test of the `db` fixture use both connections; refuse the kind that flushes."""
    marker = item.get_closest_marker("django_db")
    if marker is not None and marker.kwargs.get("transaction"):
        raise pytest.UsageError(
            f"{item.nodeid}: a test that commits takes the `database` fixture; nothing is flushed."
        )
    if marker is None and "db" not in getattr(item, "fixturenames", ()):
        return
    if marker is None or "databases" not in marker.kwargs:
        item.add_marker(pytest.mark.django_db(databases=["default", "denied"]), append=False)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the order of the others stays."""
    items.sort(key=lambda item: -SECONDS.get(item.nodeid.split("::")[0], 0))


@pytest.fixture(scope="session")
def ground(pytestconfig: pytest.Config) -> Ground:
    """This run's servers, not started yet."""
    return pytestconfig.stash[GROUND]


@pytest.fixture(scope="session")
def servers(ground: Ground) -> Ground:
    """PostgreSQL with the migrated template, and Valkey, both running."""
    ground.start()
    return ground
