"""A bundle of a real workspace: what the formats demand, and a verifier that accepts it."""

import csv
import gzip
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connections
from django.utils import timezone

from audit.actions.erase import erase
from audit.actions.prune import prune
from audit.actions.record import record
from audit.queries import reader
from audit.queries.export_lines import _LINES_OF_A_ROW as LINES_OF_A_ROW
from audit.queries.export_lines import entry_lines
from audit.queries.export_span import NotYet, find_chain, find_span
from audit.rules.bundle import CannotExport
from audit.rules.canonical import decode, stamp
from audit.rules.chain import Broken
from audit.rules.events import Erased, Obj
from audit.rules.hashes import leaf_hash
from audit.verifier import verify_evidence as verifier
from campaigns.actions import review
from campaigns.actions.sender_review import approve_revision
from campaigns.actions.senders import Proposal, create_sender
from campaigns.models import Campaign, Sender
from tests import make as nouns
from tests.audit.conftest import Log
from tests.audit.exported import ADMIN, Exporter, judge, personal
from tests.audit.make import INSTALL, MARKETING, NOW, append, django_as, rows
from tests.audit.paper import squeezed, words_of
from tests.audit.site import DELETE_ENTRY, EDIT, Site
from workspaces.actions.invitations import invite
from workspaces.actions.workspaces import create_workspace
from workspaces.models import Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

# What somebody types as his note on an approval.
FORMULA = '=HYPERLINK("https://example.com")'


@pytest.fixture
def exporter(log: Log, tmp_path: Path) -> Exporter:
    return Exporter(Site(log, tmp_path / "audit"), tmp_path)


@pytest.fixture
def team(exporter: Exporter) -> Iterator[Workspace]:
    """A workspace inside whose scope the test runs."""
    slug = f"team-{uuid4().hex[:8]}"
    place = create_workspace(
        slug=slug, name="Marketing & Söhne", zone="UTC", by_actor=ADMIN, now=timezone.now()
    )
    with scope(place):
        yield place


def test_a_workspace_with_a_story_is_exported_and_verified(
    exporter: Exporter, team: Workspace
) -> None:
    began = timezone.now()
    author = nouns.person_in(team, Role.AUTHOR, "Ada Author")
    sender = _registered(team)
    campaign = _approved(author, sender)
    personal(team, "+447700900008")
    personal(team, "+447700900009")
    exporter.number()
    held = exporter.held()
    seqs = _numbers_of(exporter, team, "number.reveal")
    erase(
        workspace=team.uuid,
        values=[Erased(field="msisdn", seq=seqs[0])],
        actor=ADMIN,
        obj=Obj("campaign", "cmp_3"),
        basis="Article 17, request 5-26",
        now=timezone.now(),
    )
    exporter.number()
    bundle, written = exporter.export(team.uuid, since=began)
    found = exporter.verify(
        bundle,
        *("--held", str(held), "--ws", str(team.uuid), "--from", stamp(began)),
        *("--to", written.ends_at),
    )
    assert (found.exit, found.level, found.codes) == (0, "B", set()), found.said
    assert found.facts["entries"] == written.entry_count > 8
    assert (found.facts["erased"], found.facts["disclosed"], found.facts["hidden"]) == (1, 1, 0)
    assert found.facts["system_entries"] > 0
    _the_report_tells_the_approval(bundle, campaign)
    _the_table_tells_who_approved_what_when_and_with_what_note(bundle)
    _each_file_that_is_touched_is_refused(exporter, bundle)


def _registered(team: Workspace) -> Sender:
    """Register a sender name by one person and approve it by another."""
    proposal = Proposal("Korzinka", "service", "Example Telecom", "Receipts", "Paid: 10.")
    sender = create_sender(
        by=nouns.person_in(team, Role.ADMIN, "Rita Registers"),
        proposal=proposal,
        now=timezone.now(),
    )
    moderator = nouns.person_in(team, Role.MODERATOR, "Mo Moderates")
    approve_revision(sender_id=sender.pk, seen=1, by=moderator, words="Seen.", now=timezone.now())
    return sender


def _approved(author: Me, sender: Sender) -> Campaign:
    """Send a campaign to review, and approve it by another person with a note."""
    through = nouns.route(author.here, nouns.connection())
    campaign = nouns.in_review(author, through, rows=3, sender_id=sender.pk)
    return review.approve(
        number=campaign.number,
        by=nouns.person_in(author.here, Role.MODERATOR, "Cy Checks"),
        seen=review.digest_of(campaign.pk).hex(),
        words=FORMULA,
        now=timezone.now(),
    )


def _numbers_of(exporter: Exporter, team: Workspace, op: str) -> list[int]:
    query = (
        "SELECT e.seq FROM audit_entry e JOIN audit_event v ON v.id = e.event_id"
        " WHERE e.ws = %s AND v.op = %s ORDER BY e.seq"
    )
    return [seq for (seq,) in rows(exporter.site.superuser, query, team.uuid, op)]


def _the_report_tells_the_approval(bundle: Path, campaign: Campaign) -> None:
    report = (bundle / "report.html").read_text()
    assert "it is what was approved" in report
    for words in ("Ada Author (usr_", "Rita Registers (usr_", "Mo Moderates (usr_", "Korzinka"):
        assert words in report
    assert campaign.recipient_list is not None
    listed = f"<dt>Audience</dt><dd>3 people, 3 parts, from the list {campaign.recipient_list.name}"
    for words in (campaign.text, listed, "<td>Seen.</td>", f"<td>{escape(FORMULA)}</td>"):
        assert words in report
    exact = (bundle / f"tables/approved/cmp_{campaign.pk}.json").read_bytes()
    approved = _approval(bundle)["ev"]
    assert sha256(exact).hexdigest() == approved["diff"]["digest"][1]
    paper = words_of((bundle / "report.pdf").read_bytes())
    for words in (
        "it is what was approved",
        "Ada Author (usr_",
        "Korzinka",
        campaign.text,
        FORMULA,
    ):
        assert squeezed(words) in paper


def _the_table_tells_who_approved_what_when_and_with_what_note(bundle: Path) -> None:
    steps = {row["What"]: row for row in _table(bundle, "approvals")}
    name = steps["Approved a sender revision"]
    assert "value: Korzinka" in steps["Created a sender name"]["Details"]
    assert steps["Created a sender name"]["Who"].startswith("Rita Registers (usr_")
    assert name["Who"].startswith("Mo Moderates (usr_")
    assert (name["About"].split(" (")[0], name["Note"]) == ("Korzinka, revision 1", "Seen.")
    text, entry = steps["Approved a campaign"], _approval(bundle)
    # A spreadsheet takes neither for a formula.
    assert (text["Who"].split(" (")[0], text["Note"]) == ("Cy Checks", f"'{FORMULA}")
    assert text["Details"] == f"digest: {entry['ev']['diff']['digest'][1]}"
    assert "total: 3" in steps["Submitted a campaign for approval"]["Details"]
    row = next(row for row in _table(bundle, "entries") if row["operation"] == "campaign.approve")
    assert (row["entry"], row["reason"]) == (text["Entry"], f"'{FORMULA}")
    recorded = f"{row['recorded'][:19].replace('T', ' ')} UTC"
    assert text["Recorded"] == recorded
    assert (
        f"<td>{recorded}</td><td>{escape(text['Who'])}</td>" in (bundle / "report.html").read_text()
    )


def _table(bundle: Path, name: str) -> list[dict[str, str]]:
    text = (bundle / f"tables/{name}.csv").read_text(encoding="utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def _approval(bundle: Path) -> dict[str, Any]:
    """Return the entry of the campaign's approval."""
    lines = gzip.decompress((bundle / "entries.jsonl.gz").read_bytes()).splitlines()
    entries = map(json.loads, lines)
    found: dict[str, Any] = next(one for one in entries if one["ev"]["op"] == "campaign.approve")
    return found


def _each_file_that_is_touched_is_refused(exporter: Exporter, bundle: Path) -> None:
    for path in sorted(path for path in bundle.rglob("*") if path.is_file()):
        data = path.read_bytes()
        path.write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])
        # In this process: a fresh one for each of thirty files would take a minute.
        assert _exit_code(exporter, bundle) == 1, path
        path.write_bytes(data)
    assert _exit_code(exporter, bundle) == 0


def _exit_code(exporter: Exporter, bundle: Path) -> int:
    keys = tuple(verifier.read_key(text) for text in exporter.trust[1::2])
    return verifier.verify(bundle, verifier.Wishes(keys)).exit_code


def test_the_files_are_those_of_the_format_and_only_ours_to_read(
    exporter: Exporter, team: Workspace
) -> None:
    personal(team)
    bundle, _ = exporter.export(team.uuid)
    names = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
    assert names >= {
        *("manifest.json", "manifest.note", "checkpoint.note", "epochs.jsonl", "heads.jsonl"),
        *("entries.jsonl.gz", "disclosures.jsonl", "system-entries.jsonl.gz", "system-heads.jsonl"),
        *("schema/ops.json", "report.html", "report.pdf", "keys/export.vkey", "verify/VERIFY.txt"),
        *("verify/verify_evidence.py", "verify/verify.html", "verify/FORMAT.md"),
        *("tables/entries.csv", "tables/approvals.csv", "tables/erasures.csv"),
    }
    manifest = (bundle / "manifest.json").read_bytes()
    listed = [file["path"] for file in json.loads(manifest)["files"]]
    assert listed == sorted(names - {"manifest.json", "manifest.note"})
    assert manifest.endswith(b"}\n")
    assert decode(manifest[:-1]) == json.loads(manifest)
    assert {path.stat().st_mode & 0o77 for path in [bundle, *bundle.rglob("*")]} == {0}


def test_entries_are_one_gzip_member_without_name_and_time(
    exporter: Exporter, team: Workspace
) -> None:
    data = (exporter.export(team.uuid)[0] / "entries.jsonl.gz").read_bytes()
    assert (data[:4], data[4:8]) == (b"\x1f\x8b\x08\x00", bytes(4))


def test_a_masked_bundle_holds_no_disclosures(exporter: Exporter, team: Workspace) -> None:
    personal(team, "+447700900731")
    bundle, _ = exporter.export(team.uuid, shows_values=False)
    assert exporter.verify(bundle).exit == 0
    for path in bundle.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            plain = gzip.decompress(data) if path.suffix == ".gz" else data
            assert b"7700900731" not in plain, path


@pytest.mark.parametrize("shows_values", [False, True])
def test_the_report_names_who_acted_and_nobodys_address(
    exporter: Exporter, team: Workspace, *, shows_values: bool
) -> None:
    """That an address was invited, is a value: it may be masked, or erased afterwards."""
    admin = nouns.person_in(team, Role.ADMIN, "Rita Registers")
    invite(email="new@example.com", role=Role.VIEWER, by=admin, now=timezone.now())
    bundle, _ = exporter.export(team.uuid, shows_values=shows_values)
    report = (bundle / "report.html").read_text()
    assert "Rita Registers (usr_" in report
    assert "invitation inv_" in report
    given = [
        path.name
        for path in bundle.rglob("*")
        if path.is_file() and b"new@example.com" in path.read_bytes()
    ]
    assert given == ["disclosures.jsonl"] * shows_values


def test_disclosures_stand_in_the_order_of_numbers_then_fields(
    exporter: Exporter, team: Workspace
) -> None:
    for number in range(12):
        personal(team, f'+4477009000{number:02} "\\\u00e9')
    bundle, _ = exporter.export(team.uuid)
    lines = (bundle / "disclosures.jsonl").read_bytes().splitlines()
    shown = [decode(line) for line in lines]
    assert shown == sorted(shown, key=lambda one: (one["seq"], one["field"]))  # type: ignore[index,call-overload]
    assert len(shown) == 12
    assert exporter.verify(bundle).exit == 0


def test_the_system_chain_is_a_skeleton_that_shows_what_concerns_everybody(
    exporter: Exporter, team: Workspace
) -> None:
    append(exporter.site.runtime, ws=INSTALL, op="user.sign_in")
    bundle, _ = exporter.export(team.uuid)
    lines = gzip.decompress((bundle / "system-entries.jsonl.gz").read_bytes()).splitlines()
    shown = {json.loads(line).get("ev", {}).get("op") for line in lines}
    assert "sequencer.start" in shown
    assert "user.sign_in" not in shown
    assert None in shown
    assert exporter.verify(bundle).exit == 0


def test_a_period_begins_after_a_head_and_ends_with_the_first_epoch_after_it(
    exporter: Exporter, team: Workspace
) -> None:
    moments = []
    for _ in range(3):
        personal(team)
        exporter.ask(team.uuid)
        moments.append(timezone.now())
    bundle, written = exporter.export(team.uuid, since=moments[0], until=moments[1])
    # Entry 1 created the workspace; each round wrote two.
    assert (written.first_seq, written.last_seq) == (4, 7)
    words = ["--from", stamp(moments[0]), "--to", stamp(moments[1])]
    found = exporter.verify(bundle, *words)
    assert (found.exit, found.facts["first_seq"], found.facts["entries"]) == (0, 4, 4), found.said
    # The reader who wants more is told.
    assert exporter.verify(bundle, "--from", stamp(moments[0] - timedelta(days=1))).codes == {"V01"}
    assert "V02" in exporter.verify(bundle, "--to", stamp(timezone.now() + timedelta(days=1))).codes


def test_a_period_without_entries_verifies(exporter: Exporter, team: Workspace) -> None:
    forced = exporter.ask(team.uuid)
    since = timezone.now()
    append(exporter.site.runtime, ws=MARKETING, op="export.create")
    exporter.number()
    until = timezone.now()
    append(exporter.site.runtime, ws=MARKETING, op="export.create")
    exporter.number()
    bundle, written = exporter.export(team.uuid, since=since, until=until, forced_by=forced)
    assert written.entry_count == 0
    assert exporter.verify(bundle).exit == 0


def test_the_systems_own_chain_can_be_exported(exporter: Exporter) -> None:
    append(exporter.site.runtime, ws=INSTALL, op="user.sign_in", at=timezone.now())
    bundle, _ = exporter.export(INSTALL)
    assert not (bundle / "system-entries.jsonl.gz").exists()
    found = exporter.verify(bundle)
    assert (found.exit, found.facts["slot"]) == (0, 0)


def test_a_pruned_log_is_exported_with_hashes_and_with_what_sealed_messages(
    exporter: Exporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, long_ago = exporter.site, timezone.now() - timedelta(days=500)
    for hour, op in enumerate(("campaign.approve", "messages.sealed", "campaign.approve")):
        at = long_ago + timedelta(hours=hour)
        append(site.runtime, op=op, at=at)
        site.sequence((at - NOW).total_seconds())
    site.sign()
    with monkeypatch.context() as owned:
        django_as(site.log.ground.url("owner", site.log.name), owned)
        before = timezone.now() - timedelta(days=400)
        assert _pruned(before) == 2
        connections["default"].close()
    bundle, _ = exporter.export(MARKETING)
    found = judge(bundle, *exporter.trust)
    # The log stood still for more than a year, which a person must judge; nothing else is said.
    assert (found.exit, found.codes) == (2, {"E05"}), found.said
    assert (found.facts["mode"], found.facts["hidden"]) == ("skeleton", 2)
    lines = gzip.decompress((bundle / "entries.jsonl.gz").read_bytes()).splitlines()
    ops = [json.loads(line).get("ev", {}).get("op") for line in lines]
    assert ops == [None, "messages.sealed", None, "retention.prune", "export.create"]


def _pruned(before: datetime) -> int:
    return prune(
        workspace=MARKETING, before=before, actor=ADMIN, why="A year is over.", now=timezone.now()
    )


def test_an_export_waits_for_its_own_epoch_and_signature(
    exporter: Exporter, team: Workspace
) -> None:
    exporter.ask(team.uuid)
    eid = record(
        "export.create",
        workspace=team.uuid,
        actor=ADMIN,
        obj=Obj("export", "exp_2"),
        now=timezone.now(),
    )
    with pytest.raises(NotYet):
        exporter.export(team.uuid, forced_by=eid)
    exporter.number()
    assert exporter.export(team.uuid, forced_by=eid)[1].entry_count == 3


def test_evidence_up_to_now_ends_with_an_epoch_that_a_witness_saw(
    exporter: Exporter, team: Workspace
) -> None:
    forced = exporter.ask(team.uuid)
    with pytest.raises(NotYet, match="witness"):
        exporter.export(team.uuid, forced_by=forced, waits_for_witness=True)
    without, _ = exporter.export(team.uuid, "without", forced_by=forced)
    # A neighbour's epoch is the one that it saw.
    append(exporter.site.runtime, ws=MARKETING, op="export.create", at=timezone.now())
    exporter.number()
    [(seen,)] = rows(exporter.site.superuser, "SELECT max(epoch) FROM audit_epoch")
    exporter.site.superuser.execute(
        "INSERT INTO audit_anchor_receipt (anchor, epoch, kind, content, note_digest, eid, made_at)"
        " VALUES ('witness', %s, 'witness', 'none', sha256(''), gen_random_uuid(), now())",
        [seen],
    )
    _, written = exporter.export(team.uuid, forced_by=forced, waits_for_witness=True)
    assert written.epoch_count == seen + 1
    assert _epoch_count(without) < seen + 1


def _epoch_count(bundle: Path) -> int:
    return (bundle / "epochs.jsonl").read_bytes().count(b"\n")


def test_a_chain_that_nobody_opened_cannot_be_exported(exporter: Exporter) -> None:
    with pytest.raises(CannotExport):
        exporter.export(uuid4(), forced_by=INSTALL)


@pytest.mark.parametrize(
    ("attack", "code"), [(EDIT.format(seq=2), "C05"), (DELETE_ENTRY.format(seq=2), "C04")]
)
def test_a_log_that_was_changed_is_not_exported(exporter: Exporter, attack: str, code: str) -> None:
    for _ in range(4):
        append(exporter.site.runtime)
    forced = exporter.ask(MARKETING)
    exporter.site.attack(attack)
    with pytest.raises(Broken) as refused:
        exporter.export(MARKETING, forced_by=forced)
    assert refused.value.code == code
    assert not (exporter.folder / "bundle").exists()


def test_lines_come_dense_from_wherever_a_period_begins(exporter: Exporter) -> None:
    """The database sends many lines to a row: none is lost or moved where one row ends."""
    for _ in range(2 * LINES_OF_A_ROW + 3):
        append(exporter.site.runtime)
    forced = exporter.ask(MARKETING)
    with reader.connect(exporter.lent.url) as connection, reader.moment(connection):
        chain = find_chain(connection, MARKETING)
        whole = find_span(
            connection, chain, since=None, until=None, forced_by=forced, waits_for_witness=False
        )
        assert whole.entry_count > 2 * LINES_OF_A_ROW
        for first, last in (
            *((1, 1), (1, LINES_OF_A_ROW - 1), (1, LINES_OF_A_ROW), (1, LINES_OF_A_ROW + 1)),
            *((7, LINES_OF_A_ROW + 6), (7, LINES_OF_A_ROW + 7), (2, whole.last_seq), (5, 4)),
        ):
            span = replace(whole, first_seq=first, last_seq=last)
            found = [json.loads(line)["seq"] for line in entry_lines(connection, span)]
            assert found == list(range(first, last + 1))


def test_a_whole_row_of_lines_that_is_gone_is_noticed(exporter: Exporter) -> None:
    for _ in range(2 * LINES_OF_A_ROW + 3):
        append(exporter.site.runtime)
    forced = exporter.ask(MARKETING)
    first, last = LINES_OF_A_ROW + 1, 2 * LINES_OF_A_ROW
    exporter.site.attack(*(DELETE_ENTRY.format(seq=seq) for seq in range(first, last + 1)))
    with pytest.raises(Broken) as refused:
        exporter.export(MARKETING, forced_by=forced)
    assert refused.value.code == "C04"


def test_an_event_with_parts_of_another_hand_is_exported_as_it_is(exporter: Exporter) -> None:
    _append_raw(exporter, {"act": None, "obj": [], "why": None, "res": "ok", "diff": None})
    bundle, _ = exporter.export(MARKETING)
    assert exporter.verify(bundle).exit == 0
    assert [row["who"] for row in _table(bundle, "entries")] == ["", "usr_6"]


def _append_raw(exporter: Exporter, said: dict[str, Any]) -> None:
    """Append an event past every rule of ours, as any program with the application's role can."""
    eid = uuid4()
    known = {"eid": str(eid), "op": "a.b", "t": stamp(timezone.now()), "v": 1}
    event = {**known, "ws": str(MARKETING), **said}
    body = json.dumps(event, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    exporter.site.runtime.execute(
        "SELECT audit_append(%s, %s, %s, %s)", [MARKETING, eid, leaf_hash(body), body.decode()]
    )


def test_a_chain_that_was_hashed_anew_is_not_exported(exporter: Exporter) -> None:
    for _ in range(4):
        append(exporter.site.runtime)
    forced = exporter.ask(MARKETING)
    exporter.site.attack(EDIT.format(seq=2))
    exporter.site.rehash()
    with pytest.raises(Broken) as refused:
        exporter.export(MARKETING, forced_by=forced)
    assert refused.value.code == "A02"


def test_another_secret_of_the_nonces_is_noticed(exporter: Exporter) -> None:
    forced = exporter.ask(MARKETING)
    exporter.secret = b"x" * 32
    with pytest.raises(Broken) as refused:
        exporter.export(MARKETING, forced_by=forced)
    assert refused.value.code == "A02"


def test_a_bundle_verifies_with_its_own_copy_by_somebody_without_us(
    exporter: Exporter, team: Workspace, tmp_path: Path
) -> None:
    bundle, _ = exporter.export(team.uuid)
    away = tmp_path / "desk"
    shutil.copytree(bundle, away / "evidence")
    (away / "keys.txt").write_text("\n".join(exporter.trust[1::2]) + "\n")
    found = judge(away / "evidence", "--trust", str(away / "keys.txt"))
    assert (found.exit, found.level) == (0, "A")
