"""One bundle, from one moment of the log. What does not verify is not exported."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.actions.exporting import chain as chains_of
from audit.actions.exporting.chain import Heads, Tell
from audit.actions.exporting.entry_files import EntryFiles
from audit.actions.exporting.folder import Folder
from audit.actions.exporting.outside import write_keys, write_outside
from audit.actions.exporting.telling import Cover, Found, exact_file, tell
from audit.queries import chains, export_facts, reader
from audit.queries import subjects as lent
from audit.queries.chains import Connection
from audit.queries.export_facts import Step
from audit.queries.export_fallback import kept_files
from audit.queries.export_heads import SYSTEM
from audit.queries.export_span import find_chain, find_span
from audit.queries.subjects import Subject
from audit.rules.bundle import EXPORT, Span, manifest_body, manifest_bytes
from audit.rules.bundle_lines import Passed
from audit.rules.canonical import encode, stamp
from audit.rules.cells import csv_lines
from audit.rules.dictionary import dictionary
from audit.rules.entry_table import Count
from audit.rules.hashes import genesis
from audit.rules.notes import public_key, sign
from audit.rules.report import Line, Report
from audit.rules.report_html import html_report

VERIFIER = ("verify_evidence.py", "verify.html", "VERIFY.txt")


@dataclass(frozen=True)
class Order:
    """What is asked for. `forced_by` is the event that made the sequencer fix an epoch; with
    `waits_for_witness` evidence up to now ends with an epoch that a witness saw.
    """

    ws: UUID
    since: datetime | None
    until: datetime | None
    forced_by: UUID
    shows_values: bool
    waits_for_witness: bool = False


@dataclass(frozen=True)
class Site:
    """What an installation lends: its reading role's URL, the nonces' secret, the export key, the
    folders of the verifier, the formats' page, the typeface and ingested fallback files.
    """

    url: str
    secret: bytes
    private: Ed25519PrivateKey
    verifier: Path
    formats: Path
    fonts: Path
    fallback: Path


@dataclass(frozen=True)
class Written:
    """A bundle that was written; hashes in hex."""

    entry_count: int
    first_seq: int
    last_seq: int
    epoch_count: int
    ends_at: str
    manifest_sha256: str
    export_key: str


def write_bundle(order: Order, site: Site, target: Path, cover: Cover, told: Tell) -> Written:
    """Write a bundle into a new or empty folder.

    Runs inside the workspace's scope, for names; the log is read by the role that only reads.
    `told` hears how many more entries and epochs are done. Raises NotYet while the last epoch
    waits for its signature, CannotExport, or Broken when the log is not what was written.
    """
    with reader.connect(site.url) as connection, reader.moment(connection) as moment:
        span = find_span(
            connection,
            find_chain(connection, order.ws),
            since=order.since,
            until=order.until,
            forced_by=order.forced_by,
            waits_for_witness=order.waits_for_witness,
        )
        folder = Folder.new(target)
        try:
            return _Bundle(order, site, folder, span, connection).write(moment, cover, told)
        except BaseException:
            folder.discard()
            raise


class _Bundle:
    """The parts of one bundle, in the order in which they are written."""

    def __init__(
        self, order: Order, site: Site, folder: Folder, span: Span, connection: Connection
    ) -> None:
        self._order = order
        self._site = site
        self._folder = folder
        self._span = span
        self._connection = connection
        self._export_key = str(public_key(f"{span.origin}/{EXPORT}", site.private))

    def write(self, moment: str, cover: Cover, told: Tell) -> Written:
        folder, connection, span = self._folder, self._connection, self._span
        # Values are copied, and entries written, while this thread recomputes heads and entries.
        with (
            ThreadPoolExecutor(1, "beside") as beside,
            EntryFiles(folder, span.entry_count) as files,
        ):
            copying = beside.submit(self._write_beside, moment)
            heads = chains_of.write_epochs(folder, connection, span, self._site.secret, told)
            passed = chains_of.write_entries(files, connection, span, heads, told)
            chains_of.write_system(folder, connection, span, heads, self._system_genesis())
            copying.result()
            counts = files.end()
        missing = self._write_fallback()
        self._write_report(heads, passed, counts, missing, cover)
        self._write_copies()
        return self._seal(passed)

    def _write_beside(self, moment: str) -> None:
        """Write the personal values, as of the same moment on a connection of its own."""
        if not self._order.shows_values:
            return
        with reader.connect(self._site.url) as connection, reader.moment(connection, moment):
            chains_of.write_disclosures(self._folder, connection, self._span)

    def _system_genesis(self) -> bytes:
        system = chains.heads(self._connection)[0]
        return genesis(system.ws, system.ws, system.slot, stamp(system.created))

    def _write_fallback(self) -> list[str]:
        """Write the files of outages that entries of the period came from; tell what is missing."""
        found = kept_files(self._connection, self._span, self._site.fallback)
        for path in found.values():
            if path is not None:
                self._folder.put(f"fallback/{path.name}", path.read_bytes())
        return [
            f"The fallback file with the SHA-256 {digest} is not on this machine."
            for digest, path in found.items()
            if path is None
        ]

    def _write_report(
        self,
        heads: Heads,
        passed: Passed,
        counts: Sequence[Count],
        missing: Sequence[str],
        cover: Cover,
    ) -> None:
        connection, span = self._connection, self._span
        approvals = export_facts.steps(connection, span, export_facts.OF_APPROVALS)
        subjects = lent.subjects(step.obj.id for step in approvals)
        found = Found(
            span=span,
            passed=passed,
            counts=counts,
            newest=export_facts.newest(connection, span),
            approvals=approvals,
            subjects=subjects,
            erasures=export_facts.steps(connection, span, export_facts.OF_ERASURES),
            incidents=self._steps(heads, export_facts.OF_GAPS, export_facts.OF_SYSTEM),
            outside=self._outside(heads),
            gaps=heads.gaps,
            seen=write_outside(self._folder, connection, span),
            keys=write_keys(self._folder, connection, self._export_key),
            export_key=self._export_key,
            missing=missing,
        )
        report = tell(found, cover)
        _write_subjects(self._folder, subjects)
        _write_rendering(self._folder, report, self._site.fonts)

    def _steps(self, heads: Heads, own: Sequence[str], of_system: Sequence[str]) -> list[Step]:
        """Return entries of the bundle's chain and of the system's, the earliest first."""
        connection, span, system = self._connection, self._span, heads.last.get(SYSTEM)
        if span.chain.slot == SYSTEM or system is None:
            return export_facts.steps(connection, span, sorted({*own, *of_system}))
        found = export_facts.steps(connection, span, own)
        found += export_facts.system_steps(connection, span, system.seq, of_system)
        return sorted(found, key=lambda step: step.at)

    def _outside(self, heads: Heads) -> list[Step]:
        """Return what came around the product; of the system's chain, what met every workspace."""
        found = self._steps(heads, export_facts.OF_OUTSIDE, export_facts.OF_SYSTEM_OUTSIDE)
        many = export_facts.MANY
        return [step for step in found if not step.is_of_system or step.obj.id.endswith(many)]

    def _write_copies(self) -> None:
        """Write the dictionary of operations, and the verifier with the page that specifies it."""
        self._folder.put("schema/ops.json", encode(dictionary()) + b"\n")
        for name in VERIFIER:
            self._folder.put(f"verify/{name}", (self._site.verifier / name).read_bytes())
        self._folder.put("verify/FORMAT.md", self._site.formats.read_bytes())

    def _seal(self, passed: Passed) -> Written:
        span = self._span
        hides = passed.hidden_count > 0
        manifest = manifest_bytes(span, self._folder.files, hides=hides)
        body = manifest_body(manifest)
        self._folder.seal(manifest, str(sign(body, f"{span.origin}/{EXPORT}", self._site.private)))
        return Written(
            entry_count=span.entry_count,
            first_seq=span.first_seq,
            last_seq=span.last_seq,
            epoch_count=span.last_epoch + 1,
            ends_at=span.ends_at,
            manifest_sha256=body.splitlines()[1],
            export_key=self._export_key,
        )


def _write_subjects(folder: Folder, subjects: Iterable[Subject]) -> None:
    """Write what digests of approvals are of, in the very bytes."""
    for subject in subjects:
        for version in subject.versions:
            if version.digest:
                folder.put(exact_file(subject), version.exact.encode())


def _write_rendering(folder: Folder, report: Report, fonts: Path) -> None:
    # It loads a typesetter, which every process of the product would wait for as it starts.
    from audit.rules.report_pdf import pdf_report

    folder.put("report.html", "".join(html_report(report)).encode())
    folder.put("report.pdf", pdf_report(report, fonts))
    _put_csv(
        folder,
        "approvals",
        ("Kind", "Id", "Name", "Entry", "Recorded", "Who", "What", "About", "Note", "Details"),
        (
            (one.kind, one.id, one.title, *_cells(step))
            for one in report.approvals
            for step in one.steps
        ),
    )
    _put_csv(
        folder,
        "counts",
        ("Operation", "In words", "Done", "Refused", "Failed"),
        ((one.op, one.did, str(one.ok), str(one.denied), str(one.failed)) for one in report.counts),
    )
    for table in report.tables:
        _put_csv(
            folder, table.title.lower().replace(" ", "-").replace(",", ""), table.heads, table.rows
        )


def _cells(step: Line) -> tuple[str, ...]:
    return (str(step.seq), step.at, step.who, step.what, step.about, step.why, step.details)


def _put_csv(
    folder: Folder, name: str, heads: Iterable[str], rows: Iterable[Iterable[str]]
) -> None:
    text = "".join(csv_lines(heads, rows))
    folder.put(f"tables/{name}.csv", text.encode())
