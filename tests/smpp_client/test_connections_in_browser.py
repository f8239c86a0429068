"""The pages of connections and routes in a real Chromium: they fit, are accessible, stay live."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from smpp_client.actions.routes import add_range, set_weights
from smpp_client.actions.shifts import make_shifts, plan_shift
from smpp_client.models import SessionStatus
from tests.browsing import looks_right_everywhere
from tests.processes import Handle
from tests.smpp_client import wires
from tests.visitors import sign_in
from tests.workspaces import make

pytestmark = pytest.mark.browser


def divide_further() -> None:
    """Make a backup, a number range and a shift that has begun on the route."""
    now = timezone.now()
    weights = {"smsc-a": 3, "hub-alpha": 1, "a-partner-with-quite-a-long-name": 1}
    tiers = {"a-partner-with-quite-a-long-name": 1}
    set_weights(name="main", weights=weights, tiers=tiers, by=wires.BY, now=now)
    for prefix, connection in (("4477009", "hub-alpha"), ("1555", "smsc-a")):
        add_range(name="main", prefix=prefix, connection=connection, by=wires.BY, now=now)
    to = weights | {"smsc-a": 1, "hub-alpha": 3}
    step = timedelta(minutes=10)
    plan_shift(name="main", to=to, percents=[5, 25, 50, 100], step=step, by=wires.BY, now=now)
    make_shifts(now)


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
        divide_further()
        make.workspace("care", "Subscriber care")
        self.root = make.user("Sardor Tursunov", is_super_admin=True)

    def seen(self, in_flight: int) -> None:
        """Let the connection that is up be seen now, with so many messages on their way."""
        rows = SessionStatus.objects.filter(pk=self.status.pk)
        rows.update(in_flight=in_flight, observed_at=timezone.now())


@pytest.fixture(scope="module")
def site(served: Handle, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site. A test that changes a connection makes one of its own."""
    return Site(served.url, tmp_path_factory.mktemp("connections"))


HOME, ROUTES = "/platform/connections/", "/platform/routes/"
PAGES = [
    *(HOME, f"{HOME}new/", f"{HOME}smsc-a/", f"{HOME}hub-alpha/", f"{HOME}hub-alpha/edit/"),
    *(f"{HOME}smsc-a/disable/", ROUTES, f"{ROUTES}new/", f"{ROUTES}main/"),
    *(f"{ROUTES}main/revoke/care/", "/platform/workspaces/", "/platform/workspaces/care/weight/"),
]


def test_every_page_fits_and_is_accessible(site: Site, page: Page) -> None:
    sign_in(page, site.url, site.root)
    wrong: list[str] = []
    for path in PAGES:
        page.goto(site.url + path)
        wrong += looks_right_everywhere(page)
    assert wrong == []


def test_the_list_renews_itself(site: Site, page: Page) -> None:
    sign_in(page, site.url, site.root)
    site.seen(12)
    page.goto(site.url + HOME)
    expect(page.locator("#wire")).to_contain_text("12 of 50")
    site.seen(31)
    expect(page.locator("#wire")).to_contain_text("31 of 50", timeout=15_000)


def test_disabling_asks_in_a_dialog(site: Site, page: Page, tmp_path: Path) -> None:
    wires.connection(tmp_path, "smsc-b")
    sign_in(page, site.url, site.root)
    page.goto(f"{site.url}{HOME}smsc-b/")
    page.get_by_role("link", name="Disable").click()
    dialog = page.get_by_role("dialog", name="Disable smsc-b?")
    dialog.get_by_role("button", name="Disable smsc-b").click()
    expect(page.get_by_role("status").first).to_contain_text("smsc-b is disabled.")


def test_a_check_shows_its_steps(site: Site, page: Page) -> None:
    sign_in(page, site.url, site.root)
    page.goto(f"{site.url}{HOME}hub-alpha/")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no file")
