"""The pages of replies and STOP words in a real Chromium: they fit and are accessible."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from campaigns.actions.stop_words import add_own_word
from campaigns.models import WordKind
from tests import make as nouns
from tests.browsing import looks_right_everywhere
from tests.campaigns.inbound import came, wrote
from tests.processes import Handle
from tests.visitors import sign_in
from tests.workspaces import make
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope, scope_everywhere

pytestmark = pytest.mark.browser

CODE = "2020"
TEXTS = (
    "How do I switch roaming off before I land? My bill last month was far too high.",
    "STOP",
    "Здравствуйте! Когда починят связь в Юнусабаде? Второй день без интернета, а вы молчите.",
    "توقف",
    "OK",
)


class Site:
    """The product's web process, with a workspace to which subscribers wrote."""

    def __init__(self, url: str) -> None:
        self.url = url
        place = make.workspace("care", "Subscriber care", "Asia/Tashkent")
        member = make.member(place, Role.ADMIN, make.user("Malika Yusupova"))
        self.admin: Me = make.me(member, place, Role.ADMIN)
        self.root = make.user("Sardor Tursunov", is_super_admin=True)
        with scope_everywhere("the test makes rows"):
            wire, elsewhere = nouns.connection("smsc-a"), nouns.connection("hub-b")
            nouns.sender(place, CODE)
            through = nouns.route(place, wire)
        with scope(place):
            nouns.sending(self.admin, through, rows=6)
            add_own_word(by=self.admin, kind=WordKind.STOP, word="Yetarli", now=timezone.now())
        for index, text in enumerate(TEXTS):
            at = timezone.now() - timedelta(minutes=40 - 7 * index)
            rows = came(wire, wrote(index, text, CODE, at=at))
        came(wire, wrote(0, "One more thing", CODE))
        came(elsewhere, wrote(0, "STOP", CODE), wrote(3, "Who are you?", "7777"))
        self.last_id = rows[0].pk


@pytest.fixture(scope="module")
def site(served: Handle) -> Site:
    """The site. Its tests do not meet."""
    return Site(served.url)


def test_every_page_fits_and_is_accessible(site: Site, page: Page) -> None:
    home = "/w/care/replies/"
    words = "/w/care/optouts/words/"
    wrong: list[str] = []
    for who, paths in (
        (site.admin.user, [home, f"{home}?show=nobody", f"{home}{site.last_id}/", words]),
        (site.admin.user, [f"{words}1/remove/", "/w/care/optouts/", "/w/care/settings/"]),
        (site.root, ["/platform/inbound/", "/platform/stop-words/"]),
    ):
        sign_in(page, site.url, who)
        for path in paths:
            page.goto(f"{site.url}{path}")
            wrong += looks_right_everywhere(page)
    assert wrong == []


def test_one_press_opts_a_writer_out(site: Site, page: Page) -> None:
    sign_in(page, site.url, site.admin.user)
    page.goto(f"{site.url}/w/care/replies/")
    row = page.get_by_role("row").filter(has_text="OK")
    row.get_by_role("button", name="Opt out").click()
    expect(page.get_by_text("The number is opted out.")).to_be_visible()
    expect(page.get_by_text("This person gets no messages of this workspace.")).to_be_visible()
