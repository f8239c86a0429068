"""Forgotten, changed, reset: the pages around passwords."""

import re
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.core import mail
from django.test import Client

from tests.workspaces import make
from workspaces.actions.mail import password_link
from workspaces.models import Session, User
from workspaces.tasks.links import send_password_link

pytestmark = pytest.mark.django_db

NEW = {"password": "another sentence of mine", "again": "another sentence of mine"}


@pytest.fixture
def dora(db: None) -> User:
    return make.user("Dora", email="dora@example.com", password=make.PASSWORD)


def path_of(user: User) -> str:
    return password_link(user).removeprefix(django_settings.PUBLIC_URL)


def opened(user: User) -> tuple[Client, str]:
    """A browser that has followed the link, and the address where it came out."""
    client = Client()
    answer = client.get(path_of(user))
    return client, answer["Location"]


# --- asking for a link ----------------------------------------------------------------------------


def test_the_answer_is_the_same_for_every_address(dora: User) -> None:
    known = Client().post("/sign-in/forgotten/", {"email": "dora@example.com"})
    unknown = Client().post("/sign-in/forgotten/", {"email": "nobody@example.com"})
    assert known["Location"] == unknown["Location"] == "/sign-in/forgotten/sent/"
    assert mail.outbox == []


def test_the_task_knows_an_account_and_never_an_address(dora: User) -> None:
    with redis.Redis.from_url(django_settings.REDIS_URL) as client:
        client.flushall()
        Client().post("/sign-in/forgotten/", {"email": "dora@example.com"})
        Client().post("/sign-in/forgotten/", {"email": "nobody@example.com"})
        messages = client.lrange("work", 0, -1)
    assert len(messages) == 2
    assert not any(b"example.com" in message for message in messages)


def test_the_link_arrives_and_opens_the_page(dora: User, settings: Any) -> None:
    settings.PUBLIC_URL = "https://center.example/"
    send_password_link(dora.pk)
    (letter,) = mail.outbox
    assert letter.to == ["dora@example.com"]
    assert letter.subject == "Set a new password for the Message Center"
    found = re.search(r"https://center\.example(/\S+)", str(letter.body))
    assert found is not None
    assert Client().get(found.group(1)).status_code == 302


def test_a_second_link_waits_so_that_nobody_floods_a_mailbox(dora: User) -> None:
    send_password_link(dora.pk)
    send_password_link(dora.pk)
    assert len(mail.outbox) == 1


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_demo": True}])
def test_disabled_and_demo_accounts_get_no_link(dora: User, change: dict[str, bool]) -> None:
    User.objects.filter(pk=dora.pk).update(**change)
    send_password_link(dora.pk)
    send_password_link(0)
    assert mail.outbox == []


# --- the page behind the link ---------------------------------------------------------------------


def test_the_token_leaves_the_address_at_once(dora: User) -> None:
    client, address = opened(dora)
    assert address.endswith("/new/")
    page = client.get(address)
    assert page.status_code == 200
    assert path_of(dora).split("/")[-2] not in page.content.decode()


def test_a_reset_sets_the_password_and_ends_every_session(dora: User) -> None:
    elsewhere = make.signed_in(dora)
    client, address = opened(dora)
    assert client.post(address, NEW)["Location"] == "/sign-in/"
    assert elsewhere.get("/me/").status_code == 302
    assert not Session.objects.filter(user=dora).exists()
    again = {"email": "dora@example.com", "password": NEW["password"]}
    assert Client().post("/sign-in/", again).status_code == 302


def test_a_link_works_once(dora: User) -> None:
    link = path_of(dora)
    client, address = opened(dora)
    client.post(address, NEW)
    assert Client().get(link).status_code == 410


def test_a_link_dies_after_an_hour(dora: User, settings: Any) -> None:
    link = path_of(dora)
    settings.PASSWORD_RESET_TIMEOUT = -1
    answer = Client().get(link)
    assert answer.status_code == 410
    assert "does not work any more" in answer.content.decode()


def test_a_link_of_one_account_opens_no_other(dora: User) -> None:
    ann = make.user("Ann", email="ann@example.com", password=make.PASSWORD)
    mine, hers = path_of(dora).split("/"), path_of(ann).split("/")
    mixed = "/".join([*mine[:3], hers[3], *mine[4:]])
    assert Client().get(mixed).status_code == 410


@pytest.mark.parametrize("link", ["/sign-in/reset/xx/yy/", "/sign-in/reset/MQ/new/"])
def test_a_link_that_is_none_says_so(db: None, link: str) -> None:
    assert Client().get(link).status_code == 410
    assert Client().post(link, NEW).status_code == 410


def test_a_disabled_account_cannot_use_its_link(dora: User) -> None:
    client, address = opened(dora)
    User.objects.filter(pk=dora.pk).update(is_active=False)
    assert client.post(address, NEW).status_code == 410


def test_two_different_passwords_are_refused_and_not_shown(dora: User) -> None:
    client, address = opened(dora)
    body = client.post(address, {**NEW, "again": "something else entirely"}).content.decode()
    assert "The two passwords differ" in body
    assert NEW["password"] not in body


def test_a_weak_password_is_refused_at_its_field(dora: User) -> None:
    client, address = opened(dora)
    body = client.post(address, {"password": "short", "again": "short"}).content.decode()
    assert "at least 12 characters" in body
    assert User.objects.get(pk=dora.pk).check_password(make.PASSWORD)


# --- changing the own password --------------------------------------------------------------------


def test_a_change_keeps_this_browser_under_a_new_key_and_ends_the_others(dora: User) -> None:
    here, elsewhere = make.signed_in(dora), make.signed_in(dora)
    before = here.session.session_key
    answer = here.post("/me/password/", {"old": make.PASSWORD, **NEW})
    assert answer["Location"] == "/me/"
    assert here.session.session_key != before
    assert here.get("/me/").status_code == 200
    assert elsewhere.get("/me/").status_code == 302
    assert Session.objects.get(user=dora).key == here.session.session_key


def test_a_change_with_a_wrong_old_password_is_refused(dora: User) -> None:
    client = make.signed_in(dora)
    body = client.post("/me/password/", {"old": "not this one", **NEW}).content.decode()
    assert "This is not your password now." in body
    assert "not this one" not in body
    assert NEW["password"] not in body


def test_guessing_the_old_password_through_a_stolen_session_locks(dora: User) -> None:
    client = make.signed_in(dora)
    for _ in range(5):
        body = client.post("/me/password/", {"old": "not this one", **NEW}).content.decode()
    assert "Sign-in is locked for 15 min" in body


def test_a_token_is_worth_an_hour_and_no_longer(dora: User, settings: Any) -> None:
    assert timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT) == timedelta(hours=1)
