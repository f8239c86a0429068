"""The same pages in a real Chromium: by keyboard, on a phone, in the dark, without script."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import looks_right, looks_right_everywhere
from tests.processes import Handle
from tests.visitors import sign_in
from tests.workspaces import make
from workspaces.actions.invitations import NewInvitation, invite
from workspaces.actions.joining import ask_to_join
from workspaces.models import User, Workspace
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.browser


class Site:
    """The product's web process with a few people in it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.care: Workspace = make.workspace("care", "Subscriber care", "Asia/Tashkent")
        self.admin: User = make.member(self.care, Role.ADMIN, make.user("Dilnoza Karimova"))
        self.root: User = make.user("Malika Yusupova", is_super_admin=True)
        self.ann: User = make.member(
            self.care, Role.AUTHOR_MODERATOR, make.user("Kamola Ismoilova")
        )
        self.invitation = self.invited("a.new.colleague@subsidiary.example.com")
        by = make.me(self.admin, self.care, Role.ADMIN)
        self.key = make.key(self.care, by, "message.send", "message.see").key
        ask_to_join(
            workspace=self.care, by=make.me(make.user()), text="I cover for Ann.", now=make.NOW
        )
        make.workspace("roaming", "Roaming", "Europe/London")

    def dora(self, email: str) -> User:
        """Return another admin, who has a password. To sign in hashes it anew, as the product does,
        which ends the sessions that a test has given her.
        """
        who = make.user("Dora Stein", email=email, password=make.PASSWORD)
        return make.member(self.care, Role.ADMIN, who)

    def invited(self, email: str) -> NewInvitation:
        """Invite somebody."""
        by = make.me(self.admin, self.care, Role.ADMIN)
        with scope(self.care):
            return invite(email=email, role="author_moderator", by=by, now=make.NOW)


@pytest.fixture(scope="module")
def site(served: Handle) -> Site:
    """The site. A test that changes a person makes one of its own."""
    return Site(served.url)


def addresses(site: Site) -> dict[str, list[str]]:
    """Who looks at which pages."""
    care, ann, key = "/w/care", site.ann.pk, site.key.pk
    return {
        "admin": [
            "/choose/",
            "/me/",
            "/me/password/",
            "/me/sessions/",
            f"{care}/members/",
            f"{care}/members/{ann}/remove/",
            f"{care}/keys/",
            f"{care}/keys/new/",
            f"{care}/keys/{key}/revoke/",
            f"{care}/settings/",
        ],
        "root": [
            f"{care}/members/",
            "/platform/",
            "/platform/workspaces/",
            "/platform/workspaces/new/",
            "/platform/workspaces/care/suspend/",
            "/platform/workspaces/care/enter/",
            "/platform/users/",
            "/platform/users/new/",
            f"/platform/users/{ann}/disable/",
            f"/platform/users/{ann}/super-admin/",
        ],
        "": [
            "/sign-in/",
            "/sign-in/forgotten/",
            "/sign-in/forgotten/sent/",
            f"/invitations/{site.invitation.token}/",
        ],
    }


def test_every_page_fits_and_is_accessible(site: Site, page: Page) -> None:
    wrong: list[str] = []
    for who, paths in addresses(site).items():
        page.context.clear_cookies()
        if who:
            sign_in(page, site.url, site.admin if who == "admin" else site.root)
        for path in paths:
            page.goto(site.url + path)
            wrong += looks_right_everywhere(page)
    assert wrong == []


def test_signing_in_by_keyboard_alone(site: Site, page: Page) -> None:
    dora = site.dora("by.keyboard@example.com")
    page.goto(f"{site.url}/sign-in/?next=/me/")
    expect(page.locator("#id_email")).to_be_focused()
    page.keyboard.type(dora.email)
    page.keyboard.press("Tab")
    page.keyboard.type("not this one")
    page.keyboard.press("Enter")
    summary = page.locator("[data-error-summary]")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("One of them is not right")
    assert looks_right(page) == []
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#id_password")).to_be_focused()
    page.keyboard.type(make.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your account")).to_be_visible()


def test_a_password_can_be_shown_and_hidden(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/sign-in/")
    field = page.locator("#id_password")
    field.fill("something")
    page.get_by_text("Show", exact=True).click()
    expect(field).to_have_attribute("type", "text")
    page.get_by_text("Hide", exact=True).click()
    expect(field).to_have_attribute("type", "password")


def test_a_new_key_is_copied_with_one_press(site: Site, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(page, site.url, site.admin)
    page.goto(f"{site.url}/w/care/keys/new/")
    page.get_by_label("Name", exact=True).fill("Care portal")
    page.get_by_label("Read the state of messages").check()
    page.get_by_role("button", name="Make key").click()
    token = page.locator("#token").inner_text()
    page.get_by_role("button", name="Copy token").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == token
    assert looks_right(page) == []


def test_the_password_is_asked_again_and_the_act_goes_on(site: Site, page: Page) -> None:
    make.member(site.care, Role.AUTHOR_MODERATOR, make.user("Nodira Saidova"))
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, site.url, site.dora("asked.again@example.com"), minutes_ago=6)
    page.goto(f"{site.url}/w/care/members/")
    page.get_by_label("Role of Nodira Saidova").select_option("viewer")
    page.get_by_role("button", name="Change Nodira Saidova").click()
    expect(page.locator("#proof_password")).to_be_focused()
    assert looks_right(page) == []
    page.keyboard.type(make.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nodira Saidova is now Viewer.")).to_be_visible()


def test_an_invited_person_comes_in_on_a_phone(site: Site, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{site.url}/invitations/{site.invited('ann.lee@example.com').token}/")
    expect(page).to_have_url(f"{site.url}/invitations/")
    page.get_by_label("Your name").fill("Ann Lee")
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_label("New password again", exact=True).fill("short")
    page.get_by_role("button", name="Create my account and join").click()
    expect(page.locator("[data-error-summary]")).to_contain_text("at least 12 characters")
    expect(page.get_by_label("Your name")).to_have_value("Ann Lee")
    page.get_by_label("New password", exact=True).fill(make.PASSWORD)
    page.get_by_label("New password again", exact=True).fill(make.PASSWORD)
    with page.expect_response(lambda answer: answer.url.endswith("/invitations/")):
        page.get_by_role("button", name="Create my account and join").click()
    page.goto(f"{site.url}/w/care/members/")
    expect(page.get_by_role("cell", name="Ann Lee")).to_be_visible()


def test_everything_works_without_script(site: Site, browser: Browser) -> None:
    make.member(site.care, Role.AUTHOR_MODERATOR, make.user("Bobur Aliev"))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    dora = site.dora("without.script@example.com")
    page.goto(f"{site.url}/sign-in/?next=/w/care/members/")
    page.fill("#id_email", dora.email)
    page.fill("#id_password", make.PASSWORD)
    page.click("button[type=submit]")
    page.fill("#id_email", "somebody@example.com")
    page.get_by_role("button", name="Send invitation").click()
    expect(page.get_by_text("The invitation to somebody@example.com is sent.")).to_be_visible()
    page.get_by_role("link", name="Remove Bobur Aliev").click()
    page.get_by_role("button", name="Remove Bobur Aliev").click()
    expect(page.get_by_text("no longer a member")).to_be_visible()
    context.close()
