"""The signing key is replaced: both keys sign for a while, and every reader can still verify."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.actions.log_keys import record_log_keys
from audit.actions.sign import MEMORY, Folder, Refused
from audit.actions.signing_key import signing_key
from audit.rules.keyring import KeySpan, read_loss, read_rotation
from audit.rules.memory import read_memory
from audit.rules.notes import BadNote, read_key, read_signed_checkpoint, sign
from tests.audit import handed
from tests.audit.conftest import Log
from tests.audit.keeper import Keeper
from tests.audit.make import INSTALL, NOW, rows, without_guards
from tests.audit.site import HOUR
from tests.audit.test_attacks import _connect_again
from tests.audit.test_gaps import LOST


@pytest.fixture
def site(log: Log, tmp_path: Path) -> Keeper:
    """Two hours under the first key."""
    keeper = Keeper(log, tmp_path)
    keeper.sign_hours(2)
    return keeper


def test_both_keys_sign_for_the_overlap_and_then_only_the_new_one(site: Keeper) -> None:
    first = site.key
    site.rotate(timedelta(hours=2))
    site.sign_hours(4)
    assert site.signers() == [1, 1, 2, 2, 1, 1]
    assert site.keys[1] == first
    last = site.notes()[-1] or ""
    assert read_signed_checkpoint(last, [site.key]).size == 6
    with pytest.raises(BadNote, match="No trusted key"):
        read_signed_checkpoint(last, [first])


def test_a_stolen_key_signs_nothing_more(site: Keeper) -> None:
    site.rotate(timedelta(0))
    site.sign_hours(1)
    assert site.signers() == [1, 1, 1]
    assert read_signed_checkpoint(site.notes()[-1] or "", [site.key]).size == 3


def test_on_a_host_behind_the_logs_clock_the_old_key_keeps_what_it_signed(site: Keeper) -> None:
    before, site.hour = site.notes(), 0
    site.rotate(timedelta(0))
    site.hour = 2
    site.sign_hours(0)
    assert site.notes() == before
    site.sign_hours(1)
    assert site.signers() == [1, 1, 1]


@pytest.mark.parametrize("known", [[0], [1], [0, 1]], ids=["new", "old", "both"])
def test_rotate_then_verify_with_either_key(site: Keeper, tmp_path: Path, known: list[int]) -> None:
    site.rotate()
    site.sign_hours(2)
    trusted = [str(site.keys[number]) for number in known]
    report = handed.read(site, tmp_path / "bundle", *trusted)
    assert (report.exit_code, report.level) == (0, "A"), report.findings


def test_after_the_overlap_a_reader_needs_the_new_key(site: Keeper, tmp_path: Path) -> None:
    site.rotate(timedelta(hours=1))
    site.sign_hours(2)
    new, old = map(str, site.keys)
    assert handed.read(site, tmp_path / "new", new).level == "A"
    assert list(handed.read(site, tmp_path / "old", old).counts) == ["K02"]


def test_a_checkpoint_from_before_needs_the_old_key(site: Keeper, tmp_path: Path) -> None:
    kept = {"checkpoints/0.note": (site.notes()[0] or "").encode()}
    site.rotate()
    site.sign_hours(1)
    new, old = map(str, site.keys)
    assert handed.read(site, tmp_path / "both", new, old, files=kept).level == "A"
    assert list(handed.read(site, tmp_path / "new", new, files=kept).counts) == ["K02"]


def test_what_a_reader_held_from_before_still_counts(site: Keeper, tmp_path: Path) -> None:
    (tmp_path / "held.note").write_text(site.notes()[-1] or "")
    site.rotate()
    site.sign_hours(1)
    keys = map(str, site.keys)
    report = handed.read(site, tmp_path / "bundle", *keys, held=(tmp_path / "held.note",))
    assert (report.exit_code, report.level) == (0, "B"), report.findings


def test_the_log_in_the_database_verifies_over_the_change(site: Keeper, tmp_path: Path) -> None:
    site.rotate(timedelta(hours=1))
    site.sign_hours(3)
    assert site.findings(tmp_path) == []


def test_a_checkpoint_that_a_replaced_key_signed_later_is_found(
    site: Keeper, tmp_path: Path
) -> None:
    stolen = signing_key(site.files.path, may_create=False)
    site.rotate(timedelta(0))
    site.sign_hours(1)
    held = site.held
    forged = str(sign(held.body, held.origin, stolen))
    with without_guards(site.superuser):
        site.superuser.execute("UPDATE audit_epoch SET note = %s WHERE epoch = 2", [forged])
    assert site.findings(tmp_path) == ["K02"]


def test_the_old_key_signs_for_the_new_one(site: Keeper) -> None:
    added = site.rotate()
    rotation = read_rotation(site.folder.read("rotation-2.note") or "")
    assert (rotation.new, rotation.first_epoch) == (read_key(added.key), 2)
    assert rotation.old == site.key
    assert added.note == site.folder.read("rotation-2.note")


def test_the_system_chain_names_the_keys_and_holds_the_note(site: Keeper) -> None:
    record_log_keys(now=NOW)
    added = site.rotate()
    site.sign_hours(1)
    assert record_log_keys(now=NOW) == 1
    assert record_log_keys(now=NOW) == 0
    found = rows(
        site.superuser,
        "SELECT op, body::json -> 'diff' -> 'key' ->> 1, body::json -> 'diff' -> 'note' ->> 1"
        " FROM audit_event WHERE ws = %s AND op LIKE 'log_key.%%' ORDER BY id",
        INSTALL,
    )
    assert found == [
        ("log_key.publish", str(site.keys[1]), None),
        ("log_key.rotate", added.key, added.note),
    ]


def test_an_epoch_follows_the_change_at_once(site: Keeper) -> None:
    site.sequence((site.hour - 1) * HOUR + 1)
    record_log_keys(now=NOW)
    assert site.sequence((site.hour - 1) * HOUR + 2).epoch is not None


def test_the_present_key_is_where_it_always_was_and_the_old_one_beside_it(site: Keeper) -> None:
    before = site.files.path.read_bytes()
    site.rotate()
    assert site.files.old.read_bytes() == before
    assert site.files.path.read_bytes() != before
    assert not site.files.next.exists()


def test_the_old_key_goes_when_it_has_signed_for_the_last_time(site: Keeper) -> None:
    site.rotate(timedelta(hours=1))
    site.sign_hours(1)
    assert site.signer is not None
    assert not site.signer.signs_alone
    site.sign_hours(1)
    assert site.signer.signs_alone
    assert site.files.drop_old()
    assert not site.files.drop_old()
    site.sign_hours(1)
    assert site.signers()[-1] == 1


def test_a_checkpoint_that_a_crash_left_unpublished_is_signed_by_the_same_keys(
    site: Keeper,
) -> None:
    site.rotate(timedelta(hours=2))
    site.sign_hours(4)
    before = site.notes()
    site.attack("UPDATE audit_epoch SET note = NULL WHERE epoch > 0")
    site.sign_hours(0)
    assert site.notes() == before


def test_a_second_change_waits_for_the_end_of_the_first(site: Keeper) -> None:
    site.rotate()
    site.sign_hours(1)
    with pytest.raises(Refused, match="still signs"):
        site.rotate()


def test_a_key_that_has_signed_nothing_is_not_replaced(site: Keeper) -> None:
    site.rotate(timedelta(0))
    site.files.drop_old()
    with pytest.raises(Refused, match="signed nothing yet"):
        site.rotate()


def test_two_changes_one_after_the_other(site: Keeper, tmp_path: Path) -> None:
    for _ in range(2):
        site.rotate(timedelta(0))
        site.files.drop_old()
        site.sign_hours(1)
    assert len(site.keys) == 3
    assert handed.read(site, tmp_path / "bundle", str(site.keys[0])).level == "A"


class PowerCut(Exception):
    """The machine goes down in the middle."""


def broken_off(site: Keeper, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """Let the power go out when a rotation writes this file, or moves the key's files."""
    really = Folder.write

    def write(folder: Folder, name: str, text: str) -> None:
        if name.startswith(what):
            raise PowerCut
        really(folder, name, text)
        if what == "files" and name == MEMORY:
            raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "write", write)
        with pytest.raises(PowerCut):
            site.rotate()


@pytest.mark.parametrize("what", ["rotation-", MEMORY, "files"])
def test_a_change_that_was_broken_off_leaves_a_signer_that_goes_on(
    site: Keeper, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    broken_off(site, monkeypatch, what)
    site.sign_hours(1)
    assert site.signers() == [1, 1, 2 if what == "files" else 1]


@pytest.mark.parametrize("what", ["rotation-", MEMORY])
def test_a_change_that_was_broken_off_is_done_again_with_the_same_key(
    site: Keeper, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    broken_off(site, monkeypatch, what)
    made = signing_key(site.files.next, may_create=False)
    site.rotate()
    present = signing_key(site.files.path, may_create=False)
    assert present.private_bytes_raw() == made.private_bytes_raw()


def test_a_signer_without_its_new_key_does_not_go_on_with_the_old_one(site: Keeper) -> None:
    site.rotate()
    site.files.path.unlink()
    with pytest.raises(Refused, match="signing key"):
        site.sign_hours(1)


def test_a_database_that_names_another_key_is_refused(site: Keeper) -> None:
    site.attack("UPDATE audit_log_key SET first_epoch = 7")
    with pytest.raises(Refused, match="names other keys"):
        site.sign_hours(1)


def test_a_memory_from_before_keys_could_be_replaced_is_read(site: Keeper) -> None:
    key = str(site.key)
    text = (site.folder.read(MEMORY) or "").splitlines()
    start = text.index(' "keys": [')
    del text[start : text.index(" ],", start) + 1]
    text.insert(start, f' "key": "{key}",')
    assert read_memory("\n".join(text)).keys == (KeySpan(key),)


def test_another_key_than_the_remembered_one_is_refused(site: Keeper) -> None:
    with pytest.raises(Refused, match="signing key"):
        site.start_signer(Ed25519PrivateKey.generate())


# --- The signer begins anew with what the database says


def begin_anew(site: Keeper) -> None:
    """Start a signer that remembers nothing, as after a restored backup."""
    for path in site.folder.path.glob("*.*"):
        path.unlink()
    site.signer = site.start_signer(*site.files.load(may_create=False), trusts=True)
    site.sign()


def restore_backup(site: Keeper) -> None:
    """Put the database back to the first two hours, which only the first key signed."""
    with without_guards(site.superuser):
        for statement in LOST:
            site.superuser.execute(statement)
        site.superuser.execute("DELETE FROM audit_log_key WHERE first_epoch > 1")
    site.log.close()
    _connect_again(site)


@pytest.fixture
def changed(site: Keeper) -> Keeper:
    """Two hours under the first key, two under both and two under the second."""
    site.rotate(timedelta(hours=2))
    site.sign_hours(4)
    site.files.drop_old()
    return site


def test_a_signer_that_begins_anew_believes_what_the_published_keys_signed(
    changed: Keeper, tmp_path: Path
) -> None:
    before, keys = changed.notes(), changed.keys
    begin_anew(changed)
    changed.sign_hours(1)
    assert (changed.notes()[:6], changed.keys) == (before, keys)
    assert changed.signers() == [1, 1, 2, 2, 1, 1, 1]
    assert changed.findings(tmp_path) == []


def test_a_signer_that_begins_anew_signs_what_waited(changed: Keeper) -> None:
    before = changed.notes()
    changed.attack("UPDATE audit_epoch SET note = NULL WHERE epoch = 5")
    begin_anew(changed)
    assert changed.notes() == before


def test_an_epoch_whose_keys_are_gone_is_refused_until_they_are_back(changed: Keeper) -> None:
    changed.attack("UPDATE audit_epoch SET note = NULL WHERE epoch = 0")
    for _ in range(2):
        with pytest.raises(Refused, match="sign epoch 0 are gone; restore them"):
            changed.sign_hours(0)


def test_a_signer_that_begins_anew_does_not_believe_another_log(changed: Keeper) -> None:
    other = changed.notes()[1] or ""
    with without_guards(changed.superuser):
        changed.superuser.execute("UPDATE audit_epoch SET note = %s WHERE epoch = 0", [other])
    with pytest.raises(Refused, match="not one that they signed"):
        begin_anew(changed)


def test_a_signer_that_begins_anew_needs_the_last_published_key(site: Keeper) -> None:
    before = site.files.path.read_bytes()
    site.rotate()
    site.sign_hours(1)
    site.files.old.unlink()
    site.files.path.unlink()
    site.files.path.write_bytes(before)
    with pytest.raises(Refused, match="declare it lost with --key-lost"):
        begin_anew(site)


def test_after_a_backup_from_before_the_change_the_key_that_is_there_goes_on(
    changed: Keeper, tmp_path: Path
) -> None:
    before, (new, old) = changed.notes()[:2], changed.keys
    restore_backup(changed)
    begin_anew(changed)
    changed.sign_hours(2)
    assert changed.notes()[:2] == before
    assert (changed.keys, changed.signers()) == ((new, old), [1, 1, 1, 1])
    assert read_signed_checkpoint(changed.notes()[2] or "", [new]).size == 3
    # The hours that the backup does not have.
    assert changed.findings(tmp_path) == ["E05"]
    assert handed.read(changed, tmp_path / "bundle", str(new)).level == "A"


def test_a_key_that_the_backup_does_not_know_is_declared(changed: Keeper) -> None:
    new, old = changed.keys
    restore_backup(changed)
    begin_anew(changed)
    loss = read_loss(published_note(changed))
    assert (loss.lost, loss.new, loss.first_epoch) == (old, new, 2)


def test_a_key_that_the_backup_does_not_know_is_signed_for_by_the_one_before(site: Keeper) -> None:
    site.rotate()
    site.sign_hours(2)
    new, old = site.keys
    restore_backup(site)
    begin_anew(site)
    site.sign_hours(1)
    rotation = read_rotation(published_note(site))
    assert (rotation.old, rotation.new, rotation.first_epoch) == (old, new, 2)
    assert site.held.size == 3


def test_the_next_change_after_a_backup_is_an_ordinary_one(changed: Keeper) -> None:
    restore_backup(changed)
    begin_anew(changed)
    changed.sign_hours(1)
    changed.rotate()
    changed.sign_hours(1)
    assert changed.signers() == [1, 1, 1, 2]


def published_note(site: Keeper) -> str:
    [(note,)] = rows(site.superuser, "SELECT note FROM audit_log_key WHERE first_epoch = 2")
    return str(note)
