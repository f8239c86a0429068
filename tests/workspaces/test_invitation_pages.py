"""The invited person's pages, from the e-mail to the first look into the workspace."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from tests.workspaces import make
from workspaces.actions.invitations import revoke_invitation
from workspaces.models import Invitation, User, Workspace
from workspaces.queries.me import Me
from workspaces.scope import scope

pytestmark = pytest.mark.django_db

NEW = {"name": "Ann Lee", "password": make.PASSWORD, "again": make.PASSWORD}


@pytest.fixture
def care(db: None) -> Workspace:
    return make.workspace("care", "Subscriber <care>")


def letter(admin: Me, email: str = "ann@example.com") -> str:
    """Invite through the page and return the path in the e-mail."""
    values = {"email": email, "role": "author"}
    make.signed_in(admin.user).post("/w/care/members/invite/", values)
    found = re.search(r"https?://[^/\s]+(/invitations/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found.group(1)


def arrived(path: str, client: Client | None = None) -> Client:
    """A browser that followed the link."""
    client = client or Client()
    assert client.get(path)["Location"] == "/invitations/"
    return client


def test_the_letter_says_who_invites_whereto_and_until_when(admin: Me, settings: Any) -> None:
    settings.PUBLIC_URL = "https://center.example"
    path = letter(admin)
    sent = mail.outbox[-1]
    assert sent.to == ["ann@example.com"]
    assert sent.subject == "Join Subscriber <care> in the Message Center"
    assert admin.user.name in sent.body
    assert "as Author" in sent.body
    assert f"https://center.example{path}" in sent.body


def test_a_new_person_sets_a_name_and_a_password_and_is_in(admin: Me, care: Workspace) -> None:
    client = arrived(letter(admin))
    page = client.get("/invitations/").content.decode()
    assert "Join Subscriber &lt;care&gt;" in page
    assert "Create my account and join" in page
    assert client.post("/invitations/", NEW)["Location"] == "/w/care/"
    ann = User.objects.get(email="ann@example.com")
    assert make.membership(care, ann).role == "author"
    assert client.get("/w/care/members/").status_code == 200


def test_a_known_person_signs_in_and_joins(admin: Me, care: Workspace) -> None:
    ann = make.user("Ann", email="ann@example.com", password=make.PASSWORD)
    client = arrived(letter(admin))
    assert "Sign in to join" in client.get("/invitations/").content.decode()
    values = {"email": ann.email, "password": make.PASSWORD, "next": "/invitations/"}
    assert client.post("/sign-in/", values)["Location"] == "/invitations/"
    assert client.post("/invitations/")["Location"] == "/w/care/"
    assert make.membership(care, ann).role == "author"


def test_somebody_else_who_is_signed_in_is_not_let_in(admin: Me, care: Workspace) -> None:
    bob = make.user("Bob")
    client = arrived(letter(admin), make.signed_in(bob))
    page = client.get("/invitations/").content.decode()
    assert "You are signed in with another address" in page
    client.post("/invitations/")
    assert client.get("/w/care/members/").status_code == 404


def test_a_link_works_once(admin: Me) -> None:
    path = letter(admin)
    arrived(path).post("/invitations/", NEW)
    again = arrived(path)
    assert again.get("/invitations/").status_code == 410
    assert again.post("/invitations/", NEW).status_code == 410


def test_two_browsers_with_one_link_make_one_account(admin: Me) -> None:
    path = letter(admin)
    first, second = arrived(path), arrived(path)
    first.post("/invitations/", NEW)
    assert second.post("/invitations/", NEW).status_code == 410
    assert User.objects.filter(email="ann@example.com").count() == 1


def test_an_invitation_past_its_end_says_whom_to_ask(admin: Me, care: Workspace) -> None:
    client = arrived(letter(admin))
    with scope(care):
        Invitation.objects.update(expires_at=make.NOW - timedelta(days=365))
    answer = client.get("/invitations/")
    assert answer.status_code == 410
    assert "Ask the person who invited you" in answer.content.decode()


def test_a_revoked_invitation_is_dead(admin: Me, care: Workspace) -> None:
    client = arrived(letter(admin))
    with scope(care):
        revoke_invitation(invitation_id=Invitation.objects.get().pk, by=admin, now=make.NOW)
    assert client.post("/invitations/", NEW).status_code == 410


def test_a_token_that_is_none_tells_nothing(db: None) -> None:
    assert arrived("/invitations/nothing/").get("/invitations/").status_code == 410
    assert Client().get("/invitations/").status_code == 410


def test_a_weak_password_keeps_the_name_and_the_invitation(admin: Me) -> None:
    client = arrived(letter(admin))
    weak = {"name": "Ann Lee", "password": "short", "again": "short"}
    page = client.post("/invitations/", weak).content.decode()
    assert 'value="Ann Lee"' in page
    assert "at least 12 characters" in page
    assert 'value="short"' not in page
    assert client.post("/invitations/", NEW).status_code == 302


def test_sending_again_mails_another_link(admin: Me, care: Workspace) -> None:
    first = letter(admin)
    with scope(care):
        pk = Invitation.objects.get().pk
    make.signed_in(admin.user).post(f"/w/care/members/invitations/{pk}/again/")
    assert first not in mail.outbox[-1].body
    assert arrived(first).get("/invitations/").status_code == 410


def test_a_mail_server_that_is_down_is_told_and_the_invitation_stays(
    admin: Me, care: Workspace, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    client = make.signed_in(admin.user)
    values = {"email": "ann@example.com", "role": "author"}
    page = client.post("/w/care/members/invite/", values, follow=True).content.decode()
    assert "The mail server did not take the e-mail" in page
    assert "ann@example.com" in page
    with scope(care):
        assert Invitation.objects.get().accepted_at is None
