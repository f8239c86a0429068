"""Diagnostics in a real Chromium, with the database and without: drawn right on every screen."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings

from audit.actions.fallback import fallback
from audit.actions.fallback_ingest import remember_installation
from tests.audit.fallback.ground import open_file, sign_in_failure, write
from tests.audit.fallback.test_database_away import stopped
from tests.audit.make import ROAMING
from tests.browsing import Faults, looks_right_everywhere
from tests.ground import Ground
from tests.processes import Processes
from tests.visitors import sign_in
from tests.workspaces import make as people
from workspaces.actions.passes import keep_passes

pytestmark = pytest.mark.browser


def test_diagnostics_and_the_page_of_an_outage_fit_and_pass_the_rules(
    processes: Processes, settings: Settings, servers: Ground, page: Page, faults: Faults
) -> None:
    settings.DATA_DIR = processes.data
    settings.AUDIT_FALLBACK_DIR = processes.data / "fallback"
    folder = fallback()
    assert remember_installation(folder)
    url = processes.start("web").url
    sign_in(page, url, people.user(is_super_admin=True))
    write(folder, 3)
    folder.put_all_aside()
    write(folder, 2, ROAMING)
    folder.append(*sign_in_failure())
    damaged = folder.path / "refused" / "damaged.jsonl"
    damaged.write_bytes(open_file(folder, ROAMING).read_bytes()[1:])
    page.goto(f"{url}/platform/diagnostics/")
    expect(page.get_by_role("heading", name="Audit fallback file")).to_be_visible()
    wrong = looks_right_everywhere(page)
    keep_passes(timezone.now())
    page.goto(f"{url}/platform/workspaces/new/")
    page.get_by_label("Name").first.fill("Night desk")
    with stopped(servers):
        page.locator("main form").evaluate("form => form.submit()")
        expect(page.get_by_role("button", name="Send what you typed again")).to_be_visible()
        wrong += looks_right_everywhere(page)
        page.goto(f"{url}/platform/diagnostics/")
        expect(page.get_by_text("It does not answer. Nothing can be decided")).to_be_visible()
        wrong += looks_right_everywhere(page)
    faults.expect("503")
    assert wrong == []
