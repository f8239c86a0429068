"""The desk's ground, and a wired site, each in a database of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.campaigns.sending.ground import Ground, ground
from tests.campaigns.sending.wire import Site, site
from tests.conftest import Database
from tests.processes import Processes
from workspaces.queries import keys as key_queries
from workspaces.scope import scope_everywhere


@pytest.fixture
def desk(database: Database) -> Iterator[Ground]:
    """A ground whose database commits; every workspace is in sight."""
    key_queries.keys.cache_clear()
    with scope_everywhere("the test looks at everything"):
        made = ground()
        yield made
        made.close()


@pytest.fixture
def wired(processes: Processes, tmp_path: Path) -> Iterator[Site]:
    """A site with a running simulator; the sender is started by the test, with a short lease."""
    key_queries.keys.cache_clear()
    processes.environment |= {"LEASE_SECONDS": "4", "LEASE_RENEW_SECONDS": "0.5"}
    with scope_everywhere("the test looks at everything"):
        made = site(tmp_path / "wire")
        yield made
        made.simulator.kill()
