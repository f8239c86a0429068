"""The campaign's page in a real Chromium: it moves by itself, asks before it acts, and is drawn
right on a phone and in the dark.
"""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from campaigns.models import Campaign
from tests.campaigns.looking import Team, path, team
from tests.campaigns.test_live_chart import sent
from tests.campaigns.test_messages import attempt
from tests.processes import Processes
from tests.workspaces import make as people
from workspaces.models import User
from workspaces.queries import keys as key_queries
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.browser
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


class Site:
    """The product's web process with a campaign that is sending, without a sender."""

    def __init__(self, url: str) -> None:
        key_queries.keys.cache_clear()
        self.url = url
        self.care: Team = team()
        self.admin = self.care.member(Role.ADMIN)
        self.campaign: Campaign = self.care.campaign(rows=1_200, name="Balance day")
        for position, kind in enumerate(("submitted", "refused", "unknown", "suppressed")):
            attempt(self.campaign, position, kind)
        self.care.counts(self.campaign, submitted=1, refused=1, unknown=1, suppressed=1)

    def open(self, page: Page, who: User, more: str = "") -> None:
        """Open a page below the campaign's with this account's session."""
        client = Client()
        people.sign_in(client, who)
        session = client.session.session_key or ""
        page.context.add_cookies([{"name": "mc_session", "value": session, "url": self.url}])
        page.goto(self.url + path(self.campaign, more))

    def state(self) -> str:
        with scope(self.care.place):
            return Campaign.objects.get(pk=self.campaign.pk).state


@pytest.fixture
def site(processes: Processes) -> Site:
    return Site(processes.start("web").url)


def test_the_counts_move_while_the_reader_looks(site: Site, page: Page) -> None:
    site.open(page, site.admin.user)
    row = page.locator("#ledger tr", has_text="Delivered").first
    expect(row).to_contain_text("0")
    site.care.counts(site.campaign, submitted=0, delivered=1, refused=1, unknown=1, suppressed=1)
    expect(row.locator("td")).to_have_text("1")


def test_p_and_enter_pause_and_the_page_says_so(site: Site, page: Page) -> None:
    site.open(page, site.admin.user)
    page.keyboard.press("p")
    expect(page.locator("#do-pause")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Paused at")
    expect(page.locator("#act-run")).to_contain_text("Resume")
    assert site.state() == "paused"


def test_the_reader_keeps_his_place_while_parts_are_replaced(site: Site, page: Page) -> None:
    site.open(page, site.admin.user)
    page.locator("#act-cancel").focus()
    with page.expect_response(lambda answer: "/now/" in answer.url):
        pass
    expect(page.locator("#act-cancel")).to_be_focused()


def test_cancelling_many_is_armed_by_the_number_and_esc_leaves(site: Site, page: Page) -> None:
    site.open(page, site.admin.user)
    page.locator("#act-cancel").click()
    button = page.locator("#do-cancel")
    expect(button).to_have_text("Cancel 1,196 messages")
    expect(button).to_be_disabled()
    page.locator("#id_typed").fill("1,196")
    expect(button).to_be_enabled()
    page.keyboard.press("Escape")
    expect(page.locator("#ask-cancel")).not_to_be_visible()
    assert site.state() == "sending"


def test_the_table_of_the_chart_is_fresh_when_it_is_opened(site: Site, page: Page) -> None:
    site.open(page, site.admin.user)
    with scope(site.care.place):
        begun = site.campaign.started_at
        assert begun is not None
        sent(site.campaign, begun, [7])
    page.get_by_text("Show as a table").click()
    expect(page.locator("#chart-rows tr").first).to_contain_text("7")


def test_without_script_the_same_acts_are_pages(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    site.open(page, site.admin.user)
    expect(page.get_by_role("link", name="Refresh")).to_be_visible()
    page.get_by_role("link", name="Pause").first.click()
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status").first).to_contain_text("Paused at")
    context.close()


ADDRESSES = ["", "messages/", "messages/?state=unknown", "messages/1/", "cancel/", "rate/"]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_every_page_fits_and_passes_the_rules(
    site: Site, page: Page, width: int, scheme: Any
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    site.open(page, site.admin.user)
    wrong = [fault for more in ADDRESSES for fault in faults_of(page, site, more)]
    root = people.user(is_super_admin=True)
    site.open(page, root)
    for address in ("/platform/campaigns/", "/platform/diagnostics/"):
        page.goto(site.url + address)
        wrong += looked_at(page)
    assert wrong == []


def faults_of(page: Page, site: Site, more: str) -> list[str]:
    page.goto(site.url + path(site.campaign, more))
    return looked_at(page)


def looked_at(page: Page) -> list[str]:
    """Return what is wrong with the page as it is drawn: too wide, or against WCAG 2.2 A and AA."""
    found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    wrong = [
        f"{page.url}: {one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]
    ]
    width, drawn = page.evaluate("[innerWidth, document.documentElement.scrollWidth]")
    return [*wrong, *([f"{page.url}: {drawn} px wide on {width}"] if drawn > width else [])]
