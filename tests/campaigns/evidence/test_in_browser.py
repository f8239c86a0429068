"""An admin takes a message's evidence in a real Chromium, and a stranger's page verifies it."""

import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings

from audit.verifier import verify_evidence as verifier
from tests import make
from tests.browsing import looks_right_everywhere
from tests.campaigns.evidence.ground import SECRET, Sealed, sealed_ground
from tests.conftest import Database
from tests.processes import Processes
from tests.visitors import sign_in
from workspaces.queries import keys as key_queries

pytestmark = pytest.mark.browser
PAGE = Path(verifier.__file__).with_name("verify.html")


@pytest.fixture
def shown(
    database: Database, processes: Processes, tmp_path: Path, settings: Settings
) -> Iterator[Sealed]:
    """What the web process shows: `tmp_path / "secret"` is the file that it wants."""
    key_queries.keys.cache_clear()
    (tmp_path / "secret").write_bytes(SECRET)
    settings.DATA_DIR = processes.data
    made = sealed_ground(database)
    yield made
    made.close()


@pytest.mark.alone
def test_who_has_the_number_and_the_day_has_the_evidence_within_two_minutes(
    shown: Sealed,
    processes: Processes,
    page: Page,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From the page that finds messages to the file, typed slowly (0.3 s for each key)."""
    _campaign, segments = shown.send(rows=5, name="Balance in March")
    shown.receipts(segments)
    shown.seal()
    shown.sign()
    url = processes.start("web", AUDIT_NONCE_FILE=str(tmp_path / "secret")).url
    sign_in(page, url, shown.admin.user)
    began = time.monotonic()
    page.goto(f"{url}/w/{shown.place.slug}/messages/")
    page.get_by_role("link", name="Evidence for a message").click()
    for label, typed in (("Phone number", f"+{make.number(2)}"), ("Reason", "Complaint 4711")):
        page.get_by_label(label).press_sequentially(typed, delay=300)
    page.get_by_label("Day", exact=True).fill(f"{shown.now:%Y-%m-%d}")
    page.get_by_role("button", name="Find this day's messages").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Evidence for this message: Balance").click()
    assert zipfile.is_zipfile(download.value.path())
    seconds = time.monotonic() - began
    with capsys.disabled():
        print(f"\nevidence of one message: {seconds:.1f} s in the browser, typing included")
    assert seconds < 120


def test_from_who_sent_this_to_me_to_a_verified_file(
    shown: Sealed, processes: Processes, page: Page, tmp_path: Path
) -> None:
    campaign, segments = shown.send(rows=5, name="Balance in March")
    shown.send(rows=1, name="Sent a moment ago")
    url = processes.start("web", AUDIT_NONCE_FILE=str(tmp_path / "secret")).url
    sign_in(page, url, shown.admin.user)
    page.goto(f"{url}/w/{shown.place.slug}/messages/")
    page.get_by_role("link", name="Evidence for a message").click()
    wrong = looks_right_everywhere(page)
    page.get_by_role("button", name="Find this day's messages").click()
    expect(page.get_by_text("Say why you need it.").first).to_be_visible()
    wrong += looks_right_everywhere(page)
    page.get_by_label("Phone number").fill(f"+{make.number(2)}")
    page.get_by_label("Day", exact=True).fill(f"{shown.now:%Y-%m-%d}")
    page.get_by_label("Reason").fill("Complaint 4711")
    page.get_by_role("button", name="Find this day's messages").click()
    page.get_by_role("button", name="Evidence for this message: Balance").click()
    expect(page.get_by_text("Nothing of this message is sealed yet.").first).to_be_visible()
    shown.now = timezone.now()
    shown.seal()
    shown.receipts(segments)
    shown.sign()
    page.get_by_role("button", name="Find this day's messages").click()
    expect(page.get_by_text("Yes, but for the receipt")).to_be_visible()
    wrong += looks_right_everywhere(page)
    assert wrong == []
    with page.expect_download() as download:
        page.get_by_role("button", name="Evidence for this message: Balance").click()
    taken = tmp_path / download.value.suggested_filename
    download.value.save_as(taken)
    with zipfile.ZipFile(taken) as archive:
        archive.extractall(tmp_path / "unpacked")
    page.goto(PAGE.as_uri())
    page.locator("#folder").set_input_files(tmp_path / "unpacked" / taken.stem)
    page.get_by_label("Keys that you trust").fill(shown.vkey)
    page.get_by_label("is it to this number?").fill("+44 7700 900002")
    page.get_by_role("button", name="Verify").click()
    page.locator("#result[data-exit='0']").wait_for()
    said = page.locator("#result").inner_text()
    assert "RESULT: LEVEL A" in said
    assert f"Message {shown.position(campaign, 2)} of cmp_{campaign.pk}" in said
