"""Verification of the database's log, honest and attacked by its superuser."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from audit.queries import chains
from audit.queries.outside import BadHeld, look_outside
from audit.queries.verification import verify
from audit.rules.chain import first_link
from audit.rules.epochs import Head, next_epoch
from audit.rules.findings import Outside, Report
from tests.audit.conftest import Log
from tests.audit.make import MARKETING, NOW, ROAMING, append, rows, without_guards
from tests.audit.site import DELETE_ENTRY, EDIT, HOUR, SECRET, SET_BACK, Site

SOON = NOW + timedelta(hours=2, seconds=1)


@pytest.fixture
def site(log: Log, tmp_path: Path) -> Site:
    """Three signed epochs with three entries of Marketing, and a fourth entry after them."""
    (tmp_path / "nonce_secret").write_bytes(SECRET)
    site = Site(log, tmp_path / "audit")
    site.hours(3)
    site.write(MARKETING, ROAMING)
    site.sequence(2 * HOUR + 1)
    site.sign()
    return site


def outside(site: Site, held: Path | None = None) -> Outside:
    return look_outside(site.folder.path, site.folder.path.parent / "nonce_secret", held)


def check(site: Site, there: Outside | None = None, now: datetime = SOON) -> Report:
    chains.see_everything(site.runtime)
    return verify(site.runtime, workspace=None, outside=there or outside(site), now=now)


def codes(report: Report) -> list[str]:
    return [finding.code for finding in report.findings]


def test_an_honest_log_is_unbroken(site: Site) -> None:
    report = check(site)
    assert (report.findings, report.exit_code) == ([], 0)
    assert [chain.entry_count for chain in report.chains] == [1, 4, 1]
    assert (report.epoch_count, report.waiting_count) == (3, 0)


def test_one_workspace_can_be_verified_alone(site: Site) -> None:
    chains.see_everything(site.runtime)
    report = verify(site.runtime, workspace=ROAMING, outside=outside(site), now=SOON)
    assert [chain.slot for chain in report.chains] == [2]
    assert report.exit_code == 0


def test_a_workspace_without_a_chain_is_broken(site: Site) -> None:
    chains.see_everything(site.runtime)
    report = verify(site.runtime, workspace=uuid4(), outside=outside(site), now=SOON)
    assert codes(report) == ["E06"]


@pytest.mark.parametrize("role", ["exporter", "signer"])
def test_a_reading_role_can_verify(site: Site, role: str) -> None:
    reader = site.log.connect(role)
    chains.see_everything(reader)
    assert verify(reader, workspace=None, outside=outside(site), now=SOON).exit_code == 0


Attack = Callable[[Site], None]


def edit_a_row(site: Site) -> None:
    site.attack(EDIT.format(seq=2))


def edit_a_row_and_its_leaf(site: Site) -> None:
    edit_a_row(site)
    site.attack("UPDATE audit_event SET leaf = sha256('\\x00'::bytea || convert_to(body, 'UTF8'))")


def edit_a_row_and_rehash_all(site: Site) -> None:
    edit_a_row(site)
    site.rehash()


def delete_a_row(site: Site) -> None:
    site.attack(DELETE_ENTRY.format(seq=2))


def delete_a_row_and_rehash_all(site: Site) -> None:
    delete_a_row(site)
    site.rehash()


def delete_an_event(site: Site) -> None:
    site.attack(
        "DELETE FROM audit_event WHERE id ="
        " (SELECT event_id FROM audit_entry WHERE ws = :marketing AND seq = 2)"
    )


def cut_the_tail(site: Site) -> None:
    site.attack(DELETE_ENTRY.format(seq=4))


def cut_the_tail_and_set_the_head_back(site: Site) -> None:
    site.attack(DELETE_ENTRY.format(seq=4), SET_BACK.format(seq=3))


def go_back_to_an_older_day(site: Site) -> None:
    """All tables as they were an hour ago: consistent in themselves, and honestly signed."""
    site.attack(
        "DELETE FROM audit_entry WHERE ws = :marketing AND seq > 2",
        "DELETE FROM audit_entry WHERE ws = (SELECT ws FROM audit_head WHERE slot = 2)",
        SET_BACK.format(seq=2),
        "UPDATE audit_head SET seq = 0, hash = sha256(convert_to(concat_ws(E'\\n',"
        " 'smsc-audit-genesis/v1', (SELECT ws FROM audit_head WHERE slot = 0), ws, slot,"
        " to_char(created AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')) || E'\\n',"
        " 'UTF8')) WHERE slot = 2",
        "DELETE FROM audit_epoch WHERE epoch > 1",
        "DELETE FROM audit_epoch_change WHERE epoch > 1",
        "DELETE FROM audit_event v WHERE NOT EXISTS"
        " (SELECT FROM audit_entry e WHERE e.event_id = v.id)",
    )


def swap_two_rows(site: Site) -> None:
    site.attack(
        "UPDATE audit_entry SET event_id = -event_id WHERE ws = :marketing AND seq IN (1, 2)",
        "UPDATE audit_entry e SET event_id = (SELECT -o.event_id FROM audit_entry o"
        " WHERE o.ws = e.ws AND o.seq = 3 - e.seq) WHERE ws = :marketing AND seq = 1",
        "UPDATE audit_entry e SET event_id = (SELECT min(v.id) FROM audit_event v"
        " WHERE v.ws = e.ws) WHERE ws = :marketing AND seq = 2",
    )


def put_a_time_back(site: Site) -> None:
    site.attack("UPDATE audit_entry SET at = at - interval '1 h' WHERE ws = :marketing AND seq = 2")


def remove_a_chain(site: Site) -> None:
    site.attack("DELETE FROM audit_head WHERE slot = 1")


def leave_out_an_epoch(site: Site) -> None:
    site.attack("DELETE FROM audit_epoch WHERE epoch = 1")


def forge_a_note(site: Site) -> None:
    site.attack("UPDATE audit_epoch SET note = replace(note, E'\\n2\\n', E'\\n7\\n')")


def strip_a_signature(site: Site) -> None:
    site.attack("UPDATE audit_epoch SET note = split_part(note, E'\\n\\n', 1) WHERE epoch = 1")


def exchange_two_notes(site: Site) -> None:
    site.attack(
        "UPDATE audit_epoch SET note = (SELECT note FROM audit_epoch WHERE epoch = 0)"
        " WHERE epoch = 1"
    )


def change_a_length(site: Site) -> None:
    site.attack("UPDATE audit_epoch_change SET seq = 1 WHERE epoch = 1")


def event_of_another_workspace(site: Site) -> None:
    site.attack(
        "UPDATE audit_event SET body = replace(body, ws::text, (SELECT ws::text FROM audit_head"
        " WHERE slot = 2)) WHERE id ="
        " (SELECT event_id FROM audit_entry WHERE ws = :marketing AND seq = 2)"
    )
    site.rehash()


def another_form(site: Site) -> None:
    site.attack(
        "UPDATE audit_event SET body = replace(body, ':', ': ') WHERE id ="
        " (SELECT event_id FROM audit_entry WHERE ws = :marketing AND seq = 2)"
    )
    site.rehash()


@pytest.mark.parametrize(
    ("attack", "first"),
    [
        (edit_a_row, "C05"),
        (edit_a_row_and_its_leaf, "C05"),
        (edit_a_row_and_rehash_all, "H04"),
        (delete_a_row, "C03"),
        (delete_a_row_and_rehash_all, "H03"),
        (delete_an_event, "C05"),
        (cut_the_tail, "A01"),
        (cut_the_tail_and_set_the_head_back, "H03"),
        (go_back_to_an_older_day, "H03"),
        (swap_two_rows, "C05"),
        (put_a_time_back, "C05"),
        (remove_a_chain, "E06"),
        (leave_out_an_epoch, "E02"),
        (forge_a_note, "K01"),
        (strip_a_signature, "K02"),
        (exchange_two_notes, "E07"),
        (change_a_length, "A02"),
        (event_of_another_workspace, "C12"),
        (another_form, "C07"),
    ],
)
def test_an_attack_is_found(site: Site, attack: Attack, first: str) -> None:
    attack(site)
    report = check(site)
    assert report.exit_code == 1
    assert next(one.code for one in report.findings if not one.is_warning) == first


def test_the_place_of_an_edit_is_named(site: Site) -> None:
    site.attack(EDIT.format(seq=2))
    [finding] = check(site).findings
    assert finding.sentence == ("Entry 2 of chain 1: the event is not the one that was recorded.")


def test_verification_goes_on_behind_a_wrong_entry(site: Site) -> None:
    site.attack(EDIT.format(seq=1), EDIT.format(seq=3))
    assert codes(check(site)) == ["C05", "C05"]


def test_a_rewritten_tail_is_found_by_the_signers_memory(site: Site) -> None:
    site.attack(EDIT.format(seq=4))
    site.rehash()
    assert codes(check(site)) == ["H04"]


def alone(site: Site) -> Outside:
    """Nothing but the database."""
    return Outside()


def test_without_anything_outside_it_says_that_it_could_not_compare(site: Site) -> None:
    report = check(site, alone(site))
    assert (codes(report), report.exit_code) == (["H00", "A00", "K00"], 2)
    assert "nothing outside the database to compare with" in report.findings[0].sentence


def test_without_anything_outside_an_older_day_looks_whole(site: Site) -> None:
    go_back_to_an_older_day(site)
    assert check(site, alone(site)).exit_code == 2


def test_a_checkpoint_that_somebody_kept_is_enough_to_find_it(site: Site, tmp_path: Path) -> None:
    kept = tmp_path / "kept.note"
    kept.write_text(site.folder.read("held.note") or "")
    go_back_to_an_older_day(site)
    there = replace(outside(site, kept), memory=None)
    report = check(site, there)
    assert codes(report) == ["H03"]
    assert "over 3 epochs; here are 2" in report.findings[0].sentence


def test_an_insider_who_knows_the_secret_is_found_by_a_kept_checkpoint(site: Site) -> None:
    """He rewrites a chain and all epochs, and takes out the notes that no longer fit."""
    kept = outside(site)
    edit_a_row_and_rehash_all(site)
    forge_all_epochs(site)
    assert "H04" in codes(check(site, replace(kept, memory=None)))


def test_the_same_insider_is_found_by_the_signatures_alone(site: Site) -> None:
    edit_a_row_and_rehash_all(site)
    notes = site.notes()
    forge_all_epochs(site)
    site.superuser.execute("UPDATE audit_epoch SET note = %s WHERE epoch = 2", [notes[2]])
    found = check(site, Outside(keys=site.keys, secret=SECRET))
    assert "E07" in codes(found)


def forge_all_epochs(site: Site) -> None:
    last = None
    lengths: dict[int, int] = {}
    stored = chains.heads(site.superuser)
    beginnings = {head.slot: Head(head.slot, head.ws, 0, b"") for head in stored}
    for epoch in site.epochs():
        lengths |= dict(chains.changes(site.superuser, epoch.number))
        heads = []
        for slot, seq in sorted(lengths.items()):
            ws = beginnings[slot].ws
            found = rows(
                site.superuser, "SELECT hash FROM audit_entry WHERE ws = %s AND seq = %s", ws, seq
            )
            heads.append(Head(slot, ws, seq, found[0][0] if found else genesis(site, slot)))
        last = next_epoch(last, at=epoch.at, secret=SECRET, heads=heads)
        with without_guards(site.superuser):
            site.superuser.execute(
                "UPDATE audit_epoch SET body = %s, note = NULL WHERE epoch = %s",
                [last.line().decode(), last.number],
            )


def genesis(site: Site, slot: int) -> bytes:
    stored = chains.heads(site.superuser)
    head = stored[slot]
    return first_link(stored[0].ws, head.ws, head.slot, head.created).hash


def test_guards_that_were_switched_off_and_on_leave_a_trace(site: Site) -> None:
    site.superuser.execute("ALTER TABLE audit_event DISABLE TRIGGER ALL")
    site.superuser.execute("ALTER TABLE audit_event ENABLE TRIGGER ALL")
    report = check(site)
    assert (codes(report), report.exit_code) == (["G01", "G01"], 2)


def test_an_event_that_waits_too_long_is_a_warning(site: Site) -> None:
    append(site.runtime)
    report = check(site, now=datetime.now(tz=NOW.tzinfo) + timedelta(minutes=3))
    assert report.waiting_count == 1
    assert "N01" in codes(report)


def test_an_epoch_without_a_checkpoint_is_a_warning(site: Site) -> None:
    site.sequence(3 * HOUR)
    report = check(site, now=SOON + timedelta(hours=2))
    assert codes(report) == ["K04"]


def test_missing_heartbeats_are_a_warning(site: Site) -> None:
    site.sequence(6 * HOUR)
    site.sign()
    assert codes(check(site)) == ["E05"]


def test_a_log_without_an_installation_is_empty_and_whole(log: Log) -> None:
    reader = log.connect("app")
    chains.see_everything(reader)
    report = verify(reader, workspace=None, outside=Outside(), now=SOON)
    assert (report.chains, report.is_broken) == ([], False)


def test_a_held_file_that_is_not_a_checkpoint_is_refused(site: Site, tmp_path: Path) -> None:
    held = tmp_path / "kept.note"
    held.write_text("no note\n")
    with pytest.raises(BadHeld):
        outside(site, held)


def test_a_held_checkpoint_that_another_key_signed_is_refused(site: Site, tmp_path: Path) -> None:
    held = tmp_path / "kept.note"
    held.write_text((site.folder.read("held.note") or "").replace("\n3\n", "\n2\n"))
    with pytest.raises(BadHeld, match="does not fit"):
        outside(site, held)


def test_a_held_file_that_is_not_there_is_refused(site: Site, tmp_path: Path) -> None:
    with pytest.raises(BadHeld, match="There is no"):
        outside(site, tmp_path / "absent.note")
