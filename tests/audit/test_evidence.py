"""The verifier of evidence: the published sample, vectors and attacks, and each check alone."""

import ast
import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from audit.verifier import verify_evidence as verifier
from tests.audit import vectors
from tests.audit.evidence import elsewhere
from tests.audit.evidence.cases import PUBLISHED, Case, Evidence
from tests.audit.evidence.installation import (
    OURS,
    TRUST,
    WITNESS_VKEY,
    five_hours,
    key,
    packed,
    six_hours,
)
from tests.audit.evidence.messages import CASES
from tests.audit.evidence.run import typed, verify, wishes, write

SAMPLE = Path(__file__).parent / "evidence" / "sample"
FILE = Path(verifier.__file__)
ELSEWHERE = Path(elsewhere.__file__)
SAMPLE_TRUST = ["--trust", str(SAMPLE / "log.vkey"), "--trust", str(SAMPLE / "export.vkey")]


Done: TypeAlias = "subprocess.CompletedProcess[str]"


class Built:
    """The cases' bundles on disk, each written once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._evidence: dict[str, tuple[Path, Evidence]] = {}

    def report(self, number: str) -> verifier.Report:
        """Verify a case."""
        folder, evidence = self._written(number)
        return verifier.verify(folder, wishes(evidence, folder))

    def typed(self, number: str) -> list[str]:
        """Return what a reader of the case types."""
        folder, evidence = self._written(number)
        return typed(evidence, folder)

    def _written(self, number: str) -> tuple[Path, Evidence]:
        if number not in self._evidence:
            evidence = CASES[number].build()
            folder = write(evidence, self.folder / number.replace(" ", "-"))
            self._evidence[number] = (folder, evidence)
        return self._evidence[number]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(tmp_path_factory.mktemp("evidence"))


def run(*words: str, folder: Path, python: str = sys.executable) -> Done:
    """Run the file as a reader does."""
    command = [python, "-I", str(FILE), *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_published_list_has_84_cases() -> None:
    assert len(PUBLISHED) == 84


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_case_of_the_list_behaves(case: Case, built: Built) -> None:
    assert case.problem(built.report(case.number)) == ""


@pytest.mark.parametrize("code", verifier.CHECKS)
def test_without_a_check_its_cases_are_red(
    code: str, built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    needing = [case for case in CASES.values() if case.primary == code]
    assert needing, f"no case needs {code}"
    monkeypatch.setitem(verifier.CHECKS, code, lambda *facts, **more: "")
    for case in needing:
        assert case.problem(built.report(case.number)), f"{case.number} does not need {code}"


def places_of_checks() -> list[tuple[str, int]]:
    """Return where the verifier applies a check: its code and the line.

    What openssl says of a stamp has a test of its own.
    """
    calls = [one for one in ast.walk(ast.parse(FILE.read_text())) if isinstance(one, ast.Call)]
    return [
        (ast.literal_eval(one.args[0]), one.lineno)
        for one in calls
        if ast.unparse(one.func).split(".")[-1] == "test" and "openssl" not in ast.unparse(one)
    ]


@pytest.mark.parametrize(("code", "line"), places_of_checks())
def test_each_place_at_which_a_check_is_applied_is_needed(
    code: str, line: int, built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied = verifier.Report.test

    def but_here(report: verifier.Report, asked: str, *facts: Any, kind: str = "failure") -> bool:
        if (asked, sys._getframe(1).f_lineno) == (code, line):
            return True
        return applied(report, asked, *facts, kind=kind)

    monkeypatch.setattr(verifier.Report, "test", but_here)
    needing = [case for case in CASES.values() if code in {case.primary, *case.also}]
    assert any(case.problem(built.report(case.number)) for case in needing), "no case needs it"


def test_the_report_names_no_code_without_its_check() -> None:
    text = FILE.read_text()
    assert set(verifier.CHECKS) == set(re.findall(r'test\(\s*"([A-Z]\d\d)"', text))


# --- The published sample and vectors -------------------------------------------------------------


def test_the_sample_verifies_at_the_level_that_the_reader_brings(tmp_path: Path) -> None:
    bundle = str(SAMPLE / "bundle")
    held, witness = (
        ["--held", str(SAMPLE / "held.note")],
        ["--witness", str(SAMPLE / "witness.vkey")],
    )
    for words, level in (([], "A"), (held, "B"), ([*witness, "--need-witness", "1"], "C")):
        done = run(bundle, *SAMPLE_TRUST, *words, "--json", folder=tmp_path)
        said = json.loads(done.stdout)
        assert (done.returncode, said["level"], said["findings"]) == (0, level, [])
    assert said["facts"]["entries"] == 72


@pytest.mark.parametrize(
    "name", ["entries.jsonl.gz", "epochs.jsonl", "heads.jsonl", "checkpoint.note"]
)
def test_every_changed_byte_of_the_sample_is_noticed(name: str, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(SAMPLE / "bundle", bundle)
    trust = tuple(
        verifier.read_key((SAMPLE / f"{who}.vkey").read_text()) for who in ("log", "export")
    )
    data = (bundle / name).read_bytes()
    for place in range(7, len(data), len(data) // 9):
        (bundle / name).write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert verifier.verify(bundle, verifier.Wishes(trust)).exit_code == 1


def test_the_published_hashes_are_the_verifiers() -> None:
    install, ws = str(vectors.INSTALL), str(vectors.WORKSPACE)
    parts = ("smsc-audit-genesis/v1", install, ws, vectors.SLOT, vectors.CREATED)
    assert verifier.framed(*parts).hex() == vectors.GENESIS
    assert verifier.leaf_hash(vectors.EVENT).hex() == vectors.LEAF
    entry = ("smsc-audit-entry/v1", ws, 1, vectors.AT, vectors.GENESIS, vectors.LEAF)
    assert verifier.framed(*entry).hex() == vectors.ENTRY
    assert verifier.leaf_hash(vectors.HEAD_TEXT).hex() == vectors.HEAD_LEAF
    assert verifier.leaf_hash(vectors.EPOCH).hex() == vectors.EPOCH_LEAF
    disclosed = {"field": "msisdn", "salt": "00" * 32, "value": "+447700900008"}
    assert verifier.commitment(disclosed) == vectors.COMMITMENT


def test_the_published_lines_are_read_and_written_back() -> None:
    assert verifier.canonical(verifier.read_canonical(vectors.EVENT)) == vectors.EVENT
    assert verifier.read_epoch(vectors.EPOCH)["chains"] == 5
    keys = [verifier.read_key(text) for text in (vectors.LOG_KEY, vectors.WITNESS_KEY)]
    note = verifier.read_note(vectors.CHECKPOINT.encode())
    signed = [(one.name, at) for one, at in verifier.who_signed(note, keys)]
    assert signed == [(vectors.ORIGIN, 0), ("witness.regulator.example/w1", 1_772_400_000)]
    root = bytes.fromhex(vectors.EPOCH_LEAF)
    assert verifier.read_checkpoint(note) == verifier.Checkpoint(vectors.ORIGIN, 1, root)


# RFC 8032, section 7.1: tests 1 to 3 (public key, message, signature).
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("public", "message", "signature"), RFC_8032)
def test_the_signatures_of_the_rfc_hold(public: str, message: str, signature: str) -> None:
    facts = (bytes.fromhex(public), bytes.fromhex(message))
    assert verifier.is_signed(*facts, bytes.fromhex(signature))
    for changed in (signature[:-2] + "00", "00" + signature[2:], signature[:64], signature + "00"):
        assert not verifier.is_signed(*facts, bytes.fromhex(changed)) or changed == signature


def test_a_signature_with_the_group_order_added_is_refused() -> None:
    private = key("log")
    public, signature = private.public_key().public_bytes_raw(), private.sign(b"text")
    more = int.from_bytes(signature[32:], "little") + verifier._L
    assert verifier.is_signed(public, b"text", signature)
    assert not verifier.is_signed(public, b"text", signature[:32] + more.to_bytes(32, "little"))


# --- As a command ---------------------------------------------------------------------------------


def test_it_is_one_file_for_python_38_with_the_standard_library_only() -> None:
    tree = ast.parse(FILE.read_text(), feature_version=(3, 8))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names


def pythons() -> dict[str, str]:
    """Return the Pythons of this machine that the verifier is for, by version; ours is one."""
    found = {".".join(map(str, sys.version_info[:2])): sys.executable}
    for minor in range(8, 16):
        python = shutil.which(f"python3.{minor}")
        # Some are only a name for what is not installed; one that cannot read the file stays in.
        if python and not subprocess.run([python, "-c", ""], check=False).returncode:
            found.setdefault(f"3.{minor}", python)
    return found


def test_every_python_that_is_here_reads_the_sample(tmp_path: Path) -> None:
    words = (str(SAMPLE / "bundle"), *SAMPLE_TRUST, "--json", "--keep", str(tmp_path / "kept"))
    for version, python in pythons().items():
        done = run(*words, folder=tmp_path, python=python)
        assert (version, json.loads(done.stdout)["level"]) == (version, "A")


def test_every_python_that_is_here_judges_the_cases_alike(built: Built, tmp_path: Path) -> None:
    asked = json.dumps([built.typed(number) for number in CASES])
    ours = [json.loads(verifier.as_json(built.report(number))) for number in CASES]
    for version, python in pythons().items():
        command = [python, "-I", str(ELSEWHERE), str(FILE.parent)]
        done = subprocess.run(
            command, cwd=tmp_path, input=asked, stdout=subprocess.PIPE, text=True, check=True
        )
        for number, said, expected in zip(CASES, json.loads(done.stdout), ours, strict=True):
            assert (version, number, said) == (version, number, expected)


def test_it_refuses_to_run_without_trust(tmp_path: Path) -> None:
    done = run(str(SAMPLE / "bundle"), folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "--trust" in done.stderr


def test_a_mistyped_key_is_refused(tmp_path: Path) -> None:
    mistyped = vectors.LOG_KEY.replace("5bf2f405", "5bf2f406")
    done = run(str(SAMPLE / "bundle"), "--trust", mistyped, folder=tmp_path)
    assert done.returncode == 1
    assert "typing mistake" in done.stderr


def test_the_answer_names_the_level_and_what_it_does_not_say(tmp_path: Path) -> None:
    said = run(str(SAMPLE / "bundle"), *SAMPLE_TRUST, folder=tmp_path).stdout
    assert "RESULT: LEVEL A: whole in itself and signed" in said
    assert "does not show that the operator himself" in said
    assert "VALID" not in said


def test_a_refusal_says_what_is_wrong_and_keeps_nothing(tmp_path: Path) -> None:
    folder = write(CASES["01"].build(), tmp_path / "bundle")
    trust = [word for one in TRUST for word in ("--trust", one)]
    done = run(str(folder), *trust, folder=tmp_path)
    assert done.returncode == 1
    assert "C05  REFUSED: Entry 31 was changed after it was recorded." in done.stdout
    assert not (tmp_path / "held.note").exists()


def test_warnings_end_with_2_and_are_left_to_people(tmp_path: Path) -> None:
    folder = write(CASES["32"].build(), tmp_path / "bundle")
    trust = [word for one in TRUST for word in ("--trust", one)]
    done = run(str(folder), *trust, folder=tmp_path)
    assert done.returncode == 2
    assert "T01  to be judged" in done.stdout


def test_the_checkpoint_is_kept_for_next_time_and_never_written_over(tmp_path: Path) -> None:
    words = [str(SAMPLE / "bundle"), *SAMPLE_TRUST]
    (tmp_path / "held.note").write_text("mine\n")
    run(*words, folder=tmp_path)
    assert (tmp_path / "held.note").read_text() == "mine\n"
    kept = tmp_path / "held-6.note"
    assert kept.read_bytes() == (SAMPLE / "bundle" / "checkpoint.note").read_bytes()
    again = run(*words, "--held", str(kept), "--json", folder=tmp_path)
    assert json.loads(again.stdout)["level"] == "B"


def test_nothing_is_written_into_the_bundle(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(SAMPLE / "bundle", bundle)
    before = sorted(bundle.rglob("*"))
    done = run(".", *SAMPLE_TRUST, folder=bundle)
    assert (done.returncode, sorted(bundle.rglob("*"))) == (0, before)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    evidence = CASES["00"].build()
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "epochs.jsonl").write_bytes(evidence.files["epochs.jsonl"])
    del evidence.files["epochs.jsonl"]
    evidence.links["epochs.jsonl"] = str(secret / "epochs.jsonl")
    report = verify(evidence, tmp_path / "bundle")
    assert {"M04", "M05", "X00"} <= set(report.counts)


def test_what_a_bundle_says_cannot_play_tricks_on_the_screen(tmp_path: Path) -> None:
    evidence = CASES["52"].build()
    evidence.files["\x1b[2Jx\u202e"] = b""
    report = verify(evidence, tmp_path / "bundle")
    assert "<001B>[2Jx<202E>" in "".join(finding.sentence for finding in report.findings)
    assert "\x1b" not in verifier.describe(report)


def test_a_date_as_the_end_means_its_whole_day() -> None:
    assert verifier.read_time("2026-03-31", is_end=True) == "2026-04-01T00:00:00.000000Z"
    assert verifier.read_time("2026-03-31") == "2026-03-31T00:00:00.000000Z"
    assert verifier.read_time("2026-03-31T02:00:00+02:00") == "2026-03-31T00:00:00.000000Z"
    for wrong in ("9999-12-31", "soon", "2026-02-30"):
        with pytest.raises(verifier.Unreadable):
            verifier.read_time(wrong, is_end=True)


def test_a_small_file_that_unpacks_to_a_giant_line_is_refused(tmp_path: Path) -> None:
    bundle = six_hours().export()
    bundle.files["entries.jsonl.gz"] = packed([b"0" * 60_000_000])
    bundle.manifest["entries"] = 1
    report = verify(Evidence(bundle.seal()), tmp_path / "bundle")
    assert "X00" in report.counts


# --- What the reader is told ----------------------------------------------------------------------


def pruned(last: int, result: str = "ok") -> Evidence:
    """Forty entries are hidden; an entry says that those up to `last` were removed."""
    log = five_hours()
    log.record(OURS, 5 * 3600, op="retention.prune", diff={"last": [None, last]}, res=result)
    log.fix(6 * 3600)
    bundle = log.export()
    bundle.manifest["mode"] = "skeleton"
    for entry in bundle.entries[:40]:
        entry.ev = None
    bundle.disclosures.clear()
    return Evidence(bundle.seal())


def test_hidden_entries_that_no_pruning_accounts_for_are_counted(tmp_path: Path) -> None:
    told = {}
    for last in (40, 30):
        report = verify(pruned(last), tmp_path / str(last))
        assert (report.exit_code, report.facts["hidden"]) == (0, 40)
        told[last] = verifier.describe(report)
    assert "Mode of the entries: skeleton" in told[40]
    assert "no retention.prune" not in told[40]
    assert "10 hidden entries are covered by no retention.prune" in told[30]


def test_a_pruning_that_was_only_tried_accounts_for_nothing(tmp_path: Path) -> None:
    report = verify(pruned(40, "failed"), tmp_path / "bundle")
    assert report.facts["unexplained"] == 40


def test_the_evidence_of_a_message_says_how_much_of_it_is_shown(tmp_path: Path) -> None:
    report = verify(CASES["m0 honest"].build(), tmp_path / "one")
    assert "1 of 1 parts are shown" in report.notes[0]
    assert "A later line may revise this" in verifier.describe(report)
    assert verifier.parts_words([{"part": 2, "parts": 3}]).startswith("1 of 3 parts")
    assert verifier.parts_words([{"part": 0, "parts": 3}]).startswith("3 of 3 parts")


# --- Time stamps ----------------------------------------------------------------------------------

CONFIGURATION = """
[tsa]
dir = .
serial = serial
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
signer_digest = sha256
[v3]
extendedKeyUsage = critical,timeStamping
"""


def stamped(digest: bytes, folder: Path, ends: timedelta = timedelta(days=30)) -> bytes:
    """Let an authority that the test makes stamp a digest; its certificate is tsa.pem."""
    now = datetime.now(UTC)
    _certify(folder, now + min(-timedelta(days=1), 2 * ends), now + ends)
    (folder / "tsa.cnf").write_text(CONFIGURATION)
    (folder / "serial").write_text("01\n")
    steps = [
        f"ts -query -digest {digest.hex()} -sha256 -cert -out one.tsq",
        "ts -reply -config tsa.cnf -section tsa -queryfile one.tsq -signer tsa.pem -inkey tsa.key"
        " -out one.tsr",
    ]
    for step in steps:
        words = ["openssl", *step.split()]
        subprocess.run(words, cwd=folder, capture_output=True, check=True)
    return (folder / "one.tsr").read_bytes()


def _certify(folder: Path, since: datetime, until: datetime) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tsa.example")])
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
    certificate = (
        x509.CertificateBuilder(name, name, private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(private, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "tsa.pem").write_bytes(certificate.public_bytes(pem))
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "tsa.key").write_bytes(private.private_bytes(pem, *form))


def test_a_time_stamp_lifts_to_level_c_only_when_openssl_confirms_it(tmp_path: Path) -> None:
    bundle = six_hours().export()
    stamp = stamped(verifier.sha256(bundle.checkpoint.encode()), tmp_path)
    bundle.files["anchors/tsa.tsr"] = stamp
    evidence = Evidence(bundle.seal())
    unchecked = verify(evidence, tmp_path / "bundle")
    assert (unchecked.level, unchecked.exit_code) == ("A", 0)
    assert "TSA signature not checked" in unchecked.notes[0]
    checked = verify(evidence, tmp_path / "bundle", authority=tmp_path / "tsa.pem")
    assert (checked.level, checked.findings) == ("C", [])
    forged = bytearray(stamp)
    forged[-1] ^= 1
    evidence.files = six_hours().export().seal()
    bundle.files["anchors/tsa.tsr"] = bytes(forged)
    evidence = Evidence(bundle.seal())
    refused = verify(evidence, tmp_path / "forged", authority=tmp_path / "tsa.pem")
    assert set(refused.counts) == {"T02"}


def test_a_reader_without_openssl_is_told_and_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = six_hours().export()
    stamp = stamped(verifier.sha256(bundle.checkpoint.encode()), tmp_path)
    bundle.files["anchors/tsa.tsr"] = stamp
    monkeypatch.setenv("PATH", str(tmp_path))
    report = verify(Evidence(bundle.seal()), tmp_path / "bundle", authority=tmp_path / "tsa.pem")
    assert (report.level, report.findings) == ("A", [])
    assert "there is no openssl here" in report.notes[0]


def test_a_stamp_of_an_authority_whose_certificate_ended_since_still_counts(tmp_path: Path) -> None:
    bundle = six_hours().export()
    stamp = stamped(verifier.sha256(bundle.checkpoint.encode()), tmp_path, -timedelta(days=1))
    bundle.files["anchors/tsa.tsr"] = stamp
    evidence = Evidence(bundle.seal())
    # Made a moment ago, under a certificate that ended yesterday: the stamp itself is no good.
    refused = verify(evidence, tmp_path / "ended before", authority=tmp_path / "tsa.pem")
    assert set(refused.counts) == {"T02"}
    told = verifier.read_time_stamp(stamp)
    before = told._replace(at=told.at - 36 * 3600)
    [path] = (tmp_path / "ended before" / "anchors").iterdir()
    said = verifier.openssl_says(path, before, tmp_path / "tsa.pem")
    assert said == verifier.CONFIRMED


def test_a_second_authority_whom_the_reader_did_not_name_is_a_note(tmp_path: Path) -> None:
    bundle = six_hours().export()
    digest = verifier.sha256(bundle.checkpoint.encode())
    for name in ("named", "other"):
        (tmp_path / name).mkdir()
        bundle.files[f"anchors/{name}.tsr"] = stamped(digest, tmp_path / name)
    evidence = Evidence(bundle.seal())
    report = verify(evidence, tmp_path / "bundle", authority=tmp_path / "named" / "tsa.pem")
    assert (report.level, report.findings) == ("C", [])
    assert "openssl confirms" in report.notes[0]
    assert "not of the authority that you gave" in report.notes[1]


def test_a_file_that_holds_no_certificate_is_refused_before_anything_is_judged(
    tmp_path: Path,
) -> None:
    (tmp_path / "ca.pem").write_text("trust me\n")
    for name in ("ca.pem", "missing.pem"):
        words = (str(SAMPLE / "bundle"), *SAMPLE_TRUST, "--tsa-ca", name)
        done = run(*words, folder=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert "REFUSED to run" in done.stderr


def test_a_time_stamp_of_something_else_is_refused(tmp_path: Path) -> None:
    bundle = six_hours().export()
    bundle.files["anchors/tsa.tsr"] = stamped(b"x" * 32, tmp_path)
    report = verify(Evidence(bundle.seal()), tmp_path / "bundle")
    assert set(report.counts) == {"T02"}


def test_a_witness_that_nobody_named_lifts_nothing(tmp_path: Path) -> None:
    evidence = Evidence(six_hours().export().seal())
    assert verify(evidence, tmp_path / "bundle").level == "A"
    evidence.witness = (WITNESS_VKEY,)
    assert verify(evidence, tmp_path / "bundle").level == "C"
