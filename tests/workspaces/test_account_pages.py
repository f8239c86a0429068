"""The own account: name, look, browsers; and where a person begins."""

import pytest
from django.test import Client

from tests.workspaces import make
from tests.workspaces.log import entries, ops
from workspaces.models import JoinRequest, Session, User, Workspace
from workspaces.rules.browsers import browser_name
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.django_db


@pytest.fixture
def dora(db: None) -> User:
    return make.user("Dora", email="dora@example.com")


def test_a_person_changes_name_theme_and_keys(dora: User) -> None:
    client = make.signed_in(dora)
    values = {"name": " Dora  Karimova", "theme": "dark"}
    assert client.post("/me/", values)["Location"] == "/me/"
    changed = User.objects.get(pk=dora.pk)
    assert (changed.name, changed.theme, changed.has_shortcuts) == ("Dora Karimova", "dark", False)
    page = client.get("/me/").content.decode()
    assert 'data-bs-theme="dark" data-keys="off"' in page


def test_a_change_of_name_is_recorded_without_the_names(dora: User) -> None:
    make.signed_in(dora).post("/me/", {"name": "Dora Karimova", "theme": "dark"})
    assert ops()[-1][:2] == ("user.rename", f"usr_{dora.pk}")
    assert "Karimova" not in str(entries()[-1])


def test_a_change_of_the_look_alone_is_nobodys_business(dora: User) -> None:
    client = make.signed_in(dora)
    before = len(entries())
    client.post("/me/", {"name": "Dora", "theme": "dark"})
    assert len(entries()) == before


def test_a_name_that_is_none_is_refused_and_stays_typed(dora: User) -> None:
    body = make.signed_in(dora).post("/me/", {"name": "x" * 151, "theme": "dark"}).content.decode()
    assert "x" * 151 in body
    assert User.objects.get(pk=dora.pk).name == "Dora"


def test_a_person_sees_his_browsers_and_ends_one(dora: User) -> None:
    here, elsewhere = make.signed_in(dora), make.signed_in(dora)
    page = here.get("/me/sessions/").content.decode()
    assert page.count("Firefox, Linux") >= 2
    other = elsewhere.session["public_id"]
    here.post("/me/sessions/", {"session": other})
    assert elsewhere.get("/me/").status_code == 302
    assert here.get("/me/").status_code == 200
    assert ops()[-1] == ("user.sign_out", f"usr_{dora.pk}", {"session": [other, None]})


def test_a_person_ends_all_other_browsers(dora: User) -> None:
    here, second, third = (make.signed_in(dora) for _ in range(3))
    here.post("/me/sessions/")
    assert [client.get("/me/").status_code for client in (here, second, third)] == [200, 302, 302]


def test_nobody_ends_another_persons_session(dora: User) -> None:
    ann = make.user("Ann")
    hers = make.signed_in(ann)
    make.signed_in(dora).post("/me/sessions/", {"session": hers.session["public_id"]})
    assert hers.get("/me/").status_code == 200
    assert Session.objects.filter(user=ann).exists()


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/143.0 Safari/537.36 Edg/143.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/143.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (iPhone; CPU like Mac OS X) Version/26 Safari/604.1", "Safari, iPhone"),
        ("curl/8.17", ""),
    ],
)
def test_a_browser_is_named_so_that_its_owner_knows_it(agent: str, name: str) -> None:
    assert browser_name(agent) == name


# --- where to begin -------------------------------------------------------------------------------


def begins(client: Client) -> str:
    return str(client.get("/")["Location"])


def test_a_member_of_one_workspace_begins_there(dora: User) -> None:
    make.member(make.workspace("care"), Role.VIEWER, dora)
    assert begins(make.signed_in(dora)) == "/w/care/"


def test_a_member_of_two_begins_where_he_was_last(dora: User) -> None:
    for slug in ("care", "roaming"):
        make.member(make.workspace(slug), Role.VIEWER, dora)
    client = make.signed_in(dora)
    assert begins(client) == "/choose/"
    client.get("/w/roaming/members/")
    assert begins(client) == "/w/roaming/"


def test_a_former_member_begins_with_the_choice(dora: User) -> None:
    care = make.workspace("care")
    User.objects.filter(pk=dora.pk).update(last_workspace=care)
    assert begins(make.signed_in(dora)) == "/choose/"


def test_a_super_admin_begins_on_the_platform() -> None:
    assert begins(make.signed_in(make.user(is_super_admin=True))) == "/platform/"


def test_who_is_nowhere_a_member_is_told_what_to_do(dora: User) -> None:
    page = make.signed_in(dora).get("/choose/").content.decode()
    assert "not a member of any workspace yet" in page
    assert "No other workspace takes requests" in page


def test_asking_to_join_is_said_and_waits(dora: User) -> None:
    care = make.workspace("care")
    client = make.signed_in(dora)
    values = {"workspace": "care", "note": "I cover for Ann."}
    page = client.post("/choose/", values, follow=True).content.decode()
    assert "You asked to join Care" in page
    with scope(care):
        assert JoinRequest.objects.get().note == "I cover for Ann."


def test_a_note_that_is_too_long_stays_typed(dora: User) -> None:
    make.workspace("care")
    answer = make.signed_in(dora).post("/choose/", {"workspace": "care", "note": "x" * 501})
    assert "x" * 501 in answer.content.decode()


def test_a_closed_workspace_is_not_there(dora: User) -> None:
    care = make.workspace("care", "Secret team")
    Workspace.objects.filter(pk=care.pk).update(is_open_to_requests=False)
    client = make.signed_in(dora)
    assert "Secret team" not in client.get("/choose/").content.decode()
    assert client.post("/choose/", {"workspace": "care"}).status_code == 404
