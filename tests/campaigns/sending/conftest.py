"""The desk's ground, in a database of the test's own."""

from collections.abc import Iterator

import pytest

from tests.campaigns.sending.ground import Ground, ground
from tests.conftest import Database
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
