"""Every part of our pages in a real Chromium, on a page that needs no database."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.conf import settings
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.test import override_settings
from playwright.sync_api import Page, expect

from message_center.middleware import NAV_COUNTS
from tests.browsing import Faults, judge
from tests.pages.site import is_down

pytestmark = pytest.mark.browser

TEMPLATES = Path(__file__).parent / "templates"
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


class Quiet(WSGIRequestHandler):
    """Answers and writes no log."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""


@contextmanager
def without_counts() -> Iterator[None]:
    """Take the counts out of the rail: they would ask a database."""
    kept = dict(NAV_COUNTS)
    NAV_COUNTS.clear()
    yield
    NAV_COUNTS.update(kept)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the reference page, served by this process."""
    ours: list[dict[str, Any]] = deepcopy(settings.TEMPLATES)
    ours[0]["DIRS"].append(TEMPLATES)
    with override_settings(ROOT_URLCONF="tests.pages.site", TEMPLATES=ours), without_counts():
        server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
        server.set_app(get_wsgi_application())
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/reference/"
        server.shutdown()
        server.server_close()


@pytest.fixture
def reference(site: str, page: Page) -> Page:
    """The page, wide and light."""
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    page.goto(site)
    return page


LONG = "Corporate customers and public authorities of the western regions"


def test_a_long_name_hides_neither_the_page_nor_what_stands_beside_it(reference: Page) -> None:
    reference.evaluate(
        """(name) => document.querySelectorAll(".crumb a, .top .brand b, .wsw b").forEach((one) => {
            one.textContent = name
        })""",
        LONG,
    )
    boxes = """() => {
        const box = (one) => document.querySelector(one).getBoundingClientRect()
        const [bar, here, find, brand] = [".top", ".crumb b", ".find", ".top .brand"].map(box)
        return {bar, here, find, brand, name: box(".wsw b")}
    }"""
    seen = reference.evaluate(boxes)
    assert seen["here"]["width"] > 60
    assert seen["here"]["right"] < seen["find"]["left"]
    assert seen["name"]["height"] < 45
    reference.set_viewport_size(PHONE)  # type: ignore[arg-type]
    seen = reference.evaluate(boxes)
    assert seen["brand"]["top"] >= seen["bar"]["top"]
    assert seen["brand"]["bottom"] <= seen["bar"]["bottom"]


def colour(page: Page, selector: str) -> str:
    """The ground of an element as it is drawn."""
    return str(
        page.evaluate(f"getComputedStyle(document.querySelector('{selector}')).backgroundColor")
    )


def flaws(page: Page) -> list[tuple[str, str]]:
    """What axe finds, and text in the colour of its ground, of which axe is not sure."""
    found = judge(page, "violations", "incomplete")
    sure = [(one["rule"], one["html"]) for one in found if one["kind"] == "violations"]
    unsure = [one for one in found if one["kind"] == "incomplete"]
    hidden = [one["html"] for one in unsure if '"equalRatio"' in one["why"]]
    return sure + [("invisible", html) for html in hidden]


def painted(page: Page) -> str:
    """The chart's pixels."""
    return str(page.evaluate("document.querySelector('#drawn canvas').toDataURL()"))


# --- looks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize(
    ("path", "colours"),
    [
        ("reference/", "light"),
        ("reference/", "dark"),
        ("reference/?theme=dark", "light"),
        ("platform/reference/", "light"),
    ],
)
def test_every_part_fits_and_is_accessible(
    site: str, page: Page, size: dict[str, int], colours: str, path: str
) -> None:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]
    page.goto(site.replace("reference/", path))
    assert flaws(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


@pytest.mark.parametrize("opener", ["[data-key=p]", ".rail summary", ".top summary"])
def test_what_opens_is_accessible_too(reference: Page, opener: str) -> None:
    reference.locator(opener).first.click()
    assert flaws(reference) == []


def test_buttons_of_a_phone_are_large_enough_to_touch(site: str, page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(site)
    small = page.evaluate(
        "[...document.querySelectorAll('.btn, .ibtn, .tabbar > *, .form-control')]"
        ".filter(e => e.checkVisibility() && e.getBoundingClientRect().height < 36)"
        ".map(e => e.outerHTML.slice(0, 90))"
    )
    assert small == []


# --- theme -------------------------------------------------------------------------------------


def test_the_systems_dark_is_taken_over_without_a_word(site: str, page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(site)
    assert colour(page, "body") == "rgb(14, 19, 24)"


def test_the_theme_changes_at_a_press_and_the_chart_with_it(reference: Page) -> None:
    before = painted(reference)
    with reference.expect_response("**/me/theme/"):
        reference.get_by_role("button", name="Switch to dark theme").click()
    assert colour(reference, "body") == "rgb(14, 19, 24)"
    expect(reference.get_by_role("button", name="Switch to light theme")).to_be_visible()
    assert painted(reference) != before


# --- dialogs and menus -------------------------------------------------------------------------


def test_a_dialog_opens_takes_the_focus_and_gives_it_back(reference: Page) -> None:
    reference.get_by_role("button", name="Pause p").click()
    dialog = reference.get_by_role("dialog", name="Pause Weekend 20 GB?")
    expect(dialog.get_by_role("button", name="Pause")).to_be_focused()
    reference.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(reference.get_by_role("button", name="Pause p")).to_be_focused()


def test_a_dialog_closes_by_its_own_button(reference: Page) -> None:
    reference.get_by_role("button", name="Cancel rest").click()
    reference.get_by_role("dialog").get_by_role("button", name="Keep sending").click()
    expect(reference.get_by_role("dialog")).to_be_hidden()


def test_a_menu_closes_on_escape_and_on_a_click_elsewhere(reference: Page) -> None:
    menu = reference.locator(".rail details.menu")
    menu.locator("summary").click()
    expect(menu.get_by_role("link", name="Roaming")).to_be_visible()
    reference.keyboard.press("Escape")
    expect(menu.get_by_role("link", name="Roaming")).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()
    menu.locator("summary").click()
    reference.locator("h1").click()
    expect(menu.get_by_role("link", name="Roaming")).to_be_hidden()


# --- keys --------------------------------------------------------------------------------------


def test_a_key_opens_what_names_it(reference: Page) -> None:
    reference.keyboard.press("p")
    expect(reference.get_by_role("dialog", name="Pause Weekend 20 GB?")).to_be_visible()


def test_a_question_mark_lists_the_keys(reference: Page) -> None:
    reference.keyboard.press("?")
    expect(reference.get_by_role("dialog", name="Keys")).to_be_visible()


def test_keys_do_nothing_inside_a_field(reference: Page) -> None:
    reference.locator("#draft").press_sequentially("p?jk")
    expect(reference.locator("#draft")).to_have_value("p?jk")
    expect(reference.get_by_role("dialog")).to_be_hidden()


def test_keys_can_be_switched_off(site: str, page: Page) -> None:
    page.goto(f"{site}?quiet")
    page.keyboard.press("p")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_j_and_k_walk_a_list(reference: Page) -> None:
    for key, name in (("j", "Campaign 1"), ("j", "Campaign 2"), ("k", "Campaign 1")):
        reference.keyboard.press(key)
        expect(reference.get_by_role("link", name=name, exact=True)).to_be_focused()


def test_g_and_a_letter_go_to_a_place(reference: Page) -> None:
    wanted = reference.locator("[data-go=m]").get_attribute("href")
    reference.route("**/messages/", lambda route: route.fulfill(body="the messages"))
    reference.keyboard.press("g")
    reference.keyboard.press("m")
    reference.wait_for_url(f"**{wanted}")


# --- forms -------------------------------------------------------------------------------------


def test_the_summary_of_errors_has_the_focus_and_leads_to_its_fields(reference: Page) -> None:
    expect(reference.locator("[data-error-summary]")).to_be_focused()
    reference.locator("[data-error-summary] a").first.click()
    expect(reference.locator("#id_name")).to_be_focused()


@pytest.mark.parametrize("typed", ["486120", "486,120", "486 120", "486\u202f120"])
def test_the_right_number_arms_the_button(reference: Page, typed: str) -> None:
    reference.locator("#size").fill("48612")
    expect(reference.locator("#submit")).to_be_disabled()
    reference.locator("#size").fill(typed)
    expect(reference.locator("#submit")).to_be_enabled()
    expect(reference.get_by_text("That is right")).to_be_visible()


def test_a_draft_saves_itself_after_a_pause(reference: Page) -> None:
    reference.locator("#draft").press_sequentially("Hello")
    expect(reference.locator("#saved")).to_have_text("Saved “5 characters”")


# --- live regions and charts -------------------------------------------------------------------


def test_a_live_region_keeps_focus_and_what_is_open(reference: Page) -> None:
    reference.locator("#more summary").click()
    reference.locator("#kept").focus()
    before = int(reference.locator("#figure").inner_text())
    expect(reference.locator("#figure")).not_to_have_text(str(before))
    expect(reference.locator("#kept")).to_be_focused()
    expect(reference.get_by_text("What was opened stays open.")).to_be_visible()


def test_what_takes_the_place_of_a_drawn_part_takes_no_style_from_it(reference: Page) -> None:
    # The policy refuses a style that is written as an attribute, and the page would say so.
    reference.evaluate(
        # A part that no script of the page writes into.
        "() => { const old = document.createElement('p'); old.id = 'swapped';"
        " document.querySelector('main').append(old); old.style.color = 'red';"
        " htmx.swap(old, '<p id=swapped>New</p>', { swapStyle: 'outerHTML' }); }"
    )
    expect(reference.locator("#swapped")).to_have_text("New")
    expect(reference.locator("#swapped")).not_to_have_attribute("style", "color: red;")


def test_a_milestone_is_said_once(reference: Page) -> None:
    expect(reference.locator("#voice")).to_have_text("50 % is sent")


def test_old_figures_say_that_they_are_old(reference: Page, faults: Faults) -> None:
    is_down.seen = True
    try:
        expect(reference.locator("[data-old]")).to_contain_text("Not updated since")
    finally:
        is_down.seen = False
    expect(reference.locator("[data-old]")).to_be_hidden()
    faults.expect("503")


def test_a_chart_takes_new_points(reference: Page) -> None:
    reference.locator("#drawn canvas").wait_for()
    before = painted(reference)
    reference.wait_for_function(
        "before => document.querySelector('#drawn canvas').toDataURL() !== before", arg=before
    )


WRITTEN = """
window.written = [];
const write = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
  window.written.push(String(text));
  return write.call(this, text, ...at);
};
"""


def test_a_charts_times_are_those_of_the_workspaces_zone(site: str, page: Page) -> None:
    page.add_init_script(WRITTEN)
    page.goto(site)
    page.locator("#drawn canvas").wait_for()
    written = page.evaluate("window.written")
    # It begins at 05:00 UTC.
    assert {"10:00", "11:00", "Now", "Limit 86.5/s"} <= set(written)
    assert "05:00" not in written
