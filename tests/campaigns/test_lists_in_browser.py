"""Uploading and opting out in a real Chromium: a network that breaks, a phone, no script."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django import Settings

from campaigns.models import RecipientList
from tests.browsing import Faults, looks_right_everywhere
from tests.campaigns.lists import PEOPLE, again, finished, ordered, sent, uploaded
from tests.processes import Handle
from tests.visitors import sign_in
from tests.workspaces import make
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.browser

# More than two pieces of what the script sends at once.
LONG = b"phone,name\n" + b"".join(
    b"0770090%04d,Name %07d\n" % (n % 1000, n) for n in range(400_000)
)


class Site:
    """The web process with an author who is signed in."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.author: Me = make.me_in(make.workspace(), Role.AUTHOR)
        self.home = f"{url}/w/{self.author.here.slug}/lists/"
        self.opt_outs = f"{url}/w/{self.author.here.slug}/optouts/"

    def newest(self) -> RecipientList:
        """Return the list made last."""
        with scope(self.author.here):
            return RecipientList.objects.select_related("workspace").latest("pk")


@pytest.fixture
def site(served: Handle, settings: Settings) -> Site:
    """The site, whose uploads this process finds too."""
    settings.UPLOAD_DIR = served.data / "uploads"
    return Site(served.url)


@pytest.fixture
def author(site: Site, page: Page) -> Page:
    """A page in which the author is signed in."""
    sign_in(page, site.url, site.author.user)
    return page


@pytest.fixture
def plain(site: Site, browser: Browser) -> Iterator[Page]:
    """The same without script."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, site.url, site.author.user)
    yield page
    context.close()


def written(tmp_path: Path, data: bytes) -> str:
    """Write a file to upload and return its path."""
    path = tmp_path / "people.csv"
    path.write_bytes(data)
    return str(path)


def test_an_upload_goes_on_by_itself_after_the_network_broke(
    author: Page, site: Site, faults: Faults, tmp_path: Path
) -> None:
    broken: list[str] = []

    def break_second(route: Route) -> None:
        is_second = route.request.headers.get("upload-offset") == "4000000"
        if is_second and not broken:
            broken.append(route.request.url)
            route.abort()
        else:
            route.continue_()

    author.route("**/file/", break_second)
    author.goto(f"{site.home}new/")
    author.set_input_files("#id_file", written(tmp_path, LONG))
    author.get_by_role("button", name="Upload the file").click()
    author.wait_for_url("**/columns/", timeout=30_000)
    assert broken
    assert again(site.newest()).size_bytes == len(LONG)
    faults.expect("ERR_FAILED")


def test_a_stopped_upload_goes_on_when_told(author: Page, site: Site, tmp_path: Path) -> None:
    held: list[Route] = []
    author.route(
        "**/file/",
        lambda route: (
            held.append(route)
            if route.request.headers.get("upload-offset") == "4000000" and not held
            else route.continue_()
        ),
    )
    author.goto(f"{site.home}new/")
    author.set_input_files("#id_file", written(tmp_path, LONG))
    author.get_by_role("button", name="Upload the file").click()
    expect(author.get_by_text("about")).to_be_visible()
    author.get_by_role("button", name="Stop").click()
    expect(author.get_by_text("Stopped at")).to_be_visible()
    author.get_by_role("button", name="Go on").click()
    author.wait_for_url("**/columns/", timeout=30_000)
    with scope(site.author.here):
        assert RecipientList.objects.count() == 1


def test_an_upload_goes_on_days_of_work_later_with_the_same_file_only(
    author: Page, site: Site, tmp_path: Path
) -> None:
    lst = sent(site.author, PEOPLE, "people.csv")
    with scope(site.author.here):
        RecipientList.objects.filter(pk=lst.pk).update(size_bytes=len(PEOPLE) + 16)
    author.goto(f"{site.home}{lst.pk}/")
    author.set_input_files("#id_file", written(tmp_path, PEOPLE))
    author.get_by_role("button", name="Go on with the upload").click()
    expect(author.get_by_text("This is another file. Choose people.csv to go on.")).to_be_visible()
    author.set_input_files("#id_file", written(tmp_path, PEOPLE + b"07700900003,Eve\n"))
    author.get_by_role("button", name="Go on with the upload").click()
    author.wait_for_url("**/columns/")


def test_a_refused_file_says_why_on_the_page(
    author: Page, site: Site, faults: Faults, tmp_path: Path
) -> None:
    author.goto(f"{site.home}new/")
    (tmp_path / "people.xlsx").write_bytes(b"PK\x03\x04")
    author.set_input_files("#id_file", str(tmp_path / "people.xlsx"))
    author.get_by_role("button", name="Upload the file").click()
    expect(author.get_by_role("alert")).to_contain_text("This is an Excel workbook.")
    faults.expect("400")


def test_the_page_of_an_import_becomes_the_ready_page_by_itself(author: Page, site: Site) -> None:
    lst = ordered(site.author, PEOPLE + b"9.98E+11,Cy\n")
    author.goto(f"{site.home}{lst.pk}/")
    expect(author.get_by_text("Rows so far")).to_be_visible()
    finished(site.author, lst)
    expect(author.get_by_text("From rows to recipients")).to_be_visible()
    expect(author.get_by_text("The spreadsheet shortened the number.")).to_be_visible()


def test_everything_works_without_script(plain: Page, site: Site, tmp_path: Path) -> None:
    plain.goto(f"{site.home}new/")
    plain.set_input_files("#id_file", written(tmp_path, PEOPLE))
    plain.get_by_role("button", name="Upload the file").click()
    plain.get_by_role("button", name="Import").click()
    expect(plain.get_by_text("Rows so far")).to_be_visible()
    finished(site.author, site.newest())
    plain.get_by_role("link", name="Refresh").click()
    expect(plain.get_by_text("2 people")).to_be_visible()
    plain.goto(f"{site.opt_outs}add/")
    plain.fill("#id_number", "07700 900001")
    plain.fill("#id_words", "call")
    plain.get_by_role("button", name="Opt this number out").click()
    expect(plain.get_by_role("cell", name="+44 77 ••• ••• 01", exact=True)).to_be_visible()


def test_every_page_fits_and_is_accessible(author: Page, site: Site) -> None:
    ready = finished(site.author, ordered(site.author, PEOPLE + b"9.98E+11,Cy\n12,\n"))
    waiting = sent(site.author, PEOPLE)
    columns = uploaded(site.author)
    importing = ordered(site.author)
    pages = [
        site.home,
        f"{site.home}new/",
        f"{site.home}{ready.pk}/",
        f"{site.home}{waiting.pk}/",
        f"{site.home}{columns.pk}/columns/",
        f"{site.home}{importing.pk}/",
        site.opt_outs,
        f"{site.opt_outs}add/",
        f"{site.opt_outs}import/",
    ]
    wrong: list[str] = []
    for address in pages:
        author.goto(address)
        wrong += looks_right_everywhere(author)
    assert wrong == []
