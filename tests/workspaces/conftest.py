"""A workspace with somebody who runs it."""

import pytest

from tests.workspaces import make
from workspaces.models import Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role


@pytest.fixture
def care(db: None) -> Workspace:
    """The workspace `care`."""
    return make.workspace("care")


@pytest.fixture
def admin(care: Workspace) -> Me:
    """One of its admins."""
    return make.me_in(care, Role.ADMIN)
