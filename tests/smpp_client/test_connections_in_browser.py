"""The pages of connections and routes in a real Chromium: they fit, are accessible, stay live."""

from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from smpp_client.models import SessionStatus
from tests.processes import Processes
from tests.smpp_client import wires
from tests.workspaces import make
from tests.workspaces.test_in_browser import looks_right

pytestmark = pytest.mark.browser


class Site:
    """The product's web process with three connections: one up, one down, one not known."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.status = wires.seen(
            wires.connection(folder / "a", "smsc-a"), rate_now=40, in_flight=12, response_ms=70
        )
        down = wires.connection(folder / "b", "hub-alpha")
        wires.seen(down, "down", sentence="The password is wrong (0x0E).")
        Path(down.cert_file).unlink()
        wires.connection(folder / "c", "a-partner-with-quite-a-long-name", host="smsc.example.net")
        wires.route("main", smsc_a=3, hub_alpha=1)
        make.workspace("care", "Subscriber care")
        self.root = make.user("Sardor Tursunov", is_super_admin=True)

    def sign_in(self, page: Page) -> None:
        """Give the browser a session of the platform team."""
        client = Client()
        make.sign_in(client, self.root)
        key = client.session.session_key or ""
        page.context.add_cookies([{"name": "mc_session", "value": key, "url": self.url}])


@pytest.fixture
def site(processes: Processes, tmp_path: Path) -> Site:
    """The site."""
    return Site(processes.start("web").url, tmp_path)


HOME, ROUTES = "/platform/connections/", "/platform/routes/"
PAGES = [
    *(HOME, f"{HOME}new/", f"{HOME}smsc-a/", f"{HOME}hub-alpha/", f"{HOME}hub-alpha/edit/"),
    *(f"{HOME}smsc-a/disable/", ROUTES, f"{ROUTES}new/", f"{ROUTES}main/"),
    f"{ROUTES}main/revoke/care/",
]


@pytest.mark.parametrize(("width", "height", "colours"), [(1440, 900, "light"), (390, 844, "dark")])
def test_every_page_fits_and_is_accessible(
    site: Site, page: Page, width: int, height: int, colours: str
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
    site.sign_in(page)
    wrong: list[str] = []
    for path in PAGES:
        page.goto(site.url + path)
        wrong.extend(looks_right(page))
    assert wrong == []


def test_the_list_renews_itself(site: Site, page: Page) -> None:
    site.sign_in(page)
    page.goto(site.url + HOME)
    expect(page.locator("#wire")).to_contain_text("12 of 50")
    SessionStatus.objects.filter(pk=site.status.pk).update(in_flight=31)
    expect(page.locator("#wire")).to_contain_text("31 of 50", timeout=15_000)


def test_disabling_asks_in_a_dialog(site: Site, page: Page) -> None:
    site.sign_in(page)
    page.goto(f"{site.url}{HOME}smsc-a/")
    page.get_by_role("link", name="Disable").click()
    dialog = page.get_by_role("dialog", name="Disable smsc-a?")
    dialog.get_by_role("button", name="Disable smsc-a").click()
    expect(page.get_by_role("status").first).to_contain_text("smsc-a is disabled.")


def test_a_check_shows_its_steps(site: Site, page: Page) -> None:
    site.sign_in(page)
    page.goto(f"{site.url}{HOME}hub-alpha/")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no file")
