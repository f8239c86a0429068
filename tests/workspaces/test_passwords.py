"""New passwords, changed by their owner or reset by a link."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session as DjangoSession
from django.test import Client

from tests.workspaces import make
from tests.workspaces.log import ops
from workspaces.actions.guesses import LockedOut
from workspaces.actions.passwords import (
    PasswordRefused,
    change_password,
    check_new_password,
    reset_password,
    take_link_turn,
)
from workspaces.models import Session, SignInFailure, User
from workspaces.queries.accounts import may_be_used
from workspaces.queries.me import Me

NOW = make.NOW
NEW = "another sentence of mine"

pytestmark = pytest.mark.django_db


@pytest.fixture
def dora(db: None) -> Me:
    return make.me(make.user("Dora", email="dora@example.com", password=make.PASSWORD))


def change(by: Me, old: str = make.PASSWORD, new: str = NEW) -> User:
    return change_password(by=by, old=old, new=new, address="192.0.2.7", now=NOW)


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("elevenchars", "at least 12 characters"),
        ("1234567890123", "too common"),
        ("password1234", "too common"),
        ("dora@example.com", "too similar"),
    ],
)
def test_a_weak_password_is_refused_with_the_reason(password: str, words: str) -> None:
    with pytest.raises(PasswordRefused, match=words) as refused:
        check_new_password(password, User(email="dora@example.com"))
    assert refused.value.field == "password"


def test_a_password_may_be_a_long_sentence_in_any_script() -> None:
    check_new_password("тўққиз ёруғ кун 🌞 va bir tun", User(email="dora@example.com"))


def test_the_owner_changes_the_password(dora: Me) -> None:
    assert change(dora).check_password(NEW)
    assert ops()[-1][:2] == ("user.password_change", f"usr_{dora.user.pk}")


def test_the_old_password_is_asked_and_guessing_it_locks(dora: Me) -> None:
    for _ in range(4):
        with pytest.raises(PasswordRefused, match="not your password now") as refused:
            change(dora, old="not this one")
        assert refused.value.field == "old"
    with pytest.raises(LockedOut):
        change(dora, old="not this one")
    with pytest.raises(LockedOut):
        change(dora)


def test_other_sessions_end_with_the_change_and_this_one_stays(dora: Me) -> None:
    here, elsewhere = Client(), Client()
    mine = make.sign_in(here, dora.user)
    make.sign_in(elsewhere, dora.user)
    change(Me(dora.user, session_id=mine))
    assert [row.public_id for row in Session.objects.filter(user=dora.user)] == [mine]
    assert not DjangoSession.objects.filter(session_key=elsewhere.session.session_key).exists()


def test_a_change_that_another_one_overtook_is_refused(dora: Me) -> None:
    stale = Me(User.objects.get(pk=dora.user.pk))
    change(dora)
    with pytest.raises(PasswordRefused, match="changed meanwhile"):
        change(stale, new="a third sentence of mine")


def test_a_reset_ends_every_session_and_the_lock(dora: Me) -> None:
    make.sign_in(Client(), dora.user)
    SignInFailure.objects.create(account="dora@example.com", address="192.0.2.7", failed_at=NOW)
    reset_password(user=dora.user, new=NEW, now=NOW)
    assert not Session.objects.filter(user=dora.user).exists()
    assert not SignInFailure.objects.exists()
    assert User.objects.get(pk=dora.user.pk).check_password(NEW)
    assert ops()[-1][0] == "user.password_reset"


def test_a_disabled_account_gets_no_link(dora: Me) -> None:
    assert may_be_used(dora.user)
    dora.user.is_active = False
    assert not may_be_used(dora.user)


def test_a_demo_account_gets_no_link_outside_the_demo(dora: Me, settings: Any) -> None:
    dora.user.is_demo = True
    settings.DEBUG = False
    assert not may_be_used(dora.user)


def test_a_second_link_waits_two_minutes(dora: Me) -> None:
    assert take_link_turn(dora.user.pk, NOW)
    assert not take_link_turn(dora.user.pk, NOW + timedelta(seconds=110))
    assert take_link_turn(dora.user.pk, NOW + timedelta(seconds=121))
