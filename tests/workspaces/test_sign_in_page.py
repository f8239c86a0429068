"""The sign-in page, as a browser without script meets it."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session as DjangoSession
from django.test import Client

from tests.workspaces import make
from tests.workspaces.log import entries
from workspaces.actions.sessions import sweep_sessions
from workspaces.models import Session, SignInFailure, User

pytestmark = pytest.mark.django_db

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def dora(db: None) -> User:
    return make.user("Dora", email="dora@example.com", password=make.PASSWORD)


def send(client: Client, password: str = make.PASSWORD, **more: Any) -> Any:
    values = {"email": "dora@example.com", "password": password, **more}
    return client.post("/sign-in/", values, headers={"User-Agent": AGENT})


def test_signing_in_goes_to_the_page_that_was_wanted(dora: User) -> None:
    client = Client()
    assert client.get("/me/")["Location"] == "/sign-in/?next=/me/"
    assert send(client, next="/me/")["Location"] == "/me/"
    assert client.get("/me/").status_code == 200


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "\\\\evil", ""]
)
def test_signing_in_never_leads_elsewhere(dora: User, wanted: str) -> None:
    assert send(Client(), next=wanted)["Location"] == "/"


def test_signing_in_changes_the_sessions_key(dora: User) -> None:
    client = Client()
    client.get("/sign-in/")
    session = client.session
    session["planted"] = "yes"
    session.save()
    before = client.cookies["mc_session"] = session.session_key or ""
    send(client)
    assert client.session.session_key != before
    assert not DjangoSession.objects.filter(session_key=before).exists()


def test_a_sign_in_is_recorded_and_listed(dora: User) -> None:
    client = Client()
    send(client)
    row = Session.objects.get(user=dora)
    assert (row.key, row.browser) == (client.session.session_key, AGENT)
    entry = entries()[-1]
    assert entry["op"] == "user.sign_in"
    assert entry["act"] == {"id": f"usr_{dora.pk}", "kind": "user", "sid": row.public_id}


def test_the_cookie_cannot_be_read_by_script_or_sent_by_others(dora: User) -> None:
    client = Client()
    send(client)
    cookie = client.cookies["mc_session"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_a_failure_keeps_the_address_and_never_the_password(dora: User) -> None:
    answer = send(Client(), "not this one")
    body = answer.content.decode()
    assert 'value="dora@example.com"' in body
    assert "not this one" not in body
    assert "One of them is not right" in body
    assert 'href="#id_password"' in body


def test_an_empty_form_says_what_is_missing(db: None) -> None:
    body = Client().post("/sign-in/", {}).content.decode()
    assert "Enter your e-mail address." in body
    assert "Enter your password." in body


def test_a_locked_account_is_told_until_when_and_machines_too(dora: User) -> None:
    client = Client()
    for _ in range(5):
        answer = send(client, "not this one")
    assert answer.status_code == 429
    assert 890 <= int(answer["Retry-After"]) <= 900
    assert "Sign-in is locked for 15 min, until" in answer.content.decode()
    assert send(client).status_code == 429


def test_the_lock_ends_at_the_door_too(dora: User) -> None:
    client = Client()
    for _ in range(5):
        send(client, "not this one")
    for failure in SignInFailure.objects.all():
        failure.failed_at -= timedelta(minutes=15)
        failure.save()
    assert send(client).status_code == 302


def test_the_page_tells_nothing_about_the_installation(db: None) -> None:
    body = Client().get("/sign-in/").content.decode().lower()
    assert "version" not in body
    assert "django" not in body


def test_who_is_signed_in_is_sent_on(dora: User) -> None:
    client = make.signed_in(dora)
    assert client.get("/sign-in/?next=/me/")["Location"] == "/me/"


def test_signing_out_ends_the_session_for_good(dora: User) -> None:
    client = make.signed_in(dora)
    key = client.session.session_key or ""
    assert client.post("/sign-out/")["Location"] == "/sign-in/"
    client.cookies["mc_session"] = key
    assert client.get("/me/").status_code == 302
    assert not Session.objects.filter(user=dora).exists()
    assert entries()[-1]["op"] == "user.sign_out"


def test_signing_out_needs_a_press_of_a_button(dora: User) -> None:
    client = make.signed_in(dora)
    assert client.get("/sign-out/").status_code == 405
    assert client.get("/me/").status_code == 200


def test_a_form_sent_after_the_session_ended_does_not_come_back_as_a_page(db: None) -> None:
    assert Client().post("/sign-out/")["Location"] == "/sign-in/"


def test_signing_in_again_in_the_same_browser_leaves_one_session(dora: User) -> None:
    client = Client()
    send(client)
    send(client)
    assert Session.objects.filter(user=dora).count() == 1


def test_a_form_from_elsewhere_is_refused(dora: User) -> None:
    client = Client(enforce_csrf_checks=True)
    assert send(client).status_code == 403


def test_a_second_person_in_the_same_browser_gets_nothing_of_the_first(dora: User) -> None:
    ann = make.user("Ann", email="ann@example.com", password=make.PASSWORD)
    client = make.signed_in(ann)
    session = client.session
    session["secret"] = "of Ann"
    session.save()
    send(client)
    assert "secret" not in client.session


def test_old_sessions_are_swept(dora: User) -> None:
    client = Client()
    make.sign_in(client, dora, started_at=make.NOW)
    assert sweep_sessions(make.NOW + timedelta(minutes=29)) == 0
    assert sweep_sessions(make.NOW + timedelta(minutes=31)) == 1
    assert not DjangoSession.objects.filter(session_key=client.session.session_key).exists()
