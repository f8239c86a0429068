"""A full check from its page: asked for in a real Chromium, run by a real worker."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from message_center.stack.certificates import demo_certificates
from smpp_client.models import ConnectionReport
from tests import make as nouns
from tests.browsing import looks_right_everywhere
from tests.processes import Processes
from tests.simulator import start_simulator
from tests.visitors import sign_in
from tests.workspaces import make

pytestmark = pytest.mark.browser
CHECK = "/platform/connections/smsc-a/"


def test_a_check_is_asked_for_runs_and_is_downloaded(
    processes: Processes, page: Page, tmp_path: Path
) -> None:
    certificates = demo_certificates(tmp_path / "certificates")
    simulator = start_simulator(
        tmp_path, certificates, system_id="center", password="secret", receipt_delay=0.1
    )
    nouns.connection(
        "smsc-a",
        port=simulator.port,
        server_name="localhost",
        ca_file=str(certificates.ca),
        cert_file=str(certificates.client_cert),
        key_file=str(certificates.client_key),
        rate=20,
        window=10,
    )
    web, _worker = processes.start_together("web", "worker")
    sign_in(page, web.url, make.user("Sardor Tursunov", is_super_admin=True))

    page.goto(f"{web.url}{CHECK}")
    page.get_by_role("link", name="Full check").click()
    wrong = looks_right_everywhere(page)
    page.get_by_label("Test numbers").fill("+44 7700 900001\n+44 7700 900002")
    page.get_by_label("From").fill("Example")
    page.get_by_role("button", name="Continue").click()
    wrong += looks_right_everywhere(page)
    page.get_by_role("button", name="Send 64 messages and check").click()
    expect(page.locator("#report")).to_contain_text("After a broken connection", timeout=60_000)
    expect(page.locator("#report")).not_to_have_attribute("hx-trigger", "every 2s", timeout=10_000)
    expect(page.locator("#report")).to_contain_text("Compare on the phone")
    wrong += looks_right_everywhere(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Report as a file").click()
    simulator.stop()

    assert wrong == []
    report = ConnectionReport.objects.get()
    assert report.sentence == "24 passed, 1 failed, 2 not tried."
    assert download.value.suggested_filename == f"smsc-a-{report.pk}.html"
    files = {file.name for file in (processes.data / "reports").iterdir()}
    assert files == {f"smsc-a-{report.pk}.html", f"smsc-a-{report.pk}.json"}
