"""The signing key is gone: the log goes on under a new one, and every reader can tell."""

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from audit.actions.log_keys import record_log_keys
from audit.actions.sign import HELD, MEMORY, Folder, Refused
from audit.actions.signing_key import BadKey
from audit.rules.keyring import read_loss
from audit.rules.memory import read_memory
from audit.rules.notes import (
    BadNote,
    BadSignature,
    Checkpoint,
    read_key,
    read_note,
    read_signed_checkpoint,
    sign,
)
from tests.audit import handed
from tests.audit.conftest import Log
from tests.audit.exported import Exporter, judge
from tests.audit.keeper import WHY, Keeper
from tests.audit.make import INSTALL, MARKETING, NOW, append, rows, without_guards
from tests.audit.site import HOUR, KEY


@pytest.fixture
def site(log: Log, tmp_path: Path) -> Keeper:
    """Two hours under a key that is gone now."""
    keeper = Keeper(log, tmp_path)
    keeper.sign_hours(2)
    keeper.files.path.unlink()
    return keeper


def test_without_its_key_the_signer_says_what_to_do(site: Keeper) -> None:
    with pytest.raises(BadKey, match="declare it lost with --key-lost"):
        site.sign_hours(1)


def test_the_new_key_goes_on_and_what_was_signed_stays(site: Keeper) -> None:
    before, first = site.notes(), site.key
    added = site.lose()
    site.sign_hours(1)
    assert site.notes()[:2] == before
    assert site.keys == (read_key(added.key), first)
    assert read_signed_checkpoint(site.notes()[2] or "", [site.key]).size == 3
    assert site.held.size == 3


def test_what_waited_for_a_signature_is_signed_by_the_new_key(site: Keeper) -> None:
    for hour in (2, 3):
        append(site.runtime, at=NOW + timedelta(hours=hour))
        site.sequence(hour * HOUR)
    site.hour = 4
    assert site.lose().first_epoch == 2
    site.sign_hours(0)
    site.sign()
    assert site.signers() == [1, 1, 1, 1]
    assert read_signed_checkpoint(site.notes()[2] or "", [site.key]).size == 3


def test_the_last_checkpoint_of_the_lost_key_stays_the_held_one(site: Keeper) -> None:
    held = site.folder.read(HELD)
    site.lose()
    site.sign_hours(0)
    assert site.folder.read(HELD) == held


@pytest.mark.parametrize(
    ("known", "said"), [([0], "A"), ([0, 1], "A"), ([1], "K02")], ids=["new", "both", "old"]
)
def test_a_reader_needs_the_new_key(
    site: Keeper, tmp_path: Path, known: list[int], said: str
) -> None:
    site.lose()
    site.sign_hours(1)
    trusted = [str(site.keys[number]) for number in known]
    report = handed.read(site, tmp_path / "bundle", *trusted)
    assert (report.level or next(iter(report.counts))) == said, report.findings
    assert report.exit_code == (1 if said == "K02" else 0)


def test_what_a_reader_held_from_before_binds_the_new_key(site: Keeper, tmp_path: Path) -> None:
    (tmp_path / "held.note").write_text(site.notes()[-1] or "")
    site.lose()
    site.sign_hours(1)
    keys = map(str, site.keys)
    report = handed.read(site, tmp_path / "bundle", *keys, held=(tmp_path / "held.note",))
    assert (report.exit_code, report.level) == (0, "B"), report.findings


def test_a_bundle_verifies_over_the_loss_and_holds_the_declaration(
    site: Keeper, tmp_path: Path
) -> None:
    added = site.lose()
    site.sign_hours(1)
    exporter = Exporter(site, tmp_path)
    bundle, _ = exporter.export(MARKETING)
    judged = judge(bundle, *exporter.trust, "--trust", str(site.keys[1]))
    # The log's first hours are long ago, which a person must judge.
    assert (judged.level, judged.codes) == ("A", {"E05"}), judged.said
    assert (bundle / "keys/rotation-2.note").read_text() == added.note


def test_the_log_in_the_database_verifies_over_the_loss(site: Keeper, tmp_path: Path) -> None:
    site.lose()
    site.sign_hours(2)
    assert site.findings(tmp_path) == []


def test_a_host_behind_the_logs_clock_declares_no_signed_epoch_unsigned(site: Keeper) -> None:
    held, site.hour = site.folder.read(HELD), 0
    site.lose()
    site.hour = 2
    site.sign_hours(0)
    assert site.folder.read(HELD) == held
    site.sign_hours(1)
    assert site.held.size == 3


def test_a_log_that_was_rewritten_meanwhile_is_refused_as_before(site: Keeper) -> None:
    site.lose()
    site.attack("UPDATE audit_epoch SET body = replace(body, '2026', '2027') WHERE epoch = 1")
    with pytest.raises(Refused, match="H04"):
        site.sign_hours(1)


def test_a_key_that_is_there_is_not_lost(site: Keeper) -> None:
    site.lose()
    site.sign_hours(1)
    with pytest.raises(Refused, match="replace it with --rotate"):
        site.lose()


def test_the_next_change_is_an_ordinary_one(site: Keeper, tmp_path: Path) -> None:
    site.lose()
    site.sign_hours(1)
    site.rotate()
    site.sign_hours(1)
    assert site.signers() == [1, 1, 1, 2]
    assert handed.read(site, tmp_path / "bundle", str(site.keys[1])).level == "A"


def test_the_system_chain_says_it_and_holds_the_declaration(site: Keeper) -> None:
    record_log_keys(now=NOW)
    added = site.lose()
    site.sign_hours(1)
    assert record_log_keys(now=NOW) == 1
    [(note,)] = rows(
        site.superuser,
        "SELECT body::json -> 'diff' -> 'note' ->> 1 FROM audit_event"
        " WHERE ws = %s AND op = 'log_key.lost'",
        INSTALL,
    )
    assert note == added.note == site.folder.read("lost-2.note")
    loss = read_loss(note)
    assert (loss.lost, loss.new) == (site.keys[1], site.keys[0])
    assert (loss.first_epoch, loss.why) == (2, WHY)


@pytest.mark.parametrize("what", ["key", "body"])
def test_a_declaration_that_was_changed_is_refused(site: Keeper, what: str) -> None:
    note = site.lose().note
    if what == "body":
        with pytest.raises(BadSignature):
            read_loss(note.replace(WHY, "It was stolen"))
    else:
        forged = sign(read_note(note).body, site.held.origin, KEY)
        with pytest.raises(BadNote, match="signed by the key that goes on"):
            read_loss(str(forged))


# --- A key that has signed nothing yet


@pytest.fixture
def rotated(log: Log, tmp_path: Path) -> Keeper:
    """Two hours, and a key that was replaced a moment ago."""
    keeper = Keeper(log, tmp_path)
    keeper.sign_hours(2)
    keeper.rotate()
    return keeper


def test_a_key_that_is_lost_before_it_is_published_is_as_if_it_had_never_been(
    rotated: Keeper, tmp_path: Path
) -> None:
    gone = rotated.folder.memory()
    rotated.files.path.unlink()
    added = rotated.lose()
    rotated.sign_hours(2)
    assert rotated.signers() == [1, 1, 2, 2]
    assert (read_key(added.key), added.first_epoch) == (rotated.key, 2)
    assert gone is not None
    assert read_key(gone.key.key) not in rotated.keys
    assert rotated.findings(tmp_path) == []


def test_a_key_that_is_lost_when_it_is_published_lets_the_one_before_sign_its_first_epoch(
    rotated: Keeper, tmp_path: Path
) -> None:
    rotated.sign_hours(0)
    rotated.files.path.unlink()
    assert rotated.lose().first_epoch == 3
    rotated.sign_hours(2)
    assert rotated.signers() == [1, 1, 1, 2]
    assert rotated.findings(tmp_path) == []


def test_a_key_that_is_lost_with_the_one_before_it_leaves_an_epoch_that_nobody_can_sign(
    rotated: Keeper,
) -> None:
    rotated.sign_hours(0)
    rotated.files.path.unlink()
    rotated.files.old.unlink()
    with pytest.raises(Refused, match="signed nothing yet"):
        rotated.lose()


class PowerCut(Exception):
    """The machine goes down in the middle."""


def test_a_declaration_that_was_broken_off_goes_on_with_the_key_that_it_made(
    site: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = Folder.write

    def write(folder: Folder, name: str, text: str) -> None:
        if name == MEMORY:
            raise PowerCut
        really(folder, name, text)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "write", write)
        with pytest.raises(PowerCut):
            site.lose()
    made = site.folder.read("lost-2.note") or ""
    assert site.lose().key == str(read_loss(made).new)
    site.sign_hours(1)
    assert site.held.size == 3


# --- The signer's memory is gone as well


@pytest.fixture
def bare(site: Keeper) -> Keeper:
    """The same, and the folder is empty."""
    for name in (MEMORY, HELD):
        (site.folder.path / name).unlink()
    return site


def test_without_a_memory_somebody_has_to_trust_the_database(bare: Keeper) -> None:
    with pytest.raises(Refused, match="--trust-database"):
        bare.lose()
    added = bare.lose(trusts=True)
    before = bare.notes()
    bare.sign_hours(1)
    assert bare.notes()[:2] == before
    assert (read_key(added.key), bare.held.size) == (bare.key, 3)


def test_what_the_lost_key_has_not_signed_is_not_believed(bare: Keeper) -> None:
    bare.lose(trusts=True)
    memory = read_memory(bare.folder.read(MEMORY) or "")
    origin = read_key(memory.key.key).name
    forged = sign(Checkpoint(origin, 1, b"x" * 32).body, origin, KEY)
    with without_guards(bare.superuser):
        bare.superuser.execute("UPDATE audit_epoch SET note = %s WHERE epoch = 0", [str(forged)])
    with pytest.raises(Refused, match="not one that they signed"):
        bare.sign_hours(1)
    with pytest.raises(Refused, match="refused before"):
        bare.sign_hours(1)


def test_a_host_behind_the_logs_clock_believes_all_that_the_lost_key_signed(bare: Keeper) -> None:
    before, bare.hour = bare.notes(), 0
    bare.lose(trusts=True)
    bare.hour = 2
    bare.sign_hours(1)
    assert (bare.notes()[:2], bare.held.size) == (before, 3)


def test_an_epoch_in_another_form_is_refused(bare: Keeper) -> None:
    bare.attack("UPDATE audit_epoch SET body = '{}' WHERE epoch = 1")
    with pytest.raises(Refused, match="E01"):
        bare.lose(trusts=True)


def test_a_log_that_was_rewritten_under_the_lost_keys_checkpoints_is_refused(bare: Keeper) -> None:
    bare.lose(trusts=True)
    bare.attack("UPDATE audit_epoch SET body = replace(body, '2026', '2027') WHERE epoch = 1")
    bare.signer = bare.start_signer(*bare.files.present())
    with pytest.raises(Refused, match="not one that they signed"):
        bare.sign()


# --- The command


@pytest.fixture
def kept(site: Keeper, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Keeper:
    """The settings name this site's files."""
    settings.AUDIT_STATE_DIR = site.folder.path
    settings.AUDIT_KEY_FILE = str(site.files.path)
    signer = site.log.connect("signer")
    monkeypatch.setattr("audit.management.commands.audit_signer.connect", lambda: signer)
    site.folder._lock.close()
    return site


def test_the_command_prints_the_new_key(kept: Keeper) -> None:
    said = StringIO()
    call_command("audit_signer", key_lost=WHY, stdout=said)
    kept.folder = Folder(kept.folder.path)
    kept.sign_hours(1)
    assert f"\n{kept.key}\n" in said.getvalue()
    assert "It alone has signed" in said.getvalue()


def test_the_command_wants_a_reason(kept: Keeper) -> None:
    with pytest.raises(CommandError, match="why the key is gone"):
        call_command("audit_signer", key_lost="oops")


def test_the_command_makes_no_key_where_the_database_is_trusted(
    kept: Keeper,
) -> None:
    (kept.folder.path / MEMORY).unlink()
    with pytest.raises(CommandError, match="declare it lost with --key-lost"):
        call_command("audit_signer", trust_database=True)
    assert not kept.files.path.exists()
