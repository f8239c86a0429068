"""The second verifier, a page from disk: it must judge every case as the first one does."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from audit.verifier import verify_evidence as verifier
from tests.audit.evidence.cases import Evidence
from tests.audit.evidence.installation import TRUST
from tests.audit.evidence.messages import CASES
from tests.audit.evidence.run import wishes, write

SAMPLE = Path(__file__).parent / "evidence" / "sample"
PAGE = Path(verifier.__file__).with_name("verify.html")
# A browser neither shows links nor follows them, and has no folder without files.
UNSEEN = ("53 link", "54 nothing")
COMPARED = {number: case for number, case in CASES.items() if number not in UNSEEN}
VERIFY_ALL = """
async (wishes) => {
  const files = new Map();
  for (const file of document.getElementById('folder').files) {
    const [, bundle, ...path] = file.webkitRelativePath.split('/');
    if (!files.has(bundle)) files.set(bundle, []);
    files.get(bundle).push({ path: path.join('/'), blob: file });
  }
  const reports = {};
  for (const [bundle, wish] of Object.entries(wishes)) {
    const bytes = (note) => Uint8Array.from(atob(note), (c) => c.charCodeAt(0));
    const held = wish.held.map((note) => ({ name: 'held', bytes: bytes(note) }));
    const report = await verifyEvidence(files.get(bundle), { ...wish, held });
    const { exit, level, counts, findings } = report;
    const first = findings.length ? findings[0].code : '';
    reports[bundle] = { exit, level, first, codes: Object.keys(counts).sort() };
  }
  return reports;
}
"""

pytestmark = pytest.mark.browser


def _wish(evidence: Evidence) -> dict[str, Any]:
    return {
        "trust": list(evidence.trust),
        "witness": list(evidence.witness),
        "held": [base64.b64encode(note).decode() for note in evidence.held],
        "ws": evidence.ws,
        "since": evidence.since,
        "until": evidence.until,
        "maxGap": evidence.max_gap,
        "needWitness": evidence.need_witness,
        "number": evidence.number,
        "text": evidence.text,
    }


def test_both_verifiers_judge_every_case_alike(page: Page, tmp_path: Path) -> None:
    bundles, asked, expected, primary = tmp_path / "bundles", {}, {}, {}
    for number, case in COMPARED.items():
        evidence, name = case.build(), number.replace(" ", "-")
        folder = write(evidence, bundles / name)
        (tmp_path / "held").mkdir(exist_ok=True)
        report = verifier.verify(folder, wishes(evidence, tmp_path / "held" / name))
        expected[name] = (report.exit_code, report.level or None, sorted(report.counts))
        primary[name] = case.primary
        asked[name] = _wish(evidence)
    page.goto(PAGE.as_uri())
    page.locator("#folder").set_input_files(bundles)
    found = page.evaluate(VERIFY_ALL, asked)
    judged = {name: (one["exit"], one["level"], one["codes"]) for name, one in found.items()}
    assert judged == expected
    assert {name: one["first"] for name, one in found.items()} == primary


def test_the_sample_verifies_from_disk_as_a_reader_does_it(page: Page) -> None:
    page.goto(PAGE.as_uri())
    page.locator("#folder").set_input_files(SAMPLE / "bundle")
    keys = [(SAMPLE / f"{name}.vkey").read_text().strip() for name in ("log", "export", "witness")]
    page.get_by_label("Keys that you trust").fill("\n".join(keys[:2]))
    page.get_by_label("Keys of witnesses").fill(keys[2])
    page.get_by_label("Checkpoints that you kept").set_input_files(SAMPLE / "held.note")
    page.get_by_label("Witnesses demanded").fill("1")
    page.get_by_role("button", name="Verify").click()
    page.locator("#result[data-exit='0']").wait_for()
    said = page.locator("#result").inner_text()
    assert "72 entries from number 1" in said
    assert "RESULT: LEVEL C" in said
    assert "It continues what you held: the first 4 epochs." in said


def test_a_refusal_stands_in_a_sentence(page: Page, tmp_path: Path) -> None:
    page.goto(PAGE.as_uri())
    page.locator("#folder").set_input_files(write(CASES["01"].build(), tmp_path / "bundle"))
    page.get_by_label("Keys that you trust").fill("\n".join(TRUST))
    page.get_by_role("button", name="Verify").click()
    page.locator("#result[data-exit='1']").wait_for()
    said = page.locator("#result").inner_text()
    assert "C05  REFUSED: Entry 31 was changed after it was recorded." in said
    assert "RESULT: REFUSED" in said


def test_a_mistyped_key_is_refused(page: Page) -> None:
    page.goto(PAGE.as_uri())
    page.locator("#folder").set_input_files(SAMPLE / "bundle")
    page.get_by_label("Keys that you trust").fill(TRUST[0].replace("+", "+0", 1))
    page.get_by_role("button", name="Verify").click()
    page.locator("#result[data-exit='1']").wait_for()
    assert "REFUSED to run" in page.locator("#result").inner_text()


def test_its_own_hashes_are_those_of_the_library(page: Page) -> None:
    page.goto(PAGE.as_uri())
    for size in (0, 1, 55, 56, 63, 64, 65, 111, 112, 127, 128, 1000):
        data = bytes(number % 251 for number in range(size))
        found = page.evaluate(
            "(d) => [hex(sha256(Uint8Array.from(d))), hex(sha512(Uint8Array.from(d)))]", list(data)
        )
        assert found == [hashlib.sha256(data).hexdigest(), hashlib.sha512(data).hexdigest()]


def test_the_page_can_reach_nothing(browser: Browser) -> None:
    assert not re.search(r"(src|href)=|XMLHttp|import\(|innerHTML", PAGE.read_text())
    page = browser.new_page()
    page.goto(PAGE.as_uri())
    reached = page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'reached', (e) => e.message)")
    page.close()
    assert reached == "Failed to fetch"
