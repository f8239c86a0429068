"""`manage.py verify_audit` as an operator runs it."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from tests.audit.conftest import Log
from tests.audit.make import INSTALL, MARKETING, rows
from tests.audit.site import DELETE_ENTRY, EDIT, SECRET, SET_BACK, Site


@pytest.fixture
def site(log: Log, tmp_path: Path, settings: Settings) -> Site:
    settings.AUDIT_STATE_DIR = tmp_path / "audit"
    settings.AUDIT_NONCE_FILE = str(tmp_path / "nonce_secret")
    (tmp_path / "nonce_secret").write_bytes(SECRET)
    site = Site(log, tmp_path / "audit")
    site.hours(2)
    return site


def run(*words: str) -> tuple[int, str]:
    """Return the exit code and what was printed."""
    out = StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("verify_audit", *words, stdout=out)
    return int(left.value.code or 0), out.getvalue()


def test_an_honest_log(site: Site) -> None:
    code, printed = run()
    assert f"Chain 1 ({MARKETING}): 2 entries, unbroken" in printed
    assert "Compared with a checkpoint of 2 epochs." in printed
    assert "Compared with the signer's memory." in printed
    assert code == 0, printed


def test_one_workspace(site: Site) -> None:
    _, printed = run(str(MARKETING))
    assert "Chain 0" not in printed


def test_an_edited_row(site: Site) -> None:
    site.attack(EDIT.format(seq=1))
    code, printed = run()
    assert "BROKEN C05: Entry 1 of chain 1: the event is not the one" in printed
    assert code == 1


def test_a_deleted_row(site: Site) -> None:
    site.attack(DELETE_ENTRY.format(seq=1))
    code, printed = run()
    assert "BROKEN C03: Entry 1 of chain 1 is missing." in printed
    assert code == 1


def test_a_cut_tail(site: Site) -> None:
    site.attack(DELETE_ENTRY.format(seq=2), SET_BACK.format(seq=1))
    code, printed = run()
    assert "BROKEN H03: Chain 1 had 2 entries; it ends at 1 now." in printed
    assert code == 1


def test_nothing_outside_to_compare_with(site: Site, tmp_path: Path, settings: Settings) -> None:
    settings.AUDIT_STATE_DIR = tmp_path / "elsewhere"
    code, printed = run()
    assert "Warning H00: There was nothing outside the database to compare with" in printed
    assert code == 2


def test_a_checkpoint_that_was_kept_elsewhere(site: Site, tmp_path: Path) -> None:
    kept = tmp_path / "kept.note"
    kept.write_text(site.folder.read("held.note") or "")
    code, printed = run("--held", str(kept))
    assert "Compared with a checkpoint of 2 epochs." in printed
    assert code == 0


def test_a_kept_file_that_is_no_checkpoint(site: Site, tmp_path: Path) -> None:
    kept = tmp_path / "kept.note"
    kept.write_text("nothing\n")
    with pytest.raises(CommandError, match="A note is a body"):
        call_command("verify_audit", "--held", str(kept), stdout=StringIO())


def test_the_result_can_be_recorded(site: Site) -> None:
    run("--record")
    [(op, result)] = rows(
        site.superuser,
        "SELECT op, result FROM audit_event WHERE ws = %s ORDER BY id DESC LIMIT 1",
        INSTALL,
    )
    assert (op, result) == ("audit.verify", "ok")
