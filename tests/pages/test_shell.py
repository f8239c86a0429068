"""The frame of a page: what the reader may open is there, what he may not is absent."""

from datetime import timedelta

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.utils import timezone

from message_center.middleware import NAV_COUNTS, Count, shell
from message_center.middleware.shell import Shell, initials
from tests.workspaces import make
from workspaces.models import Person, User, Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import MASTER_VIEW, PERMISSIONS, Role

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the counts out of the rail; a test puts its own in."""
    for view in list(NAV_COUNTS):
        monkeypatch.delitem(NAV_COUNTS, view)


def me(role: Role | None = Role.ADMIN, **more: object) -> Me:
    """A reader that is not stored."""
    person = Person(name="Malika Yusupova")
    place = Workspace(slug="care", name="Subscriber care", zone="Asia/Tashkent")
    held = PERMISSIONS[role] if role is not None else frozenset()
    values = {"workspace": place, "role": role, "permissions": held, **more}
    return Me(user=User(person=person), **values)  # type: ignore[arg-type]


def shell_of(reader: Me | None, path: str = "/w/care/members/") -> Shell:
    """The shell of a page at this address."""
    request: HttpRequest = RequestFactory().get(path)
    request.me = reader  # type: ignore[attr-defined]
    found: Shell = shell(request)["shell"]
    return found


def labels(found: Shell) -> set[str]:
    """The entries of the rail."""
    return {str(entry.label) for group in found.nav for entry in group.entries}


def test_a_viewer_has_no_entry_that_he_may_not_open() -> None:
    found = labels(shell_of(me(Role.VIEWER)))
    assert {"Members", "Audit log", "Sender names"} <= found
    assert not {"API keys", "Settings"} & found


def test_an_admin_has_them() -> None:
    assert {"API keys", "Settings"} <= labels(shell_of(me(Role.ADMIN)))


def test_somebody_outside_a_workspace_has_no_rail() -> None:
    assert shell_of(me(None, workspace=None), "/me/").nav == []


def test_the_platform_has_a_rail_of_its_own() -> None:
    found = shell_of(me(Role.SUPER_ADMIN, workspace=None), "/platform/connections/")
    assert {"Connections", "Routes", "Users"} <= labels(found)
    assert (found.is_platform, found.place) == (True, "Platform")


def test_the_page_that_is_shown_is_marked_and_no_other() -> None:
    found = shell_of(me(), "/w/care/senders/Registon/")
    marked = [
        str(entry.label) for group in found.nav for entry in group.entries if entry.is_current
    ]
    assert marked == ["Sender names"]


def test_a_count_stands_beside_its_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        NAV_COUNTS, "workspaces:members", lambda reader: Count(2, "wait for you", is_due=True)
    )
    entries = [entry for group in shell_of(me()).nav for entry in group.entries]
    counted = next(entry for entry in entries if entry.label == "Members")
    assert (counted.count, counted.count_label, counted.is_due) == (2, "wait for you", True)


def test_the_bar_of_phones_has_three_entries() -> None:
    assert len(shell_of(me()).tabs) == 3


def test_the_clock_is_the_workspaces() -> None:
    found = shell_of(me())
    assert (found.zone, found.zone_name) == ("Tashkent", "Asia/Tashkent")
    assert found.now is not None
    assert found.now.utcoffset() == timedelta(hours=5)


def test_a_super_admin_who_looks_in_is_told_that_he_only_looks() -> None:
    found = shell_of(me(Role.SUPER_ADMIN, is_master=True, permissions=MASTER_VIEW))
    assert found.role == "Master view, read only"
    assert found.banner == ""


def test_a_visit_says_until_when() -> None:
    ends = timezone.now() + timedelta(minutes=20)
    found = shell_of(me(Role.SUPER_ADMIN, visit_ends_at=ends))
    assert f"until {ends + timedelta(hours=5):%H:%M}" in found.banner


def test_without_a_reader_only_the_operator_is_shown() -> None:
    found = shell_of(None)
    assert (found.me, found.nav, found.place) == (None, [], "")


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Malika Yusupova", "MY"), ("Marketing", "MA"), ("", ""), ("Абдулла ибн Сино", "АС")],
)
def test_initials_are_two_letters(name: str, letters: str) -> None:
    assert initials(name) == letters


# --- drawn -------------------------------------------------------------------------------------


def signed_in(name: str = "Malika Yusupova") -> Client:
    """An admin's browser."""
    return make.signed_in(
        make.member(make.workspace("care"), Role.ADMIN, make.user(name, email="m@example.com"))
    )


def test_a_name_cannot_bring_markup_into_the_frame() -> None:
    page = signed_in("<script>alert(1)</script>").get("/w/care/members/").content.decode()
    assert "<script>alert(1)" not in page


def test_the_theme_is_drawn_by_the_server() -> None:
    client = signed_in()
    assert 'data-bs-theme="system"' in client.get("/w/care/members/").content.decode()
    client.post("/me/theme/", {"theme": "dark"})
    assert 'data-bs-theme="dark"' in client.get("/w/care/members/").content.decode()


def test_changing_the_theme_goes_back_to_the_page() -> None:
    answer = signed_in().post(
        "/me/theme/", {"theme": "light"}, headers={"Referer": "http://testserver/w/care/keys/"}
    )
    assert (answer.status_code, answer["Location"]) == (302, "http://testserver/w/care/keys/")


def test_changing_the_theme_never_leaves_the_site() -> None:
    answer = signed_in().post(
        "/me/theme/", {"theme": "light"}, headers={"Referer": "https://elsewhere.example/"}
    )
    assert answer["Location"] == "/"


def test_script_gets_an_empty_answer() -> None:
    answer = signed_in().post(
        "/me/theme/", {"theme": "light"}, headers={"Accept": "application/json"}
    )
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_theme_that_is_none_is_refused() -> None:
    assert signed_in().post("/me/theme/", {"theme": "<b>"}).status_code == 400


def test_nobody_changes_a_theme_without_signing_in() -> None:
    assert Client().post("/me/theme/", {"theme": "dark"})["Location"].startswith("/sign-in/")


def test_the_policy_allows_nothing_inline_and_nobody_elses_files() -> None:
    policy = signed_in().get("/w/care/members/")["Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";") if rule.strip())
    assert rules["default-src"] == "'none'"
    for name in ("script-src", "style-src", "connect-src", "font-src"):
        assert rules[name] == "'self'"
    assert "unsafe" not in policy
