"""The signer: what it signs, and every way in which the log may no longer be what it saw."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.actions import sign
from audit.actions.sign import HELD, MEMORY, REFUSED, Folder, Refused
from audit.rules.canonical import stamp
from audit.rules.hashes import tree_root
from audit.rules.memory import read_memory
from audit.rules.notes import Checkpoint, read_signed_checkpoint
from audit.rules.notes import sign as sign_note
from tests.audit import insider
from tests.audit.conftest import Log
from tests.audit.make import INSTALL, MARKETING, NOW, ROAMING
from tests.audit.site import DELETE_ENTRY, EDIT, HOUR, SET_BACK, Site


@pytest.fixture
def site(log: Log, tmp_path: Path) -> Site:
    return Site(log, tmp_path / "audit")


@pytest.fixture
def signed(site: Site) -> Site:
    """Three epochs, three entries of Marketing, all signed."""
    site.hours(3)
    return site


def restart(site: Site) -> None:
    site.signer = None
    site.sign()


def test_every_epoch_gets_a_checkpoint_over_all_epochs_so_far(signed: Site) -> None:
    leaves = [epoch.leaf() for epoch in signed.epochs()]
    for size, note in enumerate(signed.notes(), start=1):
        checkpoint = read_signed_checkpoint(note or "", [signed.key])
        assert (checkpoint.size, checkpoint.root) == (size, tree_root(leaves[:size]))


def test_the_log_is_named_after_the_operator_and_the_installation(signed: Site) -> None:
    assert signed.held.origin == f"audit.telco.example/{INSTALL}"


def test_the_last_checkpoint_is_held_outside_the_database(signed: Site) -> None:
    assert signed.folder.read(HELD) == signed.notes()[-1]


def test_it_follows_entries_before_their_epoch_comes(signed: Site) -> None:
    signed.write()
    signed.sequence(2 * HOUR + 1)
    assert signed.sign() == []
    memory = read_memory(signed.folder.read(MEMORY) or "")
    assert [link.seq for link in memory.links] == [1, 4, 0]


def test_it_signs_nothing_while_there_is_no_installation(log: Log, tmp_path: Path) -> None:
    started = sign.start(
        log.connect("signer"),
        folder=Folder(tmp_path / "audit"),
        privates=[Ed25519PrivateKey.generate()],
        domain="audit.telco.example",
        secret=b"s" * 32,
        now=NOW,
    )
    assert started is None


def test_it_goes_on_after_a_restart(signed: Site) -> None:
    signed.write(ROAMING)
    signed.sequence(3 * HOUR)
    restart(signed)
    assert signed.held.size == 4


def test_a_new_workspace_is_followed_from_its_first_entry(signed: Site) -> None:
    fourth = INSTALL.__class__(int=4)
    signed.runtime.execute("SELECT audit_open_chain(%s, %s)", [fourth, NOW])
    signed.write(fourth)
    signed.sequence(3 * HOUR)
    assert [fixed.epoch.chains for fixed in signed.sign()] == [4]


def test_what_a_crash_left_unpublished_is_published_at_the_next_start(signed: Site) -> None:
    before = signed.notes()
    signed.attack("UPDATE audit_epoch SET note = NULL WHERE epoch > 0")
    restart(signed)
    assert signed.notes() == before


def test_a_held_note_that_was_lost_is_written_again(signed: Site) -> None:
    (signed.folder.path / HELD).unlink()
    restart(signed)
    assert signed.held.size == 3


def new_entry(site: Site) -> None:
    site.write()
    site.sequence(2 * HOUR + 1)


Attack = Callable[[Site], None]


def edit_before_it_is_signed(site: Site) -> None:
    new_entry(site)
    site.attack(EDIT.format(seq=4))


def edit_and_fix_the_leaf(site: Site) -> None:
    edit_before_it_is_signed(site)
    site.attack("UPDATE audit_event SET leaf = sha256('\\x00'::bytea || convert_to(body, 'UTF8'))")


def append_in_another_form(site: Site) -> None:
    insider.append_in_another_form(site)
    site.sequence(2 * HOUR + 1)


def append_another_workspaces(site: Site) -> None:
    insider.append_another_workspaces(site)
    site.sequence(2 * HOUR + 1)


def rewrite_everything(site: Site) -> None:
    site.attack(EDIT.format(seq=2))
    site.rehash()


def rewrite_everything_and_go_on(site: Site) -> None:
    rewrite_everything(site)
    new_entry(site)


def cut_the_tail(site: Site) -> None:
    site.attack(DELETE_ENTRY.format(seq=3), SET_BACK.format(seq=2))


def cut_the_tail_and_keep_the_head(site: Site) -> None:
    new_entry(site)
    site.attack(DELETE_ENTRY.format(seq=4))


def cut_the_epochs(site: Site) -> None:
    site.attack(
        "DELETE FROM audit_epoch WHERE epoch = 2", "DELETE FROM audit_epoch_change WHERE epoch = 2"
    )


def change_the_last_epoch(site: Site) -> None:
    site.attack("UPDATE audit_epoch SET body = replace(body, '2026', '2027') WHERE epoch = 2")


def remove_a_chain(site: Site) -> None:
    site.attack("DELETE FROM audit_head WHERE slot = 2")


def exchange_two_chains(site: Site) -> None:
    site.attack(
        "UPDATE audit_head SET slot = 9 WHERE slot = 1",
        "UPDATE audit_head SET slot = 1 WHERE slot = 2",
        "UPDATE audit_head SET slot = 2 WHERE slot = 9",
    )


def begin_a_new_chain_elsewhere(site: Site) -> None:
    site.attack(
        "INSERT INTO audit_head"
        " VALUES (gen_random_uuid(), 4, 0, decode(repeat('00', 32), 'hex'), now())"
    )


def fix_an_epoch_over_other_heads(site: Site) -> None:
    epoch = site.epochs()[-1]
    forged = replace(epoch, number=3, prev=epoch.leaf().hex(), at=stamp(NOW + timedelta(hours=3)))
    site.superuser.execute("INSERT INTO audit_epoch VALUES (3, %s)", [forged.line().decode()])


def write_an_epoch_in_another_form(site: Site) -> None:
    site.superuser.execute("INSERT INTO audit_epoch VALUES (3, '{}')")


def leave_out_an_epoch(site: Site) -> None:
    site.superuser.execute(
        "INSERT INTO audit_epoch SELECT 4, replace(body, '\"epoch\":2', '\"epoch\":4')"
        " FROM audit_epoch WHERE epoch = 2"
    )


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        (edit_before_it_is_signed, "C05"),
        (edit_and_fix_the_leaf, "C05"),
        (append_in_another_form, "C07"),
        (append_another_workspaces, "C12"),
        (rewrite_everything, "A01"),
        (rewrite_everything_and_go_on, "C04"),
        (cut_the_tail, "A04"),
        (cut_the_tail_and_keep_the_head, "A01"),
        (cut_the_epochs, "H03"),
        (change_the_last_epoch, "H04"),
        (remove_a_chain, "E06"),
        (exchange_two_chains, "E06"),
        (begin_a_new_chain_elsewhere, "E06"),
        (fix_an_epoch_over_other_heads, "A02"),
        (write_an_epoch_in_another_form, "E01"),
        (leave_out_an_epoch, "E02"),
    ],
)
def test_it_refuses_a_log_that_is_not_the_one_it_saw(
    signed: Site, attack: Attack, code: str
) -> None:
    attack(signed)
    with pytest.raises(Refused, match=f"^{code}: "):
        signed.sign()


def test_it_never_signs_an_epoch_over_a_rewritten_chain(signed: Site) -> None:
    rewrite_everything(signed)
    signed.write()
    signed.sequence(3 * HOUR)
    with pytest.raises(Refused):
        signed.sign()
    assert signed.notes()[3] is None
    assert signed.held.size == 3


def test_an_old_epoch_that_was_changed_is_found_at_the_next_start(signed: Site) -> None:
    signed.attack("UPDATE audit_epoch SET body = replace(body, '2026', '2027') WHERE epoch = 0")
    with pytest.raises(Refused, match="H04"):
        restart(signed)


def test_an_epoch_over_other_nonces_is_not_signed(site: Site) -> None:
    site.write()
    site.sequence(0)
    site.signer = site.start_signer(secret=b"another secret, thirty-two bytes")
    with pytest.raises(Refused, match="A02"):
        site.sign()


def test_an_entry_that_is_later_than_its_epoch_is_refused(site: Site) -> None:
    site.write()
    site.sequence(0)
    site.attack("UPDATE audit_entry SET at = at + interval '1 hour'")
    site.rehash(INSTALL, 0)
    site.rehash()
    with pytest.raises(Refused, match="C13"):
        site.sign()


def test_an_entry_that_is_earlier_than_the_epoch_before_it_is_refused(signed: Site) -> None:
    signed.write(ROAMING)
    signed.sequence(2 * HOUR + 1)
    signed.attack(
        "UPDATE audit_entry SET at = at - interval '2 s'"
        " WHERE ws = (SELECT ws FROM audit_head WHERE slot = 2)"
    )
    signed.rehash(ROAMING, 2)
    with pytest.raises(Refused, match="C13"):
        signed.sign()


def test_a_refusal_stays_until_a_person_has_looked(signed: Site) -> None:
    cut_the_tail(signed)
    with pytest.raises(Refused):
        signed.sign()
    with pytest.raises(Refused, match="refused before"):
        restart(signed)
    (signed.folder.path / REFUSED).unlink()
    with pytest.raises(Refused, match="A04"):
        restart(signed)


def test_a_signer_that_lost_its_memory_does_not_sign_over_signed_checkpoints(signed: Site) -> None:
    (signed.folder.path / MEMORY).unlink()
    with pytest.raises(Refused, match="remembers nothing"):
        restart(signed)


def test_a_signer_may_be_told_to_begin_anew(signed: Site) -> None:
    (signed.folder.path / MEMORY).unlink()
    signed.signer = signed.start_signer(trusts=True)
    signed.sign()
    assert signed.held.size == 3


def test_another_key_is_refused(signed: Site) -> None:
    with pytest.raises(Refused, match="signing key"):
        signed.start_signer(Ed25519PrivateKey.generate())


def test_the_database_of_another_installation_is_refused(signed: Site) -> None:
    signed.attack("UPDATE audit_head SET ws = gen_random_uuid() WHERE slot = 0")
    with pytest.raises(Refused, match="This is the database of"):
        signed.start_signer()


def test_a_note_of_somebody_else_is_noticed(signed: Site) -> None:
    signed.write()
    signed.sequence(3 * HOUR)
    signed.superuser.execute("UPDATE audit_epoch SET note = 'forged' WHERE epoch = 3")
    with pytest.raises(Refused, match="somebody else"):
        signed.sign()
    with pytest.raises(Refused, match="refused before"):
        restart(signed)


def test_the_right_checkpoint_under_somebody_elses_key_is_noticed(signed: Site) -> None:
    signed.write()
    signed.sequence(3 * HOUR)
    root = tree_root([epoch.leaf() for epoch in signed.epochs()])
    right = Checkpoint(signed.held.origin, 4, root)
    forged = sign_note(right.body, right.origin, Ed25519PrivateKey.generate())
    signed.superuser.execute("UPDATE audit_epoch SET note = %s WHERE epoch = 3", [str(forged)])
    with pytest.raises(Refused, match="somebody else"):
        signed.sign()


def test_a_damaged_memory_is_not_taken_for_none(signed: Site) -> None:
    (signed.folder.path / MEMORY).write_text("{}")
    with pytest.raises(Refused, match="damaged"):
        restart(signed)


def test_two_signers_do_not_share_a_folder(site: Site) -> None:
    with pytest.raises(Refused, match="Another signer"):
        Folder(site.folder.path)


def test_many_epochs_are_caught_up_at_once(site: Site) -> None:
    for hour in range(5):
        site.write(MARKETING, ROAMING)
        site.sequence(hour * HOUR)
    assert len(site.sign()) == 5
    assert None not in site.notes()
