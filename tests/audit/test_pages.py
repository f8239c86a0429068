"""The log's pages as people of a workspace see them."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from audit.forms.filter import KINDS
from audit.queries.system import every_chain
from audit.rules.clock import Reading
from audit.rules.events import Actor, Obj
from audit.rules.hashes import leaf_hash
from audit.rules.operations import OPERATIONS
from audit.rules.shown import visible
from audit.views.lines import _change
from tests.audit.conftest import Log
from tests.audit.make import INSTALL, append
from tests.audit.site import Site
from tests.workspaces import make
from workspaces.models import User, Workspace
from workspaces.rules.permissions import Role


@pytest.fixture
def site(log: Log, tmp_path: Path) -> Site:
    return Site(log, tmp_path / "audit")


@pytest.fixture
def team(site: Site) -> Workspace:
    """A workspace whose clocks show Tashkent's time; its chain is slot 3."""
    return make.workspace(name="Marketing", zone="Asia/Tashkent")


@pytest.fixture
def viewer(team: Workspace) -> User:
    return make.member(team, Role.VIEWER)


@pytest.fixture
def client(viewer: User) -> Client:
    return make.signed_in(viewer)


def number(site: Site) -> None:
    """Number what waits, as of now, and sign."""
    site.sequencer.step(Reading(timezone.now(), time.monotonic()))
    site.sign()


def a_person(name: str) -> User:
    """An account of that name; the database outlives the test, so the address is a new one."""
    return make.user(name, email=f"{uuid4().hex}@example.com")


def shown(client: Client, team: Workspace, query: str = "", status: int = 200) -> str:
    answer = client.get(f"/w/{team.slug}/audit/{query}")
    assert answer.status_code == status
    return answer.content.decode()


def done(site: Site, team: Workspace, op: str = "campaign.approve", **changes: Any) -> Any:
    return append(site.runtime, ws=team.uuid, op=op, **changes)


def test_an_entry_says_who_did_what(site: Site, team: Workspace, client: Client) -> None:
    malika = a_person("Malika Yusupova")
    done(site, team, actor=Actor("user", f"usr_{malika.pk}"), why="Fits the policy.")
    number(site)
    page = shown(client, team)
    for words in ("Malika Yusupova", "Approved a campaign", "Reason: “Fits the policy.”"):
        assert words in page


def test_a_refused_attempt_is_shown_as_one(site: Site, team: Workspace, client: Client) -> None:
    done(site, team, result="denied", why="The author cannot approve.")
    page = shown(client, team)
    assert "Tried to approve a campaign" in page
    assert "Refused: The author cannot approve." in page


def test_the_system_is_an_actor_too(site: Site, team: Workspace, client: Client) -> None:
    done(site, team, op="campaign.hold", actor=Actor("system", "sender 2"))
    page = shown(client, team)
    assert "System" in page
    assert "sender 2" in page


def test_what_changed_is_told_in_the_row(site: Site, team: Workspace, client: Client) -> None:
    done(site, team, diff={"rate": (50, 80), "is_paused": (True, False), "a": (1, 2), "b": (1, 2)})
    assert "a: 1 → 2, b: 1 → 2, is paused: yes → no, 1 more" in shown(client, team)


def test_what_has_names_of_its_own_is_told_in_words() -> None:
    change = _change("weights", [{"smsc-a": 1}, {"smsc-a": 3, "smsc-b": None}])
    assert str(change) == "weights: smsc-a 1 → smsc-a 3, smsc-b nothing"


def test_what_was_nothing_before_is_told_without_an_arrow(
    site: Site, team: Workspace, client: Client
) -> None:
    done(site, team, diff={"slug": (None, "spring")})
    assert "slug: spring" in shown(client, team)


def test_times_are_those_of_the_workspaces_zone(
    site: Site, team: Workspace, client: Client
) -> None:
    """09:00 in UTC is 14:00 in Tashkent."""
    site.sequence(0)
    assert "14:00:00" in shown(client, team)


def test_an_event_that_waits_for_its_number_is_shown(
    site: Site, team: Workspace, client: Client
) -> None:
    done(site, team)
    assert "not numbered yet" in shown(client, team)


def test_another_workspaces_entries_are_not_shown(
    site: Site, team: Workspace, client: Client
) -> None:
    done(site, make.workspace(), why="A secret of the neighbour")
    number(site)
    assert "neighbour" not in shown(client, team)


def test_a_stranger_gets_the_page_of_what_does_not_exist(team: Workspace) -> None:
    shown(make.signed_in(make.user()), team, status=404)


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        ("?action=campaign.", True),
        ("?action=sender.", False),
        ("?result=denied", False),
        ("?result=outside", False),
        ("?q=malika", True),
        ("?q=cmp_3", True),
        ("?q=cmp_4", False),
        ("?since=2020-01-01", True),
        ("?until=2020-01-01", False),
    ],
)
def test_the_filter_is_the_address(
    site: Site, team: Workspace, client: Client, query: str, is_there: bool
) -> None:
    malika = a_person("Malika Yusupova")
    done(site, team, actor=Actor("user", f"usr_{malika.pk}"))
    number(site)
    assert ("Approved a campaign" in shown(client, team, query)) is is_there


def test_what_came_around_the_product_names_the_login(
    site: Site, team: Workspace, client: Client
) -> None:
    login = Actor("system", "database:psql_user")
    done(site, team, op="sender.changed_outside", actor=login, diff={"value": ("a", "b")})
    page = shown(client, team, "?result=outside")
    for words in ("Changed a sender name around the product", "psql_user", "value: a → b"):
        assert words in page


def test_the_raw_entry_stands_beside_its_sentence(
    site: Site, team: Workspace, client: Client
) -> None:
    event = done(site, team)
    assert f"&quot;eid&quot;:&quot;{event.eid}&quot;" in shown(client, team)


def test_a_day_is_a_day_of_the_workspaces_zone(site: Site, team: Workspace, client: Client) -> None:
    """22:30 in London on the last of February is the first of March in Tashkent."""
    done(site, team)
    moment = timezone.now().replace(year=2030, month=2, day=28, hour=22, minute=30)
    site.sequencer.step(Reading(moment, time.monotonic()))
    assert "Approved a campaign" in shown(client, team, "?since=2030-03-01&until=2030-03-01")
    assert "Approved a campaign" not in shown(client, team, "?until=2030-02-28")


def test_a_filter_that_makes_no_sense_is_explained(
    site: Site, team: Workspace, client: Client
) -> None:
    done(site, team)
    page = shown(client, team, "?since=2026-03-02&until=2026-03-01")
    assert "This day is before the first one." in page
    assert "Approved a campaign" not in page


def test_a_filter_that_nothing_fits_says_so(team: Workspace, client: Client) -> None:
    assert "No entry fits this filter." in shown(client, team, "?action=pd.")


def test_older_entries_are_a_page_away_and_the_filter_stays(
    site: Site, team: Workspace, client: Client
) -> None:
    for _ in range(51):
        done(site, team)
    number(site)
    page = shown(client, team, "?action=campaign.")
    [older] = [part.split('"')[0] for part in page.split('href="')[1:] if "before=" in part[:60]]
    older_page = shown(client, team, older.replace("&amp;", "&"))
    assert "action=campaign." in older
    assert older_page.count("Approved a campaign") == 1


def test_a_page_of_entries_costs_a_fixed_number_of_queries(
    site: Site, team: Workspace, client: Client, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for _ in range(50):
        done(site, team, actor=Actor("user", f"usr_{make.user().pk}"))
    number(site)
    with django_assert_max_num_queries(30):
        shown(client, team)


def test_the_head_says_how_much_is_signed(site: Site, team: Workspace, client: Client) -> None:
    number(site)
    count = site.signer and next(
        link.seq for link in site.signer._follower.memory.links if link.ws == team.uuid
    )
    assert f"Signed: {count} entries, unbroken" in shown(client, team)


def test_the_head_says_when_nothing_is_signed_yet(team: Workspace, client: Client) -> None:
    assert "No checkpoint yet" in shown(client, team)


def test_the_head_says_when_the_next_checkpoint_is_overdue(
    site: Site, team: Workspace, client: Client
) -> None:
    site.sequence(0)
    site.sign()
    assert "The next checkpoint is overdue" in shown(client, team)


def test_one_entry_shows_its_text_and_its_hashes(
    site: Site, team: Workspace, client: Client
) -> None:
    event = done(site, team, diff={"state": ("in_review", "approved")})
    number(site)
    page = shown(client, team, f"{event.eid}/")
    [(body, leaf)] = site.superuser.execute(
        "SELECT body, leaf FROM audit_event WHERE eid = %s", [event.eid]
    ).fetchall()
    assert body.replace('"', "&quot;") in page
    assert leaf == leaf_hash(body.encode())
    for words in (leaf.hex(), "<del>in_review</del>", "<ins>approved</ins>", "smsc-audit-entry/v1"):
        assert words in page


def test_what_was_nothing_before_is_not_shown_as_deleted(
    site: Site, team: Workspace, client: Client
) -> None:
    event = done(site, team, diff={"state": (None, "draft")})
    number(site)
    page = shown(client, team, f"{event.eid}/")
    assert "<ins>draft</ins>" in page
    assert "<del>" not in page


def test_one_entry_says_that_it_is_signed(site: Site, team: Workspace, client: Client) -> None:
    event = done(site, team)
    number(site)
    assert "Recomputed and signed" in shown(client, team, f"{event.eid}/")


def test_one_entry_says_that_it_waits_for_a_checkpoint(
    site: Site, team: Workspace, client: Client
) -> None:
    number(site)
    event = done(site, team)
    number(site)
    assert "The next checkpoint will cover it" in shown(client, team, f"{event.eid}/")


def test_one_entry_says_that_it_waits_for_its_number(
    site: Site, team: Workspace, client: Client
) -> None:
    event = done(site, team)
    assert "has not numbered it yet" in shown(client, team, f"{event.eid}/")


def test_an_entry_of_another_workspace_does_not_exist(
    site: Site, team: Workspace, client: Client
) -> None:
    event = done(site, make.workspace())
    shown(client, team, f"{event.eid}/", status=404)


def test_an_entry_that_does_not_exist_is_a_404(team: Workspace, client: Client) -> None:
    shown(client, team, f"{uuid4()}/", status=404)


@pytest.fixture
def platform(team: Workspace) -> Client:
    return make.signed_in(make.user(is_super_admin=True))


def test_the_platform_team_reads_the_system_chain(
    site: Site, team: Workspace, platform: Client
) -> None:
    done(site, team, why="A matter of the workspace")
    event = append(site.runtime, ws=INSTALL, op="connection.add", why="A matter of the platform")
    number(site)
    page = platform.get("/platform/audit/").content.decode()
    assert "Added a connection" in page
    assert "A matter of the workspace" not in page
    entry = platform.get(f"/platform/audit/{event.eid}/")
    assert "A matter of the platform" in entry.content.decode()


def test_an_entry_of_a_workspace_is_not_the_platforms(
    site: Site, team: Workspace, platform: Client
) -> None:
    event = done(site, team)
    assert platform.get(f"/platform/audit/{event.eid}/").status_code == 404


def test_the_system_chain_is_nothing_for_members(team: Workspace, client: Client) -> None:
    assert client.get("/platform/audit/").status_code == 404


def test_reading_the_system_chain_leaves_no_wider_scope_behind(site: Site) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.workspace_uuid', 'before', false)")
        with every_chain():
            pass
        cursor.execute("SELECT current_setting('app.workspace_uuid')")
        assert cursor.fetchone() == ("before",)


def test_text_of_people_is_text_and_no_markup(site: Site, team: Workspace, client: Client) -> None:
    event = done(site, team, why="<script>alert(1)</script>", obj=Obj("campaign", "<b>"))
    assert "<script>alert" not in shown(client, team)
    assert "<script>alert" not in shown(client, team, f"{event.eid}/")


def test_characters_that_hide_or_reorder_text_are_shown_as_escapes() -> None:
    assert visible("pay\u202eeno\u200b\u00ad") == "pay\\u202eeno\\u200b\\u00ad"


@pytest.mark.parametrize("op", OPERATIONS)
def test_every_operation_can_be_filtered_by_its_kind(op: str) -> None:
    assert any(op.startswith(beginning) for beginning, _ in KINDS)
