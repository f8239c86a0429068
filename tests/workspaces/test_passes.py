"""Passes for the time without a database: who gets one, and how long it opens anything."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.workspaces import make
from workspaces.actions.passes import keep_passes
from workspaces.models import Session, User
from workspaces.queries.passes import has_pass, session_mark
from workspaces.rules.permissions import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def place(settings: Any, tmp_path: Path) -> Any:
    """The settings, with a folder of this test's for the list."""
    settings.DATA_DIR = tmp_path
    return settings


def opens(who: User) -> bool:
    """Whether the account's session has a pass now."""
    return has_pass(session_mark(Session.objects.get(user=who).key), timezone.now())


def test_a_super_admins_session_and_key_get_a_pass_each(place: Any) -> None:
    root = make.user(is_super_admin=True)
    make.signed_in(root)
    where = make.workspace()
    make.key(where, make.me(root, where, Role.SUPER_ADMIN), "diagnostics.see")
    assert keep_passes(timezone.now()) == 2
    assert opens(root)


def test_a_pass_is_over_with_its_session(place: Any) -> None:
    root = make.user(is_super_admin=True)
    make.signed_in(root)
    keep_passes(timezone.now())
    mark = session_mark(Session.objects.get(user=root).key)
    assert not has_pass(mark, timezone.now() + timedelta(hours=1))


def test_a_demo_account_gets_no_pass_once_debug_is_off(place: Any) -> None:
    demo = make.user(is_super_admin=True, is_demo=True)
    make.signed_in(demo)
    place.DEBUG = True
    assert keep_passes(timezone.now()) == 1
    place.DEBUG = False
    assert keep_passes(timezone.now()) == 0
    assert not opens(demo)


def test_a_pass_from_the_demo_opens_nothing_once_debug_is_off(place: Any) -> None:
    demo = make.user(is_super_admin=True, is_demo=True)
    make.signed_in(demo)
    place.DEBUG = True
    keep_passes(timezone.now())
    assert opens(demo)
    place.DEBUG = False
    assert not opens(demo)
