"""An admin takes a message's evidence in a real Chromium, and a stranger's page verifies it."""

import zipfile
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings

from audit.verifier import verify_evidence as verifier
from tests import make
from tests.browsing import looks_right_everywhere
from tests.campaigns.evidence.ground import SECRET, sealed_ground
from tests.conftest import Database
from tests.processes import Processes
from tests.visitors import sign_in
from workspaces.queries import keys as key_queries

pytestmark = pytest.mark.browser
PAGE = Path(verifier.__file__).with_name("verify.html")


def test_from_who_sent_this_to_me_to_a_verified_file(
    database: Database, processes: Processes, page: Page, tmp_path: Path, settings: Settings
) -> None:
    key_queries.keys.cache_clear()
    secret = tmp_path / "secret"
    secret.write_bytes(SECRET)
    settings.DATA_DIR = processes.data
    ground = sealed_ground(database)
    campaign, segments = ground.send(rows=5, name="Balance in March")
    ground.send(rows=1, name="Sent a moment ago")
    url = processes.start("web", AUDIT_NONCE_FILE=str(secret)).url
    sign_in(page, url, ground.admin.user)
    page.goto(f"{url}/w/{ground.place.slug}/messages/")
    page.get_by_role("link", name="Evidence for a message").click()
    wrong = looks_right_everywhere(page)
    page.get_by_role("button", name="Find this day's messages").click()
    expect(page.get_by_text("Say why you need it.").first).to_be_visible()
    wrong += looks_right_everywhere(page)
    page.get_by_label("Phone number").fill(f"+{make.number(2)}")
    page.get_by_label("Day", exact=True).fill(f"{ground.now:%Y-%m-%d}")
    page.get_by_label("Reason").fill("Complaint 4711")
    page.get_by_role("button", name="Find this day's messages").click()
    page.get_by_role("button", name="Evidence for this message: Balance").click()
    expect(page.get_by_text("Nothing of this message is sealed yet.").first).to_be_visible()
    ground.now = timezone.now()
    ground.seal()
    ground.receipts(segments)
    ground.sign()
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
    page.get_by_label("Keys that you trust").fill(ground.vkey)
    page.get_by_label("is it to this number?").fill("+44 7700 900002")
    page.get_by_role("button", name="Verify").click()
    page.locator("#result[data-exit='0']").wait_for()
    said = page.locator("#result").inner_text()
    assert "RESULT: LEVEL A" in said
    assert f"Message {ground.position(campaign, 2)} of cmp_{campaign.pk}" in said
    ground.close()
