"""One campaign, end to end, as people do it: in a real Chromium, over every process, judged by the
simulator's ledger.
"""

import csv
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from audit.actions.record import open_chain
from campaigns.actions.review import digest_of
from campaigns.models import Campaign, RecipientList
from campaigns.rules.message_states import MessageState
from message_center.stack.product import ROOT
from smpp_client.simulator.ledger import texts
from tests import make
from tests.audit.make import without_guards
from tests.browsing import Faults
from tests.campaigns.sending.wire import Site, progress, site
from tests.poll import poll
from tests.processes import Handle, Processes
from workspaces.actions.keys import create_key
from workspaces.models import User
from workspaces.queries import keys as key_queries
from workspaces.rules.permissions import SCOPES, Role
from workspaces.scope import scope_everywhere

pytestmark = [pytest.mark.processes, pytest.mark.browser, pytest.mark.timeout(500)]

PEOPLE = 5_000
TEXT = "Hello {{name}}, your plan {{plan}} has 20 GB more this weekend."
WINDOW = timedelta(minutes=1)


def written(folder: Path) -> Path:
    """Write a file of 5,000 people with faults between them, as spreadsheets leave them."""
    file = folder / "weekend.csv"
    with file.open("w", newline="", encoding="utf-8-sig") as handle:
        rows = csv.writer(handle, delimiter=";")
        rows.writerow(["Phone", "Name", "Plan"])
        for index in range(PEOPLE):
            rows.writerow([f"+{make.number(index)}", f"Name{index}", f"Plan {index % 4}"])
            if index % 500 == 250:
                rows.writerow(["9.989E+11", "Shortened", "Plan 0"])
                rows.writerow(["not a number", "Nobody", "Plan 1"])
                rows.writerow([f"+{make.number(index)}", "Twice", "Plan 2"])
    return file


@pytest.fixture
def wired(processes: Processes, tmp_path: Path) -> Iterator[Site]:
    """Every process, and a site that they send over."""
    key_queries.keys.cache_clear()
    with scope_everywhere("the test looks at everything"):
        made = site(tmp_path / "wire", rate=200, window=50)
        yield made
        made.simulator.kill()


def signed_in(browser: Browser, web: Handle, user: User, faults: Faults) -> Page:
    """Open a context of its own for a person and sign in as he would."""
    page = browser.new_context(base_url=web.url).new_page()
    page.set_default_timeout(40_000)
    faults.watch(page)
    page.goto("/sign-in/")
    page.fill("input[name=email]", user.email)
    page.fill("input[name=password]", "correct horse battery")
    page.click("main button[type=submit]")
    page.wait_for_url("**/w/**")
    return page


def upload(page: Page, slug: str, file: Path) -> None:
    """Upload the file and name its columns."""
    page.goto(f"/w/{slug}/lists/new/")
    page.set_input_files("#id_file", file)
    page.click("[data-send]")
    page.wait_for_url("**/columns/")
    page.locator("main form[method=post] button.pri").last.click()
    page.wait_for_url("**/lists/*/")
    expect(page.locator("main .chip", has_text="Ready").first).to_be_visible(timeout=60_000)


def write_campaign(page: Page, slug: str, sender: str, list_name: str, route: str) -> None:
    """Fill the five steps and submit."""
    minute = timezone.now().astimezone(ZoneInfo("UTC")).replace(second=0, microsecond=0)
    start = minute + timedelta(minutes=2)
    end = start + WINDOW
    page.goto(f"/w/{slug}/campaigns/")
    page.locator("main form[action$='/campaigns/new/'] button").first.click()
    page.wait_for_url("**/edit/purpose/")
    page.fill("#id_name", "Weekend 20 GB")
    page.select_option("#id_sender", label=sender)
    go_on(page, "message")
    page.fill("#id_text", TEXT)
    go_on(page, "recipients")
    page.locator("label.opt", has_text=list_name).locator("input").check()
    go_on(page, "plan")
    page.locator("input[name=mode][value=spread]").check()
    page.fill("#id_start_date", f"{start:%Y-%m-%d}")
    page.fill("#id_start_time", f"{start:%H:%M}")
    page.fill("#id_end_date", f"{end:%Y-%m-%d}")
    page.fill("#id_end_time", f"{end:%H:%M}")
    page.locator("label.opt", has_text=route).locator("input").check()
    go_on(page, "check")
    page.click("#build-form button")
    expect(page.locator("#id_typed_count")).to_be_visible(timeout=60_000)
    page.fill("#id_typed_count", f"{PEOPLE:,}")
    page.click("#submit-now")


def go_on(page: Page, step: str) -> None:
    """Press the wizard's own button to the next step."""
    page.locator("button[name=go][value=next]:visible").first.click()
    page.wait_for_url(f"**/edit/{step}/")


def test_a_campaign_from_a_spreadsheet_to_every_phone(
    wired: Site, processes: Processes, browser: Browser, faults: Faults, tmp_path: Path
) -> None:
    place = wired.author.here
    # Whose role would let him approve: that it is his own is what stands in his way.
    author, moderator = (
        make.member(place, Role.AUTHOR_MODERATOR),
        make.member(place, Role.MODERATOR),
    )
    sender = make.sender(place)
    open_chain(place.uuid, now=timezone.now())
    web = processes.start("web")
    processes.start_together("worker", "beat", "sender", "sequencer", "signer")
    writer = signed_in(browser, web, author, faults)
    upload(writer, place.slug, written(tmp_path))
    lst = RecipientList.objects.get(workspace=place)
    assert (lst.valid_count, lst.fault_count, lst.duplicate_count) == (PEOPLE, 20, 10)
    write_campaign(writer, place.slug, sender.value, lst.name, wired.route.name)
    campaign = poll(lambda: Campaign.objects.filter(workspace=place, state="in_review").first(), 20)
    assert campaign is not None

    writer = signed_in(browser, web, author, faults)
    cannot_approve_by_page(writer, campaign)
    cannot_approve_by_api(writer, campaign, author)
    cannot_approve_by_sql(campaign, author)
    campaign.refresh_from_db()
    assert campaign.state == "in_review"
    reader = signed_in(browser, web, moderator, faults)
    reader.goto(f"/w/{place.slug}/review/C-{campaign.number}/")
    reader.click("[data-open='#approve']")
    reader.click("#approve button[type=submit]")
    reader.wait_for_url("**/review/")

    reader.goto(f"/w/{place.slug}/campaigns/C-{campaign.number}/")
    poll(lambda: all_settled(campaign), 300, "not all delivered")
    expect(reader.locator("main", has_text="5,000").first).to_be_visible()
    wanted = Counter(
        (
            make.number(index),
            TEXT.replace("{{name}}", f"Name{index}").replace("{{plan}}", f"Plan {index % 4}"),
        )
        for index in range(PEOPLE)
    )
    assert Counter((one.destination, one.text) for one in texts(wired.simulator.ledger)) == wanted
    audit_verifies_and_finds_an_edited_row(processes)
    assert faults.seen == []


def cannot_approve_by_page(page: Page, campaign: Campaign) -> None:
    """The author gets no button and no question, and his post of the very form is refused."""
    item = f"/w/{campaign.workspace.slug}/review/C-{campaign.number}/"
    for address in (f"{item}approve/", item):
        page.goto(address)
        assert page.url.endswith(item)
        assert page.locator("[data-open='#approve'], form[action$='/approve/']").count() == 0
    expect(page.locator("main")).to_contain_text("another person decides, whatever your role is")
    answer = page.request.post(
        f"{item}approve/",
        form={
            "seen": digest_of(campaign.pk).hex(),
            "csrfmiddlewaretoken": page.locator("meta[name=csrf-token]").get_attribute("content")
            or "",
        },
        headers={"Referer": page.url},
    )
    assert answer.status == 403
    assert "Another person has to decide." in answer.text()


def cannot_approve_by_api(page: Page, campaign: Campaign, author: User) -> None:
    """His key reads the campaign; that nobody decides by the API is its honest answer."""
    by = make.me(author, campaign.workspace, Role.AUTHOR_MODERATOR)
    key = create_key(by=by, name="Care", scopes=list(SCOPES), days=1, now=timezone.now())
    address = f"/api/v1/campaigns/C-{campaign.number}"
    wanted = {"state": "approved", "verdict": "approve", "seen": digest_of(campaign.pk).hex()}

    def answer(verb: str, path: str) -> int:
        headers = {"Authorization": f"Bearer {key.token}"}
        data = None if verb == "GET" else wanted
        return page.request.fetch(path, method=verb, data=data, headers=headers).status

    assert answer("GET", address) == 200
    assert [answer(verb, address) for verb in ("POST", "PUT", "PATCH")] == [405] * 3
    assert [answer("POST", f"{address}/{word}") for word in ("approve", "decision")] == [404] * 2


def cannot_approve_by_sql(campaign: Campaign, author: User) -> None:
    """The table takes no approval by a person who had a part in it."""
    with (
        pytest.raises(IntegrityError, match="approval_four_eyes"),
        transaction.atomic(),
        database.cursor() as cursor,
    ):
        cursor.execute(
            "INSERT INTO approval (workspace_id, campaign_id, verdict, note, digest, signature,"
            " decided_by_id, decided_person_id, author_person_id, editor_person_id,"
            " submitter_person_id, decided_at)"
            " VALUES (%s, %s, 'approve', '', '', '', %s, 1, 1, 1, 1, now())",
            [campaign.workspace_id, campaign.pk, author.pk],
        )


def all_settled(campaign: Campaign) -> bool:
    """Look at the counters; they add up at every look."""
    row = progress(campaign)
    assert sum(getattr(row, state.value) for state in MessageState) == row.total == PEOPLE
    return row.delivered == PEOPLE


def audit_verifies_and_finds_an_edited_row(processes: Processes) -> None:
    """The log verifies against the head kept outside; after one edit by a superuser it does not.

    He puts the guards back as they were, so that nothing but the row itself can tell.
    """
    poll(lambda: verify(processes)[0] == 0, 30, "the log does not verify")
    url = processes.ground.url("superuser", processes.database)
    with psycopg.connect(url, autocommit=True) as superuser, without_guards(superuser):
        edited = superuser.execute(
            "UPDATE audit_event SET body = replace(body, 'campaign.approve', 'campaign.reject')"
            " WHERE op = 'campaign.approve' AND result = 'ok'"
        )
        assert edited.rowcount == 1
    assert verify(processes) == (1, ["C05"])


def verify(processes: Processes) -> tuple[int, list[str]]:
    """Run `manage.py verify_audit`: its exit code, 1 for broken, and the codes of what it found."""
    words = [sys.executable, "manage.py", "verify_audit"]
    done = subprocess.run(
        words, cwd=ROOT, env=processes.environment, capture_output=True, text=True, check=False
    )
    print(done.stdout[-600:], done.stderr[-600:])
    return done.returncode, re.findall(r"^(?:BROKEN|Warning) (\w+):", done.stdout, re.MULTILINE)
