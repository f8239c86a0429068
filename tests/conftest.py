"""Fixtures: databases, the product's processes, and a browser.

`db`          rolled back; for pages, questions and verbs seen from one connection
`database`    a fresh clone for one test; for what commits, and for several connections
`processes`   the product's own processes over such a clone
`served`      the web process over one clone for a whole file
`page`        a Chromium page that fails the test on console errors and policy violations
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from tests.browsing import Faults, Parked, clear, find_chromium, launch
from tests.ground import SHARED, Ground
from tests.processes import Handle, Processes
from workspaces.queries import keys as key_queries

# A busy machine is no fault of the page.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)
# Every test client has a chain of middleware of its own, which would read each static file anew.
settings.WHITENOISE_AUTOREFRESH = True


@dataclass(frozen=True)
class Database:
    """One test's own database."""

    name: str
    ground: Ground

    def url(self, role: str = "app") -> str:
        """Return the URL of owner, app, sequencer, signer, exporter or superuser."""
        return self.ground.url(role, self.name)


def _point_to(name: str) -> None:
    for alias in ("default", "denied"):
        connections[alias].close()
        connections.settings[alias]["NAME"] = name


@pytest.fixture(scope="session")
def django_db_setup(
    servers: Ground, django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Instead of pytest-django's: nothing is created or flushed, `db` works in one shared clone.

    Both aliases are one connection here, so that a test sees what was written through `denied`
    although its own transaction is never committed.
    """
    with django_db_blocker.unblock(), _one_connection():
        yield


@contextmanager
def _one_connection() -> Iterator[None]:
    apart = connections["denied"]
    connections["denied"] = connections["default"]
    try:
        yield
    finally:
        connections["default"].close()
        connections["denied"] = apart


@pytest.fixture
def database(
    servers: Ground, django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Database]:
    """A fresh clone of the migrated template; both connections of Django point at it."""
    with django_db_blocker.unblock(), _fresh(servers) as fresh:
        yield fresh


@contextmanager
def _fresh(ground: Ground) -> Iterator[Database]:
    name = ground.fresh_clone()
    with _two_connections(name):
        yield Database(name, ground)
    ground.drop(name)


@contextmanager
def _two_connections(name: str) -> Iterator[None]:
    """Give each alias its own connection to this database, and put everything back at the end."""
    before = connections["denied"]
    connections["denied"] = connections.create_connection("denied")
    _point_to(name)
    try:
        yield
    finally:
        _point_to(SHARED)
        connections["denied"] = before


@pytest.fixture
def processes(database: Database, tmp_path: Path) -> Iterator[Processes]:
    """Starts the product's processes over this test's database; all are killed at the end."""
    with _running(database, tmp_path / "data") as running:
        yield running


@pytest.fixture(scope="module")
def served(
    servers: Ground,
    browser: Browser,
    django_test_environment: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Handle]:
    """The web process over one clone for a whole file, whose tests each make their own workspace.

    To start the process costs more than most of what such a test does. It comes after the browser
    and goes before it: beside Playwright's loop Django's connections are other ones than without.
    """
    with (
        django_db_blocker.unblock(),
        _fresh(servers) as fresh,
        _running(fresh, tmp_path_factory.mktemp("served") / "data") as running,
    ):
        key_queries.keys.cache_clear()
        yield running.start("web")


@contextmanager
def _running(database: Database, folder: Path) -> Iterator[Processes]:
    with redis.Redis.from_url(database.ground.valkey.url) as client:
        client.flushall()
    running = Processes(database.ground, database.name, folder)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def parked() -> Iterator[Parked]:
    """One Chromium for a worker, with nobody at its wheel."""
    assert find_chromium(), "No Chromium: run python -m tests.needs, or name one with CHROMIUM=."
    with sync_playwright() as playwright:
        chromium = Parked(launch(playwright), asyncio.get_running_loop())
        chromium.leave()
        yield chromium
        chromium.take().close()


@pytest.fixture(scope="module")
def browser(parked: Parked) -> Iterator[Browser]:
    """The Chromium, for a file: while Playwright is at work, no other event loop can run.

    Its synchronous calls run inside a loop, in which Django would refuse the file's own queries.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        chromium = parked.take()
        yield chromium
        for context in chromium.contexts:
            context.close()
        parked.leave()


@pytest.fixture
def faults() -> Faults:
    """What went wrong on this test's page; `faults.expect(words)` takes out what is meant."""
    return Faults()


@pytest.fixture(scope="module")
def visits(browser: Browser) -> Iterator[BrowserContext]:
    """What the tests of a file share, so that scripts and styles are compiled only once. A context
    for each test cost more than most of what a test does.
    """
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    context.new_page()
    yield context
    context.close()


@pytest.fixture
def page(visits: BrowserContext, faults: Faults) -> Iterator[Page]:
    """A page without cookies. The test fails when the page breaks or breaks its policy."""
    opened = visits.pages[0]
    faults.watch(opened)
    yield opened
    # What is under way when the page is left is broken off, and says so.
    faults.leave(opened)
    for one in visits.pages[1:]:
        one.close()
    clear(opened)
    assert faults.seen == []
