"""The pages of sender names in a real Chromium: they fit, are accessible and ask first."""

import pytest
from playwright.sync_api import Page, expect

from campaigns.actions.senders import propose_revision
from campaigns.models import Sender
from tests.browsing import looks_right_everywhere
from tests.campaigns import names
from tests.processes import Processes
from tests.visitors import sign_in
from tests.workspaces import make
from workspaces.models import Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.browser


class Site:
    """The product's web process, with one name in use and in review again."""

    def __init__(self, url: str) -> None:
        self.url = url
        place = make.workspace("care", "Subscriber care", "Asia/Tashkent")
        self.admin = self._person(Role.ADMIN, "Malika Yusupova", place)
        self.moderator = self._person(Role.MODERATOR, "Jasur Rahimov", place)
        names.protect("Registan Bank")
        self.sender: Sender = names.in_use(self.admin, "Registon")
        with scope(place):
            propose_revision(
                sender_id=self.sender.pk,
                by=self._person(Role.AUTHOR, "Kamola Ismoilova", place),
                proposal=names.proposal("Registon", purpose="Outages and service notices"),
                now=make.NOW,
            )
        names.proposed(self.admin, "RegistanBan")
        self.root = make.user("Sardor Tursunov", is_super_admin=True)

    def _person(self, role: Role, name: str, place: Workspace) -> Me:
        return make.me(make.member(place, role, make.user(name)), place, role)


@pytest.fixture
def site(processes: Processes) -> Site:
    """The site."""
    return Site(processes.start("web").url)


HOME = "/w/care/senders/"
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
    page.goto(f"{site.url}{HOME}Registon/")
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog", name="Approve revision 2 of Registon?")
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
    plain.goto(f"{site.url}{HOME}Registon/")
    plain.get_by_role("link", name="Reject revision 2").click()
    plain.get_by_label("Note").fill("No letter.")
    plain.get_by_role("button", name="Reject revision 2").click()
    expect(plain.locator("main")).to_contain_text("Jasur Rahimov rejected revision 2")
    context.close()
