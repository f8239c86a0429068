"""The API's ground."""

from typing import Any

import pytest

from tests.campaigns.api.care import Care, make_care
from workspaces.queries import keys as key_queries


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    """Nobody signs in here, so nobody needs a slow hash."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def desk(db: None) -> Care:
    """A workspace whose key may do everything."""
    key_queries.keys.cache_clear()
    return make_care()
