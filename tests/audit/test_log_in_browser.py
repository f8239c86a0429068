"""The log's pages in a real Chromium: wide and narrow, by keyboard, with an entry of every kind."""

import time
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Page, expect

from audit.actions.record import record
from audit.rules.clock import Reading
from audit.rules.events import Obj
from campaigns.actions.opt_outs import add_opt_out
from tests import make as rows
from tests.audit.conftest import Log
from tests.audit.site import Site
from tests.browsing import looks_right
from tests.campaigns.names import proposed
from tests.conftest import Database
from tests.processes import Processes
from tests.visitors import sign_in
from tests.workspaces import make
from workspaces.models import User, Workspace
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.browser


class Scene:
    """A workspace where people worked, and somebody with psql did too; signed a moment ago."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.team: Workspace = make.workspace("marketing", "Marketing", "Asia/Tashkent")
        self.admin: User = make.member(self.team, Role.ADMIN, make.user("Malika Yusupova"))
        by = make.me(self.admin, self.team, Role.ADMIN)
        self.sender = proposed(by, "Amber")
        with scope(self.team):
            add_opt_out(
                by=by,
                text="+447700900001",
                country="GB",
                words="Asked the desk",
                now=timezone.now(),
            )
            with connection.cursor() as cursor:
                cursor.execute("UPDATE sender SET is_archived = true")
            rows.sender(self.team, "Bright")
            # A digest has no place to break, and a phone no room for it.
            self.digested = record(
                "list.upload",
                workspace=self.team.uuid,
                actor=by.actor,
                obj=Obj("recipient_list", "lst_1"),
                now=timezone.now(),
                diff={"sha256": (None, "6ac4e393" * 8)},
            )
        site = Site(Log(database.ground, database.name), folder)
        site.sequencer.step(Reading(timezone.now(), time.monotonic()))
        site.sign()
        site.log.close()


@pytest.fixture
def scene(database: Database, tmp_path: Path) -> Scene:
    return Scene(database, tmp_path / "audit")


def wide_and_narrow(page: Page) -> list[str]:
    """Return what is wrong with the page on a desk and on a phone."""
    wrong = []
    for width, height in ((1440, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        wrong += looks_right(page)
    return wrong


def test_the_log_is_read_filtered_and_erased_from_by_keyboard(
    scene: Scene, processes: Processes, page: Page
) -> None:
    url = processes.start("web").url
    sign_in(page, url, scene.admin)
    wrong: list[str] = []

    page.goto(f"{url}/w/marketing/audit/")
    expect(page.get_by_text("Changed a sender name around the product").first).to_be_visible()
    wrong += wide_and_narrow(page)
    page.get_by_text("Raw entry").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("pre.raw").first).to_be_visible()
    wrong += wide_and_narrow(page)

    page.goto(f"{url}/w/marketing/audit/?result=outside")
    expect(page.get_by_text("mc_app").first).to_be_visible()
    wrong += wide_and_narrow(page)

    page.goto(f"{url}/w/marketing/audit/{scene.digested}/")
    expect(page.locator("ins")).to_have_text("6ac4e393" * 8)
    wrong += wide_and_narrow(page)

    page.goto(f"{url}/w/marketing/senders/Amber/")
    page.get_by_role("link", name="In the audit log").click()
    expect(page).to_have_url(f"{url}/w/marketing/audit/?q=snd_{scene.sender.pk}")
    expect(page.get_by_text("Created a sender name")).to_be_visible()
    expect(page.get_by_text("Added an opt-out")).to_have_count(0)

    page.goto(f"{url}/w/marketing/audit/?action=optout.")
    page.locator("td.c-e a").first.click()
    wrong += wide_and_narrow(page)
    page.get_by_role("link", name="Erase personal values").click()
    wrong += wide_and_narrow(page)
    page.get_by_role("button", name="Erase for ever").click()
    expect(page.get_by_text("This field is required.").first).to_be_visible()
    wrong += wide_and_narrow(page)
    page.get_by_label("Legal ground").fill("Request of the person, article 17(1)(b)")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 value is erased.")).to_be_visible()
    expect(page.get_by_text("a personal value that was erased")).to_be_visible()
    expect(page.get_by_role("link", name="Erase personal values")).to_have_count(0)

    assert wrong == []
