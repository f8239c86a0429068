"""Workspaces: created with their chain, changed, suspended, entered."""

from datetime import timedelta

import pytest
from django.db import connection

from tests.workspaces import make
from tests.workspaces.log import entries, ops
from workspaces.actions.visits import VisitRefused, enter_workspace, leave_workspace
from workspaces.actions.workspaces import (
    WorkspaceRefused,
    change_settings,
    create_workspace,
    resume_workspace,
    suspend_workspace,
)
from workspaces.models import Workspace
from workspaces.queries.access import current_visit
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

NOW = make.NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(db: None) -> Me:
    return make.me(make.user("Root", is_super_admin=True))


def create(slug: str = "care", name: str = "Subscriber care", zone: str = "UTC") -> Workspace:
    return create_workspace(slug=slug, name=name, zone=zone, by_actor=make.SETUP, now=NOW)


def test_a_workspace_begins_with_an_open_chain_and_an_entry_in_both() -> None:
    care = create()
    with scope(care), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_head WHERE ws = %s", [care.uuid])
        assert cursor.fetchone() == (1,)
    expected = (
        "workspace.create",
        f"wsp_{care.pk}",
        {"slug": [None, "care"], "zone": [None, "UTC"]},
    )
    assert ops(care) == [expected]
    assert ops()[-1] == expected


@pytest.mark.parametrize("slug", ["", "Care", "a--b", "-a", "a_b", "a b", "a" * 41, "ко"])
def test_an_address_that_is_none_is_refused(slug: str) -> None:
    with pytest.raises(WorkspaceRefused) as refused:
        create(slug)
    assert refused.value.field == "slug"


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\0b"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(WorkspaceRefused) as refused:
        create(name=name)
    assert refused.value.field == "name"


@pytest.mark.parametrize("zone", ["", "Tashkent", "EST", "Europe/../UTC", "Asia/Atlantis"])
def test_a_zone_that_is_none_is_refused(zone: str) -> None:
    with pytest.raises(WorkspaceRefused) as refused:
        create(zone=zone)
    assert refused.value.field == "zone"


def test_an_address_belongs_to_one_workspace() -> None:
    create()
    with pytest.raises(WorkspaceRefused, match="Another workspace has this address"):
        create()


def test_a_change_of_settings_is_recorded_with_what_differs() -> None:
    care = create()
    admin = make.me_in(care)
    with scope(care):
        change_settings(by=admin, name="Care", zone="UTC", is_open_to_requests=False, now=NOW)
    op, _obj, diff = ops(care)[-1]
    assert op == "workspace.edit"
    assert diff == {
        "name": ["Subscriber care", "Care"],
        "is_open_to_requests": [True, False],
    }


def test_settings_that_do_not_differ_are_not_recorded() -> None:
    care = create()
    admin = make.me_in(care)
    before = len(entries(care))
    with scope(care):
        change_settings(by=admin, name=care.name, zone="UTC", is_open_to_requests=True, now=NOW)
    assert len(entries(care)) == before


def test_suspending_and_resuming_are_recorded_in_both_chains(root: Me) -> None:
    care = create()
    suspend_workspace(workspace=care, by=root, why="Contract ended", now=NOW)
    assert Workspace.objects.get(pk=care.pk).is_suspended
    resume_workspace(workspace=care, by=root, now=NOW)
    assert not Workspace.objects.get(pk=care.pk).is_suspended
    wanted = ["workspace.suspend", "workspace.resume"]
    assert [op for op, _obj, _diff in ops(care)][-2:] == wanted
    assert [op for op, _obj, _diff in ops()][-2:] == wanted


def test_suspending_asks_for_a_reason_and_happens_once(root: Me) -> None:
    care = create()
    with pytest.raises(WorkspaceRefused, match="Say why"):
        suspend_workspace(workspace=care, by=root, why=" ", now=NOW)
    suspend_workspace(workspace=care, by=root, why="Contract ended", now=NOW)
    with pytest.raises(WorkspaceRefused, match="already"):
        suspend_workspace(workspace=care, by=root, why="Again", now=NOW)


def test_entering_lasts_an_hour_and_says_why_in_the_workspaces_log(root: Me) -> None:
    care = create()
    visit = enter_workspace(workspace=care, reason="Ticket 4711, stuck list", by=root, now=NOW)
    assert visit.ends_at == NOW + timedelta(minutes=60)
    entry = entries(care)[-1]
    assert (entry["op"], entry["why"]) == ("workspace.enter", "Ticket 4711, stuck list")
    with scope(care):
        assert current_visit(care, root.user, NOW + timedelta(minutes=59)) == visit
        assert current_visit(care, root.user, NOW + timedelta(minutes=60)) is None


def test_entering_asks_for_a_reason_that_says_something(root: Me) -> None:
    care = create()
    with pytest.raises(VisitRefused, match="10 to 300 characters"):
        enter_workspace(workspace=care, reason="because  .", by=root, now=NOW)


def test_leaving_ends_the_visit_at_once(root: Me) -> None:
    care = create()
    enter_workspace(workspace=care, reason="Ticket 4711, stuck list", by=root, now=NOW)
    leave_workspace(workspace=care, by=root, now=NOW + timedelta(minutes=5))
    with scope(care):
        assert current_visit(care, root.user, NOW + timedelta(minutes=6)) is None
    assert ops(care)[-1][0] == "workspace.leave"
    leave_workspace(workspace=care, by=root, now=NOW + timedelta(minutes=6))
    assert [op for op, _obj, _diff in ops(care)].count("workspace.leave") == 1


def test_a_visit_is_of_one_person(root: Me) -> None:
    care = create()
    enter_workspace(workspace=care, reason="Ticket 4711, stuck list", by=root, now=NOW)
    other = make.user("Other root", is_super_admin=True)
    with scope(care):
        assert current_visit(care, other, NOW) is None
    assert make.me(other, care).role is Role.SUPER_ADMIN
