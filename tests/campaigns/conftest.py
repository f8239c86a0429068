"""An author inside his workspace, and a route that he may use."""

from collections.abc import Iterator

import pytest

from smpp_client.models import Route
from tests import make
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope


@pytest.fixture
def author(db: None) -> Iterator[Me]:
    """An author, inside his workspace."""
    place = make.workspace()
    with scope(place):
        yield make.person_in(place, Role.AUTHOR)


@pytest.fixture
def route(author: Me) -> Route:
    """A route that the workspace may use."""
    return make.route(author.here, make.connection())
