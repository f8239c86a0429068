"""Erasing personal values by the page."""

import time
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from audit.actions.record import record
from audit.queries.kept import kept
from audit.rules.clock import Reading
from audit.rules.events import Actor, Obj
from tests.audit.conftest import Log
from tests.audit.make import INSTALL
from tests.audit.site import Site
from tests.workspaces import make
from workspaces.models import User, Workspace
from workspaces.rules.permissions import Role

GROUND = "Request of the person, article 17(1)(b)"


@pytest.fixture
def site(log: Log, tmp_path: Path) -> Site:
    return Site(log, tmp_path / "audit")


@pytest.fixture
def team(site: Site) -> Workspace:
    return make.workspace()


def an_entry(site: Site, ws: UUID) -> UUID:
    """Record and number an act with two personal values."""
    eid = record(
        "optout.add",
        workspace=ws,
        actor=Actor("user", "usr_1"),
        obj=Obj("opt_out", "opt_1"),
        now=timezone.now(),
        personal={"number": "+447700900001", "name": "Ada"},
    )
    site.sequencer.step(Reading(timezone.now(), time.monotonic()))
    return eid


def as_a(role: Role, team: Workspace) -> Client:
    return make.signed_in(make.member(team, role, _person()))


def _person(*, is_super_admin: bool = False) -> User:
    """An account; the database outlives the test, so the address is a new one."""
    return make.user(email=f"{uuid4().hex}@example.com", is_super_admin=is_super_admin)


def test_an_admin_erases_what_he_chose(site: Site, team: Workspace) -> None:
    eid, client = an_entry(site, team.uuid), as_a(Role.ADMIN, team)
    url = f"/w/{team.slug}/audit/{eid}/"
    assert "Erase personal values" in client.get(url).content.decode()
    answer = client.post(f"{url}erase/", {"values": ["number"], "basis": GROUND}, follow=True)
    assert "1 value is erased." in answer.content.decode()
    assert kept(team.uuid, eid) == ["name"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"values": ["number"], "basis": "because"}, "Say on what legal ground"),
        ({"values": ["number"], "basis": ""}, "This field is required."),
        ({"values": [], "basis": GROUND}, "This field is required."),
        ({"values": ["address"], "basis": GROUND}, "Select a valid choice."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_erased(
    site: Site, team: Workspace, typed: dict[str, object], words: str
) -> None:
    eid = an_entry(site, team.uuid)
    answer = as_a(Role.ADMIN, team).post(f"/w/{team.slug}/audit/{eid}/erase/", typed)
    assert words in answer.content.decode()
    assert kept(team.uuid, eid) == ["name", "number"]


def test_a_moderator_sees_no_button_and_erases_nothing(site: Site, team: Workspace) -> None:
    eid, client = an_entry(site, team.uuid), as_a(Role.MODERATOR, team)
    url = f"/w/{team.slug}/audit/{eid}/"
    assert "Erase personal values" not in client.get(url).content.decode()
    answer = client.post(f"{url}erase/", {"values": ["number"], "basis": GROUND})
    assert (answer.status_code, kept(team.uuid, eid)) == (403, ["name", "number"])


def test_a_neighbours_entry_does_not_exist(site: Site, team: Workspace) -> None:
    eid = an_entry(site, make.workspace().uuid)
    assert as_a(Role.ADMIN, team).get(f"/w/{team.slug}/audit/{eid}/erase/").status_code == 404


def test_what_is_erased_is_not_asked_about_again(site: Site, team: Workspace) -> None:
    eid, client = an_entry(site, team.uuid), as_a(Role.ADMIN, team)
    url = f"/w/{team.slug}/audit/{eid}/"
    client.post(f"{url}erase/", {"values": ["name", "number"], "basis": GROUND})
    assert client.get(f"{url}erase/").status_code == 404
    assert "a personal value that was erased" in client.get(url).content.decode()


def test_the_platform_team_erases_from_the_system_chain(site: Site) -> None:
    eid, client = an_entry(site, INSTALL), make.signed_in(_person(is_super_admin=True))
    url = f"/platform/audit/{eid}/"
    assert "Erase personal values" in client.get(url).content.decode()
    client.post(f"{url}erase/", {"values": ["name"], "basis": GROUND})
    assert kept(INSTALL, eid) == ["number"]
