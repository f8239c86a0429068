"""The evidence page and a real bundle in a real Chromium."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from audit.actions.exports import ask
from audit.verifier import verify_evidence
from tests.audit.conftest import Log
from tests.audit.exported import EXPORT_VKEY, REASON, Exporter
from tests.audit.make import MARKETING, append
from tests.audit.site import Site
from tests.browsing import looks_right
from tests.processes import Processes
from tests.visitors import sign_in
from tests.workspaces import make
from tests.workspaces.log import entries
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.browser


def test_the_second_verifier_accepts_a_bundle(page: Page, log: Log, tmp_path: Path) -> None:
    exporter = Exporter(Site(log, tmp_path / "audit"), tmp_path)
    append(exporter.site.runtime)
    bundle, _ = exporter.export(MARKETING)
    page.goto(Path(verify_evidence.__file__).with_name("verify.html").as_uri())
    page.locator("#folder").set_input_files(bundle)
    keys = f"{exporter.site.key}\n{EXPORT_VKEY}"
    page.get_by_label("Keys that you trust").fill(keys)
    page.get_by_role("button", name="Verify").click()
    # One event of this log claims an old time, which a person must judge.
    page.locator("#result[data-exit='2']").wait_for()
    said = page.locator("#result").inner_text()
    assert "RESULT: LEVEL A" in said
    assert "REFUSED" not in said


def test_the_page_fits_and_is_accessible(page: Page, processes: Processes) -> None:
    place = make.workspace("care", "Subscriber care")
    admin = make.me(make.member(place, Role.ADMIN), place, Role.ADMIN)
    root = processes.start("web").url
    sign_in(page, root, admin.user)
    wrong: list[str] = []
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{root}/w/care/evidence/")
        wrong += looks_right(page)
    with scope(place):
        for values in (False, True):
            ask(by=admin, since=None, until=None, shows_values=values, reason=REASON, now=make.NOW)
    about = entries(place)[0]["obj"]["id"]
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{root}/w/care/evidence/?about={about}#ask")
        wrong += looks_right(page)
    assert wrong == []
