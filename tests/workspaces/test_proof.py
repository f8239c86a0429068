"""The password is asked again before acts that give or take rights."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.workspaces import make
from tests.workspaces.log import entries
from workspaces.models import User, Workspace
from workspaces.rules.permissions import Role

pytestmark = pytest.mark.django_db

ASKED = "Enter your password to go on"


@pytest.fixture
def ann(care: Workspace) -> User:
    return make.member(care, Role.VIEWER, make.user("Ann Lee"))


@pytest.fixture
def client(care: Workspace) -> Client:
    """An admin who signed in six minutes ago."""
    admin = make.user("Dora", email="dora@example.com", password=make.PASSWORD)
    client = make.signed_in(make.member(care, Role.ADMIN, admin))
    return aged(client, minutes=6)


def aged(client: Client, *, minutes: float) -> Client:
    session = client.session
    session["started_at"] = (timezone.now() - timedelta(minutes=minutes)).isoformat()
    session.save()
    return client


def change(client: Client, ann: User, **more: str) -> str:
    values = {"role": "moderator", "seen": "viewer", **more}
    return client.post(f"/w/care/members/{ann.pk}/role/", values, follow=True).content.decode()


def role(care: Workspace, ann: User) -> str:
    return make.membership(care, ann).role


def test_five_minutes_after_sign_in_the_password_is_asked(
    client: Client, care: Workspace, ann: User
) -> None:
    assert ASKED in change(client, ann)
    assert role(care, ann) == "viewer"


def test_within_five_minutes_it_is_not(client: Client, care: Workspace, ann: User) -> None:
    aged(client, minutes=4)
    assert ASKED not in change(client, ann)
    assert role(care, ann) == "moderator"


def test_what_was_typed_goes_on_with_the_right_password(
    client: Client, care: Workspace, ann: User
) -> None:
    page = change(client, ann)
    assert '<input type="hidden" name="role" value="moderator">' in page
    assert "Ann Lee is now Moderator." in change(client, ann, proof_password=make.PASSWORD)
    assert role(care, ann) == "moderator"


def test_a_proof_lasts_five_minutes(client: Client, care: Workspace, ann: User) -> None:
    change(client, ann, proof_password=make.PASSWORD)
    back = {"role": "viewer", "seen": "moderator"}
    assert ASKED not in change(client, ann, **back)
    session = client.session
    session["proved_at"] = (timezone.now() - timedelta(minutes=6)).isoformat()
    session.save()
    assert ASKED in change(client, ann)


def test_a_wrong_password_does_nothing_and_is_recorded(
    client: Client, care: Workspace, ann: User
) -> None:
    page = change(client, ann, proof_password="not this one")
    assert "This is not your password now." in page
    assert "not this one" not in page
    assert role(care, ann) == "viewer"
    entry = entries()[-1]
    assert (entry["op"], entry["why"]) == ("user.sign_in_failed", "the password was asked again")


def test_guessing_here_locks_as_at_sign_in(client: Client, care: Workspace, ann: User) -> None:
    for _ in range(5):
        page = change(client, ann, proof_password="not this one")
    assert "Sign-in is locked for 15 min" in page
    assert "Sign-in is locked" in change(client, ann, proof_password=make.PASSWORD)
    assert role(care, ann) == "viewer"


def test_looking_asks_for_nothing(client: Client, ann: User) -> None:
    page = client.get(f"/w/care/members/{ann.pk}/remove/").content.decode()
    assert ASKED not in page


def test_who_may_not_is_refused_before_being_asked(care: Workspace, ann: User) -> None:
    viewer = aged(make.signed_in(ann), minutes=6)
    values = {"email": "a@example.com", "role": "admin"}
    assert viewer.post("/w/care/members/invite/", values).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/w/care/keys/new/",
        "/w/care/members/invite/",
        "/w/care/members/{ann}/role/",
        "/w/care/members/{ann}/remove/",
        "/w/care/members/requests/1/accept/",
    ],
)
def test_keys_roles_and_members_are_behind_it(client: Client, ann: User, path: str) -> None:
    assert ASKED in client.post(path.format(ann=ann.pk), {}).content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/platform/workspaces/care/enter/",
        "/platform/workspaces/care/suspend/",
        "/platform/users/{ann}/disable/",
        "/platform/users/{ann}/super-admin/",
    ],
)
def test_the_platforms_acts_are_behind_it(care: Workspace, ann: User, path: str) -> None:
    client = aged(make.signed_in(make.user(is_super_admin=True)), minutes=6)
    assert ASKED in client.post(path.format(ann=ann.pk), {}).content.decode()
