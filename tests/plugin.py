"""Loaded by pytest before pytest-django sets Django up: fixes the environment it will read.

Under pytest-xdist each worker loads it and has its own servers; the controller runs no test, so it
starts none.
"""

import gc
import os
from collections.abc import Generator, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from hypothesis import HealthCheck, settings

from tests.ground import Ground, make_ground
from tests.poll import TooLate

SLOW = (HealthCheck.too_slow,)
GROUND = pytest.StashKey[Ground]()
# The files that take longest begin, so that no worker is left with one of them at the end.
FIRST = (
    "tests/campaigns/test_journey.py",
    "tests/campaigns/test_import_processes.py",
    "tests/audit/fallback/test_database_away.py",
    "tests/campaigns/test_starts.py",
    "tests/test_doors.py",
    "tests/workspaces/test_in_browser.py",
    "tests/campaigns/test_wizard_browser.py",
    "tests/test_pages_in_browser.py",
    "tests/campaigns/test_senders_in_browser.py",
    "tests/campaigns/test_lists_in_browser.py",
    "tests/smpp_client/test_connections_in_browser.py",
    "tests/stack/test_compose.py",
    "tests/workspaces/test_doors.py",
    "tests/smpp_client/test_reports_in_browser.py",
    "tests/campaigns/test_replies_in_browser.py",
    "tests/campaigns/sending/test_sender.py",
    "tests/stack/test_postgres.py",
)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Choose this run's servers; they start when the first test needs them."""
    ground = make_ground()
    early_config.stash[GROUND] = ground
    for name in [name for name in os.environ if name.endswith(("_URL", "_URL_FILE"))]:
        del os.environ[name]
    kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    os.environ.update(ground.environment() | kept)
    _hash_quickly()
    # How fast a machine is says nothing about what an example shows.
    settings.register_profile("any-machine", deadline=None, suppress_health_check=SLOW)
    settings.load_profile("any-machine")


def _hash_quickly() -> None:
    """Let this process hash with Argon2's least cost; the product's processes keep theirs, and
    verify what was hashed here, for a hash carries its cost.
    """
    Argon2PasswordHasher.time_cost = 1
    Argon2PasswordHasher.memory_cost = 8
    Argon2PasswordHasher.parallelism = 1


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --late: who runs the suite may try once more what only a busy machine has upset."""
    parser.addoption("--late", type=Path, help="made when all that failed only came too late")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """Note in the report, which a worker sends to the controller, that a test was only late."""
    outcome = yield
    if call.excinfo is not None and is_late(call.excinfo.value):
        outcome.get_result().user_properties.append(("is_late", True))


def is_late(error: BaseException) -> bool:
    """Whether a failure is a matter of time: what was polled for, or the test's own time limit."""
    is_limit = isinstance(error, pytest.fail.Exception) and str(error).startswith("Timeout (>")
    return isinstance(error, TooLate) or is_limit


def are_late(failed: Sequence[Any]) -> bool:
    """Whether there are reports of failures, and each is of one that was only late."""
    noted = [dict(getattr(report, "user_properties", ())) for report in failed]
    return bool(noted) and all("is_late" in one for one in noted)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Make the file of --late."""
    file: Path | None = config.getoption("--late")
    stats = terminalreporter.stats
    if file is not None and are_late(stats.get("failed", []) + stats.get("error", [])):
        file.touch()


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


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Let each worker begin elsewhere, so that it finds compiled what the others began with.

    In a new checkout all of them would else compile, and rewrite the assertions of, every file.
    """
    gc.disable()  # Django's set-up turned it on
    told = getattr(session.config, "workerinput", None)
    if told is None or session.config.args != session.config.getini("testpaths"):
        return
    tests = Path(__file__).parent
    files = sorted(file for file in tests.rglob("test_*.py") if "chaos" not in file.parts)
    first = len(files) * int(told["workerid"].removeprefix("gw")) // told["workercount"]
    for file in files[first:] + files[:first]:
        # What cannot be imported is told when it is collected.
        with suppress(Exception):
            import_module(".".join(file.relative_to(tests.parent).with_suffix("").parts))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that begin first; the order of the others stays."""
    place = {name: number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: place.get(item.nodeid.split("::")[0], len(FIRST)))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Spare the collector what is there from now on: it would walk over all of it again and again.

    Tests make few cycles, and six thousand of them fit beside each other.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    gc.enable()


@pytest.fixture(scope="session")
def ground(pytestconfig: pytest.Config) -> Ground:
    """This run's servers, not started yet."""
    return pytestconfig.stash[GROUND]


@pytest.fixture(scope="session")
def servers(ground: Ground) -> Ground:
    """PostgreSQL with the migrated template, and Valkey, both running."""
    ground.start()
    return ground
