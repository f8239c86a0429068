"""The pages of sender names in a real Chromium: they fit, are accessible and ask first."""

import pytest
from playwright.sync_api import Page, expect

from campaigns.actions.senders import propose_revision
from tests.browsing import looks_right_everywhere
from tests.campaigns import names
from tests.processes import Handle
from tests.visitors import sign_in
from tests.workspaces import make
from workspaces.models import Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.browser

HOME = "/w/care/senders/"


class Site:
    """The product's web process, with one name in use and in review again."""

    def __init__(self, url: str) -> None:
        self.url = url
        place = make.workspace("care", "Subscriber care", "Asia/Tashkent")
        self.admin = self._person(Role.ADMIN, "Malika Yusupova", place)
        self.moderator = self._person(Role.MODERATOR, "Jasur Rahimov", place)
        names.protect("Registan Bank")
        self.author = self._person(Role.AUTHOR, "Kamola Ismoilova", place)
        self.in_review_again("Registon")
        names.proposed(self.admin, "RegistanBan")
        self.root = make.user("Sardor Tursunov", is_super_admin=True)

    def in_review_again(self, value: str) -> str:
        """Make a name in use whose second revision is in review; return its address."""
        sender = names.in_use(self.admin, value)
        with scope(self.admin.here):
            propose_revision(
                sender_id=sender.pk,
                by=self.author,
                proposal=names.proposal(value, purpose="Outages and service notices"),
                now=make.NOW,
            )
        return f"{self.url}{HOME}{value}/"

    def _person(self, role: Role, name: str, place: Workspace) -> Me:
        return make.me(make.member(place, role, make.user(name)), place, role)


@pytest.fixture(scope="module")
def site(served: Handle) -> Site:
    """The site. A test that decides makes a name of its own."""
    return Site(served.url)


PAGES = [
    HOME,
    f"{HOME}?state=archived",
    f"{HOME}Registon/",
    f"{HOME}Registon/revisions/1/",
    f"{HOME}Registon/propose/",
    f"{HOME}Registon/decide/reject/",
    f"{HOME}Registon/archive/",
    f"{HOME}RegistanBan/",
    f"{HOME}new/",
]


def test_every_page_fits_and_is_accessible(site: Site, page: Page) -> None:
    wrong: list[str] = []
    for who, paths in (
        (site.moderator.user, PAGES[:6]),
        (site.admin.user, PAGES),
        (site.root, ["/platform/senders/", "/platform/senders/1/lift/"]),
    ):
        sign_in(page, site.url, who)
        for path in paths:
            page.goto(site.url + path)
            wrong += looks_right_everywhere(page)
    assert wrong == []


def test_the_preview_follows_typing(site: Site, page: Page) -> None:
    sign_in(page, site.url, site.admin.user)
    page.goto(f"{site.url}{HOME}new/")
    page.get_by_label("Name on the phone").fill("1177")
    expect(page.locator("#preview")).to_contain_text("TON 3, NPI 0")
    page.get_by_label("Name on the phone").fill("Am\u0431er")
    expect(page.locator("#preview")).to_contain_text("cyrillic small letter be")
    page.get_by_label("Name on the phone").fill("Registan8an")
    expect(page.locator("#preview")).to_contain_text("two persons have to approve it")


def test_approving_asks_in_a_dialog_that_keyboard_and_key_a_open(site: Site, page: Page) -> None:
    sign_in(page, site.url, site.moderator.user)
    page.goto(site.in_review_again("Afrosiyob"))
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog", name="Approve revision 2 of Afrosiyob?")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("a")
    dialog.get_by_label("Note").fill("Letter checked.")
    dialog.get_by_role("button", name="Approve revision 2").click()
    expect(page.get_by_role("status").first).to_contain_text("Revision 2 is approved and in use.")
    expect(page.locator("main")).to_contain_text("“Letter checked.”")


def test_without_script_the_same_question_is_a_page(site: Site, page: Page) -> None:
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False)
    plain = context.new_page()
    sign_in(plain, site.url, site.moderator.user)
    plain.goto(site.in_review_again("Chilonzor"))
    plain.get_by_role("link", name="Reject revision 2").click()
    plain.get_by_label("Note").fill("No letter.")
    plain.get_by_role("button", name="Reject revision 2").click()
    expect(plain.locator("main")).to_contain_text("Jasur Rahimov rejected revision 2")
    context.close()
