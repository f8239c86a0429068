"""Keys over the platform: made by super admins only, and alive as long as they are."""

import pytest
from django.test import Client

from tests.workspaces import make
from workspaces.actions.keys import KeyRefused, NewKey
from workspaces.models import User, Workspace
from workspaces.rules.permissions import Role

pytestmark = pytest.mark.django_db
DIAGNOSTICS = "/api/v1/diagnostics"
SCOPE = "diagnostics.see"


@pytest.fixture
def care() -> Workspace:
    return make.workspace("care")


@pytest.fixture
def root(care: Workspace) -> User:
    """A super admin who acts in the workspace without being a member."""
    root = make.user(is_super_admin=True)
    make.visit(care, root)
    return root


def made(care: Workspace, root: User, *scopes: str) -> NewKey:
    return make.key(care, make.me(root, care, Role.SUPER_ADMIN), *scopes)


def status(key: NewKey, path: str = DIAGNOSTICS) -> int:
    return Client().get(path, headers={"Authorization": f"Bearer {key.token}"}).status_code


def test_a_super_admins_key_reads_diagnostics_without_a_membership(
    care: Workspace, root: User
) -> None:
    assert status(made(care, root, SCOPE)) == 200


def test_an_admin_can_make_no_such_key(care: Workspace) -> None:
    with pytest.raises(KeyRefused, match="cannot do more than you may do yourself"):
        make.key(care, make.me_in(care, Role.ADMIN), SCOPE)


def test_it_opens_nothing_else_to_who_is_no_member(care: Workspace, root: User) -> None:
    key = made(care, root, SCOPE, "campaign.see")
    assert (status(key), status(key, "/api/v1/campaigns")) == (200, 403)


def test_it_dies_with_the_super_admin(care: Workspace, root: User) -> None:
    key = made(care, root, SCOPE)
    User.objects.filter(pk=root.pk).update(is_super_admin=False)
    assert status(key) == 401


def test_a_member_who_was_super_admin_keeps_the_rest_of_his_key(care: Workspace) -> None:
    root = make.user(is_super_admin=True)
    make.member(care, Role.ADMIN, root)
    key = made(care, root, SCOPE, "campaign.see")
    User.objects.filter(pk=root.pk).update(is_super_admin=False)
    assert (status(key), status(key, "/api/v1/campaigns")) == (403, 200)


@pytest.mark.parametrize("is_root", [True, False])
def test_only_a_super_admin_is_offered_it(care: Workspace, root: User, *, is_root: bool) -> None:
    client = make.signed_in(root if is_root else make.member(care, Role.ADMIN))
    page = client.get("/w/care/keys/new/").content.decode()
    assert (f'value="{SCOPE}"' in page) is is_root
