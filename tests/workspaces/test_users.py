"""Accounts as the platform team keeps them."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session as DjangoSession
from django.test import Client

from tests.workspaces import make
from tests.workspaces.log import ops
from workspaces.actions.users import (
    UserRefused,
    change_super_admin,
    create_user,
    disable_user,
    enable_user,
)
from workspaces.models import ApiKey, Session, User
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

NOW = make.NOW + timedelta(hours=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(db: None) -> Me:
    return make.me(make.user("Root", is_super_admin=True))


def test_a_new_account_has_no_password_that_anybody_knows() -> None:
    user = create_user(email="a@example.com", name=" Ann  Lee ", by_actor=make.SETUP, now=NOW)
    assert not user.has_usable_password()
    assert user.name == "Ann Lee"
    assert ops()[-1][:2] == ("user.create", f"usr_{user.pk}")


def test_an_address_is_taken_whatever_its_case() -> None:
    make.user(email="ann@example.com")
    with pytest.raises(UserRefused, match="There is an account") as refused:
        create_user(email="Ann@Example.com", name="Ann", by_actor=make.SETUP, now=NOW)
    assert refused.value.field == "email"


@pytest.mark.parametrize("email", ["", "ann", "ann@", "ann@example.com\nBcc: all@example.com"])
def test_an_address_that_is_none_is_refused(email: str) -> None:
    with pytest.raises(UserRefused, match="Enter an e-mail address"):
        create_user(email=email, name="Ann", by_actor=make.SETUP, now=NOW)


def test_disabling_ends_sessions_and_keys_for_good(root: Me) -> None:
    care = make.workspace("care")
    author = make.me_in(care, Role.AUTHOR)
    client = Client()
    make.sign_in(client, author.user)
    key = make.key(care, author).key
    disable_user(user_id=author.user.pk, by=root, why="Left the company", now=NOW)
    enable_user(user_id=author.user.pk, by=root, now=NOW)
    assert not Session.objects.filter(user=author.user).exists()
    assert not DjangoSession.objects.filter(session_key=client.session.session_key).exists()
    with scope(care):
        assert ApiKey.objects.get(pk=key.pk).revoked_at == NOW
    assert ops(care)[-1][:2] == ("key.revoke", f"key_{key.pk}")
    assert [op for op, _obj, _diff in ops()][-2:] == ["user.disable", "user.enable"]


def test_disabling_asks_for_a_reason(root: Me) -> None:
    with pytest.raises(UserRefused, match="Say why") as refused:
        disable_user(user_id=make.user().pk, by=root, why=" ", now=NOW)
    assert refused.value.field == "why"


def test_nobody_disables_himself(root: Me) -> None:
    make.user("Other root", is_super_admin=True)
    with pytest.raises(UserRefused, match="Nobody changes his own standing"):
        disable_user(user_id=root.user.pk, by=root, why="Holiday", now=NOW)


def test_a_super_admin_makes_somebody_else_one(root: Me) -> None:
    ann = make.user("Ann")
    change_super_admin(user_id=ann.pk, is_super_admin=True, by=root, why="New colleague", now=NOW)
    assert User.objects.get(pk=ann.pk).is_super_admin
    assert ops()[-1] == ("role.grant", f"usr_{ann.pk}", {"is_super_admin": [False, True]})


def test_nobody_makes_his_other_account_super_admin(root: Me) -> None:
    second = make.user("Second", person=root.user.person)
    with pytest.raises(UserRefused, match="Nobody changes his own standing"):
        change_super_admin(user_id=second.pk, is_super_admin=True, by=root, why="Me", now=NOW)


def test_at_least_one_super_admin_stays(root: Me) -> None:
    last = make.user("Last", is_super_admin=True)
    User.objects.filter(pk=root.user.pk).update(is_super_admin=False)
    with pytest.raises(UserRefused, match="at least one super admin"):
        change_super_admin(user_id=last.pk, is_super_admin=False, by=root, why="Left", now=NOW)
    with pytest.raises(UserRefused, match="at least one super admin"):
        disable_user(user_id=last.pk, by=root, why="Left", now=NOW)


def test_a_change_that_happened_already_is_not_made_again(root: Me) -> None:
    ann = make.user("Ann", is_super_admin=True)
    with pytest.raises(UserRefused, match="meanwhile"):
        change_super_admin(user_id=ann.pk, is_super_admin=True, by=root, why="Again", now=NOW)
