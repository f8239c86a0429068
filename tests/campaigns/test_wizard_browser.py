"""The wizard, review and overview in a real Chromium: they fit, are accessible, save themselves."""

from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route, expect

from campaigns.actions import building, drafts
from campaigns.models import Campaign, Mode, Progress
from campaigns.rules.campaign_states import State
from tests import make
from tests.browsing import Faults, looks_right_everywhere
from tests.campaigns.pages import Stage, stage
from tests.poll import poll
from tests.processes import Handle
from tests.visitors import sign_in
from tests.workspaces import make as people
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = [pytest.mark.browser, pytest.mark.processes]

FANCY = "Narxi 35 000 so\u02bbm, {{name}}. Chegirma so\u02bbrang."


class Site:
    """The product's web process over a workspace; each campaign is made when it is named first."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.here: Stage = stage("Asia/Tashkent")

    @cached_property
    def draft(self) -> Campaign:
        """A draft to 31 people, one of them with Cyrillic letters."""
        rows = [{"name": f"Name{i}"} for i in range(30)] + [{"name": "Ольга"}]
        with scope(self.here.place):
            lst = make.recipient_list(self.here.place, self.here.author.user, rows)
        return self.here.made(name="Weekend 20 GB", text=FANCY, recipient_list_id=lst.pk)

    @cached_property
    def trigger(self) -> Campaign:
        """A draft of messages that another system asks for."""
        text = "Code {{code}} of {{shop}}"
        return self.here.made(mode=Mode.TRIGGER, name="Codes", text=text, slots=[])

    @cached_property
    def ready(self) -> Campaign:
        """A campaign whose audience is frozen."""
        return self.here.made("ready", name="Ready one", **self._plan())

    @cached_property
    def waiting(self) -> Campaign:
        """A campaign that waits for review."""
        return self.here.made("in_review", name="Black Friday", **self._plan())

    @cached_property
    def empty(self) -> Campaign:
        """A draft without anything."""
        with scope(self.here.place):
            return drafts.create_draft(by=self.here.author, fields={}, now=timezone.now())

    def _plan(self) -> dict[str, Any]:
        start = timezone.now() + timedelta(minutes=50)
        return {"mode": Mode.SPREAD, "starts_at": start, "ends_at": start + timedelta(hours=2)}

    def open(self, page: Page, path: str, campaign: Campaign | None = None) -> None:
        """Open a page as the author."""
        sign_in(page, self.url, self.here.author.user)
        page.goto(self.url + self.here.url(campaign, path))

    def fresh(self, campaign: Campaign) -> Campaign:
        """Return the row as it is now."""
        return self.here.fresh(campaign)


@pytest.fixture
def site(served: Handle) -> Site:
    """The site."""
    return Site(served.url)


@pytest.fixture
def without_script(browser: Browser, faults: Faults) -> Iterator[Page]:
    """A page in a browser that runs no script."""
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(10_000)
    opened = context.new_page()
    yield opened
    context.close()


def test_every_page_fits_and_is_accessible(site: Site, page: Page) -> None:
    here = site.here
    steps = [f"edit/{step}/" for step in ("purpose", "message", "recipients", "plan", "check")]
    pages = [here.url(None, path) for path in ("", "campaigns/", "campaigns/new/", "review/")]
    pages += [here.url(site.draft, step) for step in steps]
    pages += [here.url(site.trigger, step) for step in steps[1:4]]
    pages += [here.url(site.empty, steps[0]), here.url(site.empty, steps[4])]
    pages += [here.url(site.ready, steps[4]), here.url(None, f"review/{site.waiting}/")]
    decisions = ["", "?texts=longest", "?texts=rarest", "approve/", "return/"]
    reviews = [here.url(None, f"review/{site.waiting}/{path}") for path in decisions]
    here.made("sending", name="Bonus")
    wrong: list[str] = []
    for who, paths in ((here.author.user, pages), (here.moderator.user, reviews)):
        sign_in(page, site.url, who)
        for path in paths:
            page.goto(site.url + path)
            wrong += looks_right_everywhere(page)
    assert wrong == []


def test_what_is_typed_saves_itself(site: Site, page: Page) -> None:
    site.open(page, "edit/purpose/", site.draft)
    page.get_by_label("Name", exact=True).fill("Weekend 25 GB")
    expect(page.locator("#version")).to_have_value("2")
    assert site.fresh(site.draft).name == "Weekend 25 GB"
    page.get_by_label("Purpose").fill("Asked for by Marketing")
    expect(page.locator("#version")).to_have_value("3")


def test_leaving_by_a_link_saves_what_was_typed_last(site: Site, page: Page) -> None:
    site.open(page, "edit/purpose/", site.draft)
    page.get_by_label("Name", exact=True).fill("Typed and left at once")
    page.locator(".steps5 a", has_text="Message").click()
    page.wait_for_url("**/edit/message/")
    assert site.fresh(site.draft).name == "Typed and left at once"


def test_the_button_never_conflicts_with_the_save_under_way(site: Site, page: Page) -> None:
    site.open(page, "edit/purpose/", site.draft)
    for number in range(3):
        page.get_by_label("Name", exact=True).fill(f"Version {number}")
        page.wait_for_timeout(590)
        page.get_by_label("Name", exact=True).fill(f"Last {number}")
        page.locator(".wnav button", has_text="Save").click()
        expect(page.get_by_label("Name", exact=True)).to_have_value(f"Last {number}")
        expect(page.locator("#conflict")).to_be_empty()
        poll_name(site, f"Last {number}")


def poll_name(site: Site, name: str) -> None:
    """Wait until the draft has this name."""
    poll(lambda: site.fresh(site.draft).name == name, 5)


def test_somebody_elses_version_is_compared(site: Site, page: Page) -> None:
    site.open(page, "edit/purpose/", site.draft)
    with scope(site.here.place):
        drafts.edit_draft(
            number=site.draft.number,
            by=site.here.moderator,
            fields={"name": "Theirs"},
            version=1,
            now=timezone.now(),
        )
    page.get_by_label("Name", exact=True).fill("Mine")
    conflict = page.locator("#conflict")
    expect(conflict).to_contain_text("Your change was not saved")
    expect(conflict).to_contain_text("Theirs")
    conflict.get_by_role("button", name="Keep mine").click()
    expect(page.locator("main")).to_contain_text("Your version is saved.")
    assert site.fresh(site.draft).name == "Mine"


def test_the_counter_follows_typing_and_is_said_once(site: Site, page: Page) -> None:
    site.open(page, "edit/message/", site.draft)
    page.get_by_label("Text").fill("x" * 161)
    expect(page.locator("#counter")).to_contain_text("2 parts for all 31 recipients.")
    expect(page.locator("#counter")).to_contain_text("1 character fewer makes it 1 part.")
    expect(page.locator("#voice")).to_have_text("2 parts for all 31 recipients.")
    expect(page.locator("#preview")).to_contain_text("part 2")
    expect(page.locator("#letters")).to_be_empty()


def test_a_placeholder_is_put_where_the_caret_stands(site: Site, page: Page) -> None:
    site.open(page, "edit/message/", site.draft)
    box = page.get_by_label("Text")
    box.fill("Hello , how are you")
    box.evaluate("box => box.setSelectionRange(6, 6)")
    page.get_by_role("button", name="Insert name").click()
    expect(box).to_have_value("Hello {{name}}, how are you")
    expect(page.locator("#preview")).to_contain_text("Hello Name0, how are you")


def test_the_letters_are_replaced_with_one_press_after_showing_the_change(
    site: Site, page: Page
) -> None:
    site.open(page, "edit/message/", site.draft)
    letters = page.locator("#letters")
    expect(letters).to_contain_text("modifier letter turned comma, 2 times")
    expect(letters.locator("ins").first).to_have_text("'")
    letters.get_by_role("button", name="Replace all 2").click()
    expect(page.get_by_label("Text")).to_have_value(FANCY.replace("\u02bb", "'"))
    assert "\u02bb" not in site.fresh(site.draft).text


def test_the_phone_shows_another_row(site: Site, page: Page) -> None:
    site.open(page, "edit/message/", site.draft)
    page.locator("#row").select_option(label=page.locator("#row option").nth(1).inner_text())
    expect(page.locator("#preview .bub")).not_to_contain_text("Name0,")


def test_the_plans_third_figure_is_worked_out(site: Site, page: Page) -> None:
    site.open(page, "edit/plan/", site.draft)
    page.locator("label", has_text="Spread").click()
    page.locator("#id_start_date").fill("2036-01-15")
    page.locator("#id_start_time").fill("10:00")
    page.locator("#id_end_date").fill("2036-01-15")
    page.locator("#id_end_time").fill("12:00")
    page.locator("#id_end_time").blur()
    expect(page.locator("#arithmetic")).to_contain_text("in 7,200 s is")
    expect(page.locator("#calc-rate .wo")).to_be_visible()
    expect(page.locator("#id_duration")).to_have_value("2 h")
    page.locator("#id_duration").fill("4 h")
    page.locator("#id_duration").blur()
    expect(page.locator("#id_end_time")).to_have_value("14:00")
    page.locator("#id_rate").fill("0.1")
    page.locator("#id_rate").blur()
    expect(page.locator("#calc-end .wo")).to_be_visible()
    expect(page.locator("#calc-rate .wo")).to_be_hidden()
    expect(page.locator("#id_rate")).to_have_value("0.1")


def test_what_is_typed_during_a_save_is_not_replaced_by_its_answer(site: Site, page: Page) -> None:
    site.open(page, "edit/plan/", site.draft)
    page.locator("label", has_text="Spread").click()
    expect(page.locator("#version")).to_have_value("2")
    held: list[Route] = []
    page.route("**/edit/plan/", lambda route: held.append(route), times=1)  # noqa: PLW0108
    page.locator("#id_start_date").fill("2036-01-15")
    page.locator("#id_start_time").fill("10:00")
    poll(lambda: page.evaluate("1") and held, 30)
    page.locator("#id_end_date").fill("2036-01-15")
    page.locator("#id_end_time").fill("12:00")
    with page.expect_response("**/edit/plan/"):
        held[0].continue_()
    expect(page.locator("#arithmetic")).to_contain_text("in 7,200 s is")
    expect(page.locator("#id_end_time")).to_have_value("12:00")


def test_only_the_fields_of_the_chosen_mode_are_there(site: Site, page: Page) -> None:
    site.open(page, "edit/plan/", site.draft)
    expect(page.locator("#id_start_date")).to_be_hidden()
    page.locator("label", has_text="At a time").click()
    expect(page.locator("#id_start_date")).to_be_visible()
    expect(page.locator("#id_rate")).to_be_hidden()
    page.locator("label", has_text="Trigger").click()
    expect(page.get_by_label("Messages a day at most")).to_be_visible()
    expect(page.locator("#slot-1")).to_be_visible()


def test_a_campaign_is_built_and_submitted(site: Site, page: Page) -> None:
    site.open(page, "edit/check/", site.draft)
    page.get_by_role("button", name="Build the audience: 31 people").click()
    expect(page.locator("#building")).to_contain_text("0 of 31 people")
    with scope(site.here.place):
        building.build_chunk(site.draft.pk, timezone.now())
    submit = page.get_by_role("button", name="Submit 31 messages for approval")
    expect(submit).to_be_disabled()
    page.locator("#id_typed_count").fill("30")
    expect(submit).to_be_disabled()
    page.locator("#id_typed_count").fill("31")
    expect(page.locator("#typed-right")).to_be_visible()
    submit.click()
    page.wait_for_url(f"**/campaigns/{site.draft}/")
    assert site.fresh(site.draft).state == State.IN_REVIEW


def test_keys_open_the_questions_of_a_review(site: Site, page: Page) -> None:
    sign_in(page, site.url, site.here.moderator.user)
    page.goto(site.url + site.here.url(None, f"review/{site.waiting}/"))
    for key, name in (("a", "Approve"), ("r", "Return"), ("x", "Reject")):
        page.keyboard.press(key)
        dialog = page.locator("dialog[open]")
        expect(dialog.locator("h2")).to_contain_text(name)
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
    assert site.fresh(site.waiting).state == State.IN_REVIEW


def test_a_moderator_returns_with_words(site: Site, page: Page) -> None:
    sign_in(page, site.url, site.here.moderator.user)
    page.goto(site.url + site.here.url(None, f"review/{site.waiting}/"))
    page.keyboard.press("r")
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("Note").fill("The price is last month's.")
    dialog.get_by_role("button", name="Return to the author").click()
    page.wait_for_url("**/review/")
    assert site.fresh(site.waiting).state == State.RETURNED


def test_on_a_phone_returning_is_a_page_of_its_own(site: Site, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, site.url, site.here.moderator.user)
    page.goto(site.url + site.here.url(None, f"review/{site.waiting}/"))
    page.locator(".mbar").get_by_role("link", name="Return").click()
    page.wait_for_url("**/return/")
    expect(page.get_by_label("Note")).to_be_visible()


def test_without_script_the_wizard_goes_from_step_to_step(site: Site, without_script: Page) -> None:
    page = without_script
    site.open(page, "edit/purpose/", site.draft)
    page.get_by_label("Name", exact=True).fill("By form alone")
    for step in ("message", "recipients", "plan", "check"):
        page.locator(".wnav button", has_text="Next").click()
        page.wait_for_url(f"**/edit/{step}/")
    assert site.fresh(site.draft).name == "By form alone"
    page.get_by_role("button", name="Build the audience: 31 people").click()
    with scope(site.here.place):
        building.build_chunk(site.draft.pk, timezone.now())
    page.get_by_role("link", name="Refresh").click()
    page.locator("#id_typed_count").fill("31")
    page.get_by_role("button", name="Submit 31 messages for approval").click()
    page.wait_for_url(f"**/campaigns/{site.draft}/")
    assert site.fresh(site.draft).state == State.IN_REVIEW


def test_c_begins_a_campaign(site: Site, page: Page) -> None:
    site.open(page, "")
    page.keyboard.press("c")
    page.wait_for_url("**/edit/purpose/")
    expect(page.get_by_role("heading", name="New campaign")).to_be_visible()


def test_the_overview_renews_itself(site: Site, page: Page) -> None:
    sent = site.here.made("sending", name="Bonus")
    site.open(page, "")
    expect(page.locator("#overview")).to_contain_text("0 of 5")
    with scope(site.here.place):
        Progress.objects.filter(campaign=sent).update(queued=2, delivered=3)
    expect(page.locator("#overview")).to_contain_text("3 of 5", timeout=12_000)


def test_who_may_not_write_sees_no_button(site: Site, page: Page) -> None:
    viewer = people.me_in(site.here.place, Role.VIEWER)
    sign_in(page, site.url, viewer.user)
    page.goto(site.url + site.here.url(None, "campaigns/"))
    expect(page.get_by_role("button", name="New campaign")).to_have_count(0)
