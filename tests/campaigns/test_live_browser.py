"""The campaign's page in a real Chromium: it moves by itself, asks before it acts, and is drawn
right on a phone and in the dark.
"""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from campaigns.models import Campaign
from tests.browsing import looks_right_everywhere
from tests.campaigns.looking import Team, path, team
from tests.campaigns.test_live_chart import sent
from tests.campaigns.test_messages import attempt
from tests.processes import Handle
from tests.visitors import sign_in
from tests.workspaces import make as people
from workspaces.models import User
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.browser


class Site:
    """The product's web process with a campaign that is sending, without a sender."""

    def __init__(self, url: str, rows: int = 60) -> None:
        self.url = url
        self.care: Team = team("")
        self.admin = self.care.member(Role.ADMIN)
        self.campaign: Campaign = self.care.campaign(rows=rows, name="Balance day")
        for position, kind in enumerate(("submitted", "refused", "unknown", "suppressed")):
            attempt(self.campaign, position, kind, batch_id=self.campaign.pk)
        self.care.counts(self.campaign, submitted=1, refused=1, unknown=1, suppressed=1)

    def open(self, page: Page, who: User, more: str = "") -> None:
        """Open a page below the campaign's with this account's session."""
        sign_in(page, self.url, who)
        page.goto(self.url + path(self.campaign, more))

    def state(self) -> str:
        with scope(self.care.place):
            return Campaign.objects.get(pk=self.campaign.pk).state


@pytest.fixture
def site(served: Handle) -> Site:
    """The site."""
    return Site(served.url)


@pytest.fixture
def crowd(served: Handle) -> Site:
    """The site, with a campaign to many."""
    return Site(served.url, rows=1_200)


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


def test_cancelling_many_is_armed_by_the_number_and_esc_leaves(crowd: Site, page: Page) -> None:
    crowd.open(page, crowd.admin.user)
    page.locator("#act-cancel").click()
    button = page.locator("#do-cancel")
    expect(button).to_have_text("Cancel 1,196 messages")
    expect(button).to_be_disabled()
    page.locator("#id_typed").fill("1,196")
    expect(button).to_be_enabled()
    page.keyboard.press("Escape")
    expect(page.locator("#ask-cancel")).not_to_be_visible()
    assert crowd.state() == "sending"


def test_the_table_of_the_chart_is_fresh_when_it_is_opened(site: Site, page: Page) -> None:
    begun = timezone.now() - timedelta(minutes=1)
    with scope(site.care.place):
        Campaign.objects.filter(pk=site.campaign.pk).update(started_at=begun)
    site.open(page, site.admin.user)
    with scope(site.care.place):
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


def test_every_page_fits_and_passes_the_rules(crowd: Site, page: Page) -> None:
    root = people.user(is_super_admin=True)
    ours = [path(crowd.campaign, more) for more in ADDRESSES]
    wrong: list[str] = []
    for who, addresses in (
        (crowd.admin.user, ours),
        (root, ["/platform/campaigns/", "/platform/diagnostics/"]),
    ):
        sign_in(page, crowd.url, who)
        for address in addresses:
            page.goto(crowd.url + address)
            wrong += looks_right_everywhere(page)
    assert wrong == []
