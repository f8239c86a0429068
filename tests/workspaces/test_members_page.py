"""The members page and what its buttons do."""

import pytest
from django.test import Client

from tests.workspaces import make
from workspaces.actions.joining import ask_to_join
from workspaces.models import Invitation, JoinRequest, Membership, Workspace
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.django_db

PAGE = "/w/care/members/"


@pytest.fixture
def client(care: Workspace) -> Client:
    return make.signed_in(make.member(care, Role.ADMIN, make.user("Dora Admin")))


def said(client: Client, path: str, **values: object) -> str:
    """Press a button and return the page that follows."""
    return client.post(path, values, follow=True).content.decode()


def test_a_viewer_sees_who_is_here_and_no_buttons(care: Workspace, client: Client) -> None:
    viewer = make.signed_in(make.member(care, Role.VIEWER, make.user("Vera Viewer")))
    page = viewer.get(PAGE).content.decode()
    assert "Dora Admin" in page
    assert "Invite a person" not in page
    assert 'name="role"' not in page


def test_a_role_is_changed_with_a_sentence(care: Workspace, client: Client) -> None:
    ann = make.member(care, Role.VIEWER, make.user("Ann Lee"))
    page = said(client, f"{PAGE}{ann.pk}/role/", role="moderator", seen="viewer")
    assert "Ann Lee is now Moderator." in page
    assert make.membership(care, ann).role == "moderator"


def test_a_role_that_another_admin_changed_meanwhile_is_not_overwritten(
    care: Workspace, client: Client
) -> None:
    ann = make.member(care, Role.AUTHOR, make.user("Ann Lee"))
    page = said(client, f"{PAGE}{ann.pk}/role/", role="moderator", seen="viewer")
    assert "Somebody changed this role meanwhile" in page
    assert make.membership(care, ann).role == "author"


def test_nobody_is_offered_a_change_of_his_own_role(care: Workspace, client: Client) -> None:
    me = care_admin(care)
    assert f"{PAGE}{me}/role/" not in client.get(PAGE).content.decode()
    page = said(client, f"{PAGE}{me}/role/", role="viewer", seen="admin")
    assert "Nobody changes his own role" in page


def care_admin(care: Workspace) -> int:
    with scope(care):
        return Membership.objects.get(role="admin").user_id


def test_removing_asks_first_and_says_the_effect(care: Workspace, client: Client) -> None:
    ann = make.member(care, Role.VIEWER, make.user("Ann Lee"))
    question = client.get(f"{PAGE}{ann.pk}/remove/").content.decode()
    assert "Remove Ann Lee?" in question
    assert "API keys that this person made here are revoked" in question
    assert "no longer a member" in said(client, f"{PAGE}{ann.pk}/remove/")
    assert client.get(f"{PAGE}{ann.pk}/remove/").status_code == 404


def test_an_address_that_cannot_be_invited_stays_typed(care: Workspace, client: Client) -> None:
    page = said(client, f"{PAGE}invite/", email="ann at example", role="moderator")
    assert 'value="ann at example"' in page
    assert "Enter an e-mail address" in page
    assert '<option value="moderator" selected>' in page


def test_an_invitation_is_revoked_with_a_sentence(care: Workspace, client: Client) -> None:
    said(client, f"{PAGE}invite/", email="ann@example.com", role="author")
    with scope(care):
        pk = Invitation.objects.get().pk
    assert "Its link is dead" in said(client, f"{PAGE}invitations/{pk}/revoke/")
    assert "ann@example.com" not in client.get(PAGE).content.decode()
    assert "not open any more" in said(client, f"{PAGE}invitations/{pk}/again/")


def test_requests_to_join_wait_at_the_top(care: Workspace, client: Client) -> None:
    asker = make.me(make.user("Ann Lee"))
    request = ask_to_join(workspace=care, by=asker, text="I cover for Bob.", now=make.NOW)
    page = client.get(PAGE).content.decode()
    assert "<b>1 request</b> to join waits for you" in page
    assert "I cover for Bob." in page
    answer = said(client, f"{PAGE}requests/{request.pk}/accept/", role="author")
    assert "Ann Lee is a member now." in answer
    assert make.membership(care, asker.user).role == "author"


def test_a_request_is_refused_with_a_sentence(care: Workspace, client: Client) -> None:
    asker = make.me(make.user("Ann Lee"))
    request = ask_to_join(workspace=care, by=asker, text="", now=make.NOW)
    assert "The request is refused." in said(client, f"{PAGE}requests/{request.pk}/refuse/")
    with scope(care):
        assert JoinRequest.objects.get().is_accepted is False
    assert "decided this request already" in said(
        client, f"{PAGE}requests/{request.pk}/accept/", role="author"
    )


def test_names_are_written_as_text(care: Workspace, client: Client) -> None:
    make.member(care, Role.VIEWER, make.user("<b>Ann</b>", email="ann@example.com"))
    assert "&lt;b&gt;Ann&lt;/b&gt;" in client.get(PAGE).content.decode()


def test_the_page_asks_as_much_for_many_members_as_for_few(
    care: Workspace, client: Client, django_assert_max_num_queries: object
) -> None:
    for _ in range(12):
        make.member(care, Role.VIEWER)
    with django_assert_max_num_queries(24):  # type: ignore[operator]
        client.get(PAGE)
