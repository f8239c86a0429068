"""The platform team's pages of workspaces and accounts."""

import re
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client

from audit.queries import names
from tests.workspaces import make
from tests.workspaces.log import entries, ops
from workspaces.models import Invitation, User, Visit, Workspace
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.django_db

WHY = {"why": "Asked for in ticket 4711"}


@pytest.fixture
def root(db: None) -> User:
    return make.user("Root", email="root@example.com", is_super_admin=True)


@pytest.fixture
def client(root: User) -> Client:
    return make.signed_in(root)


def said(client: Client, path: str, values: dict[str, str] | None = None) -> str:
    return client.post(path, values or {}, follow=True).content.decode()


# --- workspaces -----------------------------------------------------------------------------------


def test_the_overview_counts_what_each_workspace_has(client: Client) -> None:
    care = make.workspace("care", "Subscriber care")
    make.key(care, make.me_in(care, Role.ADMIN))
    make.member(care, Role.VIEWER)
    make.workspace("roaming", "Roaming")
    page = client.get("/platform/").content.decode()
    row = page[page.index('href="/w/care/"') :][:1200]
    assert re.findall(r'data-l="[^"]+">(\d+)<', row)[:3] == ["2", "1", "1"]
    assert "Roaming has no admin" in page


def test_a_new_workspace_has_a_chain_and_an_invited_admin(client: Client) -> None:
    values = {
        "name": "Roaming",
        "slug": "roaming",
        "zone": "London",
        "admin_email": "ann@example.com",
    }
    assert "Roaming is created." in said(client, "/platform/workspaces/new/", values)
    roaming = Workspace.objects.get(slug="roaming")
    assert roaming.zone == "Europe/London"
    assert [op for op, _obj, _diff in ops(roaming)] == ["workspace.create", "invitation.create"]
    with scope(roaming):
        assert Invitation.objects.get().role == "admin"
    assert mail.outbox[-1].to == ["ann@example.com"]


def test_a_workspace_without_an_admin_to_invite_is_created_too(client: Client) -> None:
    said(client, "/platform/workspaces/new/", {"name": "R", "slug": "r", "zone": "UTC"})
    assert Workspace.objects.filter(slug="r").exists()


def test_a_taken_address_keeps_what_was_typed(client: Client) -> None:
    make.workspace("care")
    values = {"name": "Second care", "slug": "care", "zone": "UTC"}
    page = said(client, "/platform/workspaces/new/", values)
    assert "Another workspace has this address." in page
    assert 'value="Second care"' in page


def test_suspending_asks_why_and_says_the_effect(client: Client) -> None:
    care = make.workspace("care")
    assert "API keys only read" in client.get("/platform/workspaces/care/suspend/").content.decode()
    said(client, "/platform/workspaces/care/suspend/", {"why": " "})
    assert not Workspace.objects.get(pk=care.pk).is_suspended
    assert "Care is suspended." in said(client, "/platform/workspaces/care/suspend/", WHY)
    assert Workspace.objects.get(pk=care.pk).is_suspended
    assert "Care works again." in said(client, "/platform/workspaces/care/resume/")
    assert not Workspace.objects.get(pk=care.pk).is_suspended


def test_entering_shows_a_banner_and_leaving_takes_the_rights(client: Client) -> None:
    care = make.workspace("care")
    answer = client.post("/platform/workspaces/care/enter/", {"reason": "Ticket 4711, stuck list"})
    assert answer["Location"] == "/w/care/"
    page = client.get("/w/care/settings/").content.decode()
    assert "You act in Care as super admin until" in page
    assert 'action="/platform/workspaces/care/leave/"' in page
    assert "You left Care." in said(client, "/platform/workspaces/care/leave/")
    assert client.get("/w/care/settings/").status_code == 403
    with scope(care):
        assert Visit.objects.get().left_at is not None


def test_a_look_says_that_it_is_one(client: Client) -> None:
    make.workspace("care")
    page = client.get("/w/care/members/").content.decode()
    assert "You look into Care as super admin and change nothing." in page
    assert 'href="/platform/workspaces/care/enter/"' in page


def test_a_short_reason_stays_typed(client: Client) -> None:
    make.workspace("care")
    page = said(client, "/platform/workspaces/care/enter/", {"reason": "ticket"})
    assert 'value="ticket"' in page
    assert "10 to 300 characters" in page


def test_a_workspace_that_is_not_there_is_404(client: Client) -> None:
    for act in ("suspend", "resume", "enter", "leave"):
        assert client.post(f"/platform/workspaces/nothing/{act}/", WHY).status_code == 404


# --- users ----------------------------------------------------------------------------------------


def test_a_new_user_gets_a_link_and_no_password_from_us(client: Client) -> None:
    values = {"name": "Ann Lee", "email": "ann@example.com"}
    page = said(client, "/platform/users/new/", values)
    assert "ann@example.com gets a link to set a password." in page
    ann = User.objects.get(email="ann@example.com")
    assert not ann.has_usable_password()
    (letter,) = mail.outbox
    assert letter.subject == "Your account in the Message Center"
    assert "Hello Ann Lee," in letter.body


def test_a_new_users_link_sets_the_first_password(client: Client) -> None:
    said(client, "/platform/users/new/", {"name": "Ann Lee", "email": "ann@example.com"})
    found = re.search(r"https?://[^/\s]+(/sign-in/reset/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    browser = Client()
    address = browser.get(found.group(1))["Location"]
    browser.post(address, {"password": make.PASSWORD, "again": make.PASSWORD})
    values = {"email": "ann@example.com", "password": make.PASSWORD}
    assert Client().post("/sign-in/", values).status_code == 302


def test_a_second_account_of_a_person_is_of_the_same_person(client: Client) -> None:
    ann = make.user("Ann Lee", email="ann@example.com")
    values = {"name": "Ann Lee", "email": "ann.two@example.com", "same_as": "ANN@example.com"}
    said(client, "/platform/users/new/", values)
    assert User.objects.get(email="ann.two@example.com").person == ann.person


def test_a_person_who_is_not_known_is_told_at_the_field(client: Client) -> None:
    values = {"name": "Ann Lee", "email": "ann.two@example.com", "same_as": "no@example.com"}
    page = said(client, "/platform/users/new/", values)
    assert "There is no account with this address." in page
    assert not User.objects.filter(email="ann.two@example.com").exists()


def test_there_is_no_way_to_set_another_persons_password(client: Client) -> None:
    page = client.get("/platform/users/new/").content.decode()
    assert 'type="password"' not in page


def test_a_taken_address_is_told_at_its_field(client: Client) -> None:
    make.user("Ann", email="ann@example.com")
    values = {"name": "Ann Lee", "email": "ANN@example.com"}
    page = said(client, "/platform/users/new/", values)
    assert "There is an account with this address." in page
    assert 'value="Ann Lee"' in page


def test_accounts_are_found_by_name_or_address(client: Client) -> None:
    make.user("Ann Lee", email="ann@example.com")
    make.user("Bob Low", email="bob@example.com")
    for words in ("lee", "ANN@"):
        page = client.get("/platform/users/", {"words": words}).content.decode()
        assert "Ann Lee" in page
        assert "Bob Low" not in page
    assert "Nobody found" in client.get("/platform/users/", {"words": "zz"}).content.decode()


def test_disabling_and_enabling_say_what_happened(client: Client) -> None:
    ann = make.user("Ann Lee")
    hers = make.signed_in(ann)
    page = said(client, f"/platform/users/{ann.pk}/disable/", WHY)
    assert "Ann Lee cannot sign in any more." in page
    assert hers.get("/me/").status_code == 302
    assert "Enable the account first." in said(client, f"/platform/users/{ann.pk}/link/")
    assert "Ann Lee can sign in again." in said(client, f"/platform/users/{ann.pk}/enable/")


def test_another_super_admin_is_made_and_unmade(client: Client) -> None:
    ann = make.user("Ann Lee")
    page = said(client, f"/platform/users/{ann.pk}/super-admin/", WHY)
    assert "Ann Lee is a super admin now." in page
    assert "no longer a super admin" in said(client, f"/platform/users/{ann.pk}/super-admin/", WHY)
    assert [op for op, _obj, _diff in ops()][-2:] == ["role.grant", "role.grant"]


def test_nobody_changes_his_own_standing(client: Client, root: User) -> None:
    make.user("Other root", is_super_admin=True)
    for act in ("disable", "super-admin"):
        page = said(client, f"/platform/users/{root.pk}/{act}/", WHY)
        assert "Nobody changes his own standing" in page
    assert client.get("/platform/users/").status_code == 200


def test_an_account_that_is_not_there_is_404(client: Client) -> None:
    for act in ("disable", "enable", "super-admin", "link"):
        assert client.post(f"/platform/users/999999/{act}/", WHY).status_code == 404


# --- the first super admin ------------------------------------------------------------------------


def test_the_first_super_admin_comes_from_the_command_line(settings: Any) -> None:
    settings.PUBLIC_URL = "https://center.example"
    out = StringIO()
    call_command("create_super_admin", email="a@example.com", name="Ann", stdout=out)
    ann = User.objects.get(email="a@example.com")
    assert ann.is_super_admin
    assert not ann.has_usable_password()
    link = out.getvalue().strip()
    assert link.startswith("https://center.example/sign-in/reset/")
    assert Client().get(link.removeprefix("https://center.example")).status_code == 302
    assert entries()[-1]["act"]["id"] == "create_super_admin"
    with pytest.raises(CommandError, match="There is an account"):
        call_command("create_super_admin", email="a@example.com", name="Ann", stdout=out)


# --- names for the audit log ----------------------------------------------------------------------


def test_the_log_gets_names_for_our_ids(root: User) -> None:
    care = make.workspace("care", "Subscriber care")
    key = make.key(care, make.me_in(care, Role.ADMIN)).key
    with scope(care):
        wanted = [f"usr_{root.pk}", "usr_999999", "usr_x", "key_1"]
        assert names.names("user", wanted) == {f"usr_{root.pk}": "Root"}
        assert names.names("key", [f"key_{key.pk}"]) == {f"key_{key.pk}": "Care"}
        assert names.names("api", [f"key_{key.pk}"]) == {f"key_{key.pk}": "Care"}
        place = f"wsp_{care.pk}"
        assert names.names("workspace", [place]) == {place: "Subscriber care"}
        assert f"usr_{root.pk}" in names.find("roo")
        assert f"key_{key.pk}" in names.find(key.prefix)


def test_names_of_keys_stay_in_their_workspace(root: User) -> None:
    care, roaming = make.workspace("care"), make.workspace("roaming")
    key = make.key(care, make.me_in(care, Role.ADMIN)).key
    with scope(roaming):
        assert names.names("key", [f"key_{key.pk}"]) == {}
