"""A bundle that holds what others said: real time stamps, cosignatures and files of an outage.

The far ends are those of the anchors' tests: openssl as an authority, a witness over HTTP. Both
verifiers judge the bundle and what was done to it; who tampers has the export key.
"""

import base64
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone
from playwright.sync_api import Page
from rfc3161_client import TimestampRequestBuilder

from audit.actions.anchors.installed import installed
from audit.actions.anchors.sending import due, send_newest
from audit.actions.fallback import Fallback
from audit.actions.fallback_ingest import ingest
from audit.rules.canonical import read_stamp, stamp
from audit.verifier import verify_evidence as verifier
from tests.audit.authority import Authority, authority
from tests.audit.conftest import Log
from tests.audit.exported import ORIGIN, Exporter, resealed
from tests.audit.fallback.ground import denied, folder_at
from tests.audit.make import MARKETING, append
from tests.audit.site import Site
from tests.audit.test_evidence_page import PAGE, VERIFY_ALL
from tests.audit.witness import Witness, witness

LAST = "1"
STAMP = f"anchors/{LAST}-tsa.tsr"
NOTES = ("checkpoint.note", f"checkpoints/{LAST}.note")


@dataclass(frozen=True)
class Handed:
    """A bundle over two epochs, what a reader brings along, and its far ends.

    `held` is the checkpoint of the first epoch, `spare` a file of an outage that was not ingested.
    """

    bundle: Path
    keys: tuple[str, ...]
    held: Path
    spare: bytes
    tsa: Authority
    witness: Witness
    ends_at: str

    @property
    def fallback(self) -> Path:
        [path] = (self.bundle / "fallback").iterdir()
        return path.relative_to(self.bundle)

    def wishes(self, **changes: object) -> verifier.Wishes:
        """Return what a reader asks for who has the witness's key."""
        wishes = verifier.Wishes(
            trust=tuple(map(verifier.read_key, self.keys)),
            witnesses=(verifier.read_key(self.witness.verifier_key),),
            witness_count=1,
            workspace=str(MARKETING),
            period=("", self.ends_at),
            max_gap=7200,
        )
        return wishes._replace(**changes)  # type: ignore[arg-type]

    def altered(self, name: str, deed: "Deed") -> Path:
        """Return a copy with which something was done, under a manifest that was signed again."""
        target = self.bundle.with_name(name.replace(" ", "-"))
        shutil.copytree(self.bundle, target)
        deed(replace(self, bundle=target))
        resealed(target)
        return target


Deed = Callable[[Handed], None]


@pytest.fixture
def handed(log: Log, tmp_path: Path, settings: LazySettings) -> Iterator[Handed]:
    exporter = Exporter(Site(log, tmp_path / "audit"), tmp_path)
    append(exporter.site.runtime, at=timezone.now())
    exporter.ask(MARKETING)
    held = exporter.held()
    with (
        authority(tmp_path / "tsa") as tsa,
        witness(ORIGIN, exporter.site.key.public) as seen,
    ):
        settings.AUDIT_TSA_URL, settings.AUDIT_TSA_CA = tsa.url, str(tsa.ca)
        settings.AUDIT_TSA_SECONDS = 0
        settings.AUDIT_WITNESS_URL, settings.AUDIT_WITNESS_KEY = seen.url, seen.verifier_key
        _hand_out(seen)
        folder = folder_at(tmp_path)
        _outage(folder)
        ingest(folder, now=timezone.now())
        forced = exporter.ask(MARKETING)
        _hand_out(seen)
        bundle, written = exporter.export(MARKETING, "bundles/whole", forced_by=forced)
        _outage(folder)
        [spare] = (tmp_path / "open").glob("*.jsonl")
        keys = tuple(exporter.trust[1::2])
        yield Handed(bundle, keys, held, spare.read_bytes(), tsa, seen, written.ends_at)


def _hand_out(seen: Witness) -> None:
    """Do what the worker's sweep and its tasks do."""
    seen.clock = int(time.time())
    anchors = installed()
    assert due(anchors, now=timezone.now()) == ["tsa", "witness"]
    assert all(send_newest(one, now=timezone.now()) for one in anchors)


def _outage(folder: Fallback) -> None:
    for _ in range(3):
        folder.append(denied(at=timezone.now()), {})


# --- What is done to it


def _stamp(tsa: Authority, data: bytes) -> bytes:
    request = TimestampRequestBuilder().data(data).cert_request(cert_request=True).build()
    return tsa.reply(request.as_bytes())


def stamp_over_something_else(one: Handed) -> None:
    (one.bundle / STAMP).write_bytes(_stamp(one.tsa, b"another checkpoint"))


def stamp_set_back(one: Handed) -> None:
    """The authority's own time, as digits in the answer, twenty years earlier."""
    data = (one.bundle / STAMP).read_bytes()
    year = f"{datetime.now(read_stamp(one.ends_at).tzinfo):%Y%m%d}".encode()
    assert year in data
    (one.bundle / STAMP).write_bytes(data.replace(year, b"20060301"))


def stamp_that_is_none(one: Handed) -> None:
    (one.bundle / STAMP).write_bytes(b"stamped!")


def _cosignatures(one: Handed, change: Callable[[str], str]) -> None:
    for name in NOTES:
        lines = (one.bundle / name).read_text().splitlines(keepends=True)
        told = [change(line) if line.startswith("— witness.") else line for line in lines]
        (one.bundle / name).write_text("".join(told))


def cosignature_taken_away(one: Handed) -> None:
    _cosignatures(one, lambda _line: "")


def cosignature_forged(one: Handed) -> None:
    """Another second in the signed time, and the same signature."""

    def later(line: str) -> str:
        head, _, text = line.rpartition(" ")
        data = bytearray(base64.b64decode(text))
        data[11] ^= 1
        return f"{head} {base64.b64encode(bytes(data)).decode()}\n"

    _cosignatures(one, later)


def cosignature_of_the_epoch_before(one: Handed) -> None:
    before = (one.bundle / "checkpoints/0.note").read_text().splitlines(keepends=True)
    _cosignatures(one, lambda _line: before[-1])


def anchored_checkpoint_rewritten(one: Handed) -> None:
    path = one.bundle / "checkpoints/0.note"
    origin, size, _root, *rest = path.read_text().split("\n")
    root = base64.b64encode(sha256(b"another history").digest()).decode()
    path.write_text("\n".join([origin, size, root, *rest]))


def _outage_lines(one: Handed, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path = one.bundle / one.fallback
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def outage_line_edited(one: Handed) -> None:
    _outage_lines(one, lambda lines: [*lines[:2], lines[2].replace(b"usr_6", b"usr_7"), lines[3]])


def outage_line_deleted(one: Handed) -> None:
    _outage_lines(one, lambda lines: [*lines[:2], lines[3]])


def outage_lines_swapped(one: Handed) -> None:
    _outage_lines(one, lambda lines: [lines[0], lines[2], lines[1], lines[3]])


def outage_of_another_installation(one: Handed) -> None:
    _outage_lines(one, lambda lines: [lines[0].replace(b"5b1f2c1e", b"5b1f2c1f"), *lines[1:]])


def outage_cut_after_its_ingestion(one: Handed) -> None:
    _outage_lines(one, lambda lines: lines[:3])


def outage_that_was_never_ingested(one: Handed) -> None:
    (one.bundle / "fallback" / "spare.jsonl").write_bytes(one.spare)


# What is done -> exit, and the first code that explains it.
TAMPERED: dict[Deed, tuple[int, str]] = {
    stamp_over_something_else: (1, "T02"),
    stamp_set_back: (1, "T02"),
    stamp_that_is_none: (1, "T02"),
    cosignature_taken_away: (1, "K04"),
    cosignature_forged: (1, "K01"),
    cosignature_of_the_epoch_before: (1, "K01"),
    anchored_checkpoint_rewritten: (1, "K01"),
    outage_line_edited: (1, "F01"),
    outage_line_deleted: (1, "F01"),
    outage_lines_swapped: (1, "F01"),
    outage_of_another_installation: (1, "F01"),
    outage_cut_after_its_ingestion: (2, "F02"),
    outage_that_was_never_ingested: (2, "F02"),
}


def _primary(report: verifier.Report) -> str:
    """Return the first failure's code, the first warning's where nothing fails."""
    ordered = sorted(report.findings, key=lambda one: one.kind == "warning")
    return ordered[0].code if ordered else ""


def test_a_reader_reaches_each_level_by_what_he_brings_along(handed: Handed) -> None:
    bundle = handed.bundle
    bare = handed.wishes(witnesses=(), witness_count=0)
    brought = {
        "A": bare,
        "B": bare._replace(held=(handed.held,)),
        "C by a witness": handed.wishes(),
        "C by an authority": bare._replace(authority=handed.tsa.ca),
        "C by both": handed.wishes(held=(handed.held,), authority=handed.tsa.ca),
    }
    found = {name: verifier.verify(bundle, wishes) for name, wishes in brought.items()}
    assert [one.findings for one in found.values()] == [[]] * 5
    assert [one.level for one in found.values()] == ["A", "B", "C", "C", "C"]
    assert len(found["C by both"].grounds) == 3
    # The reader who asks for a later day is told that nobody saw that day.
    late = handed.wishes(period=("", stamp(timezone.now())))
    assert _primary(verifier.verify(bundle, late)) == "V02"


def test_the_files_are_those_that_the_specification_names(handed: Handed) -> None:
    bundle = handed.bundle
    names = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
    assert {name for name in names if "/" not in name} == {
        *("manifest.json", "manifest.note", "checkpoint.note", "epochs.jsonl", "heads.jsonl"),
        *("entries.jsonl.gz", "disclosures.jsonl", "system-entries.jsonl.gz"),
        *("system-heads.jsonl", "report.html", "report.pdf"),
    }
    folders = {name.partition("/")[0] for name in names if "/" in name}
    assert folders == {
        *("anchors", "checkpoints", "fallback", "keys", "schema", "tables", "verify")
    }
    outside = {name for name in names if name.startswith(("anchors/", "checkpoints/"))}
    assert outside == {
        *(f"anchors/{epoch}-{end}" for epoch in "01" for end in ("tsa.tsr", "witness.txt")),
        *(f"checkpoints/{epoch}{end}" for epoch in "01" for end in (".note", "-stamped.note")),
    }
    # A stamp's digest is that of a file: sha256sum and openssl are enough to follow it.
    for epoch in "01":
        stamped = sha256((bundle / f"checkpoints/{epoch}-stamped.note").read_bytes()).digest()
        assert stamped in (bundle / f"anchors/{epoch}-tsa.tsr").read_bytes()
    assert (bundle / handed.fallback).read_bytes().count(b"\n") == 4


def test_each_of_them_that_is_tampered_with_is_refused(handed: Handed, tmp_path: Path) -> None:
    found = {}
    for deed in TAMPERED:
        report = verifier.verify(handed.altered(deed.__name__, deed), handed.wishes())
        found[deed] = (report.exit_code, _primary(report))
    assert found == TAMPERED
    # Under the manifest as it was signed, any touched byte is enough.
    path = handed.bundle / STAMP
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    assert _primary(verifier.verify(handed.bundle, handed.wishes())) == "M05"


def test_an_authority_that_the_reader_does_not_know_gives_no_level(
    handed: Handed, tmp_path: Path
) -> None:
    with authority(tmp_path / "other") as other:
        wishes = handed.wishes(authority=other.ca, witnesses=(), witness_count=0)
        report = verifier.verify(handed.bundle, wishes)
        assert (report.level, report.findings) == ("A", [])
        assert all("not of the authority that you gave" in note for note in report.notes)


@pytest.mark.browser
def test_the_second_verifier_judges_them_alike(handed: Handed, page: Page) -> None:
    folders = {"whole": handed.bundle}
    folders |= {deed.__name__: handed.altered(f"{deed.__name__}", deed) for deed in TAMPERED}
    expected, asked = {}, {}
    for name, folder in folders.items():
        report = verifier.verify(folder, handed.wishes())
        expected[name] = (report.exit_code, report.level or None, sorted(report.counts))
        asked[name] = {
            "trust": handed.keys,
            "witness": [handed.witness.verifier_key],
            "held": [],
            "ws": str(MARKETING),
            "since": "",
            "until": handed.ends_at,
            "maxGap": 7200,
            "needWitness": 1,
            "number": "",
            "text": "",
        }
    page.goto(PAGE.as_uri())
    page.locator("#folder").set_input_files(handed.bundle.parent)
    found = page.evaluate(VERIFY_ALL, asked)
    judged = {name: (one["exit"], one["level"], one["codes"]) for name, one in found.items()}
    assert judged == expected
    assert judged["whole"] == (0, "C", [])
