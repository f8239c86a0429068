"""A restored backup: the log goes on only after saying in every chain what is lost."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from audit.actions.gaps import GapRefused, declare_gap
from audit.actions.sign import HELD, Refused
from audit.rules.canonical import decode_event
from audit.rules.events import Actor
from audit.verifier import verify_evidence as verifier
from tests.audit import handed
from tests.audit.conftest import Log
from tests.audit.make import INSTALL, MARKETING, NOW, ROAMING, rows, without_guards
from tests.audit.site import HOUR, Site
from tests.audit.test_attacks import _connect_again

WHO = Actor("system", "login:ada")
WHY = "The disk failed; the backup of 10 o'clock was restored."
# What a backup of the log's tables brings back when it is restored.
LOST = (
    "DELETE FROM audit_epoch_change WHERE epoch > 1",
    "DELETE FROM audit_epoch WHERE epoch > 1",
    "DELETE FROM audit_entry WHERE at > '2026-03-01 10:00:00+00'",
    "DELETE FROM audit_event WHERE id NOT IN (SELECT event_id FROM audit_entry)",
    "UPDATE audit_head h SET seq = e.seq, hash = e.hash FROM audit_entry e WHERE e.ws = h.ws"
    " AND e.seq = (SELECT max(n.seq) FROM audit_entry n WHERE n.ws = h.ws)",
)


class Restored:
    """An installation of four hours that was put back to its second; who held what outside."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.folder = folder
        site.write(ROAMING)
        site.hours(2)
        self.before = self._kept("before.note")
        for hour in (2, 3):
            site.write(MARKETING, ROAMING)
            site.sequence(hour * HOUR)
            site.sign()
        self.newest = self._kept("newest.note")
        with without_guards(site.superuser):
            for statement in LOST:
                site.superuser.execute(statement)
        site.log.close()
        _connect_again(site)

    def _kept(self, name: str) -> Path:
        path = self.folder / name
        path.write_text(self.site.folder.read(HELD) or "")
        return path

    def begin_anew(self) -> None:
        """Do what the runbook says after the declaration."""
        for path in self.site.folder.path.glob("*.*"):
            path.rename(self.folder / f"away-{path.name}")
        self.site.signer = self.site.start_signer(trusts=True)
        self.site.sequence(4 * HOUR)
        self.site.sign()

    def read(self, *held: Path) -> verifier.Report:
        name = f"bundle-{len(list(self.folder.glob('bundle-*')))}"
        return handed.read(self.site, self.folder / name, str(self.site.key), held=held)


@pytest.fixture
def restored(log: Log, tmp_path: Path) -> Restored:
    return Restored(Site(log, tmp_path / "audit"), tmp_path)


def declared(site: Site) -> dict[str, dict[str, object]]:
    """Return chain -> what its entry says."""
    query = "SELECT body FROM audit_event WHERE op = 'gap.declared'"
    found = [decode_event(body.encode()) for (body,) in rows(site.superuser, query)]
    return {one["ws"]: one for one in found}


def test_a_gap_is_declared_in_every_chain_and_the_verifier_tells_who_held_more(
    restored: Restored,
) -> None:
    site = restored.site
    with pytest.raises(Refused, match="H03"):
        site.sign()
    out = StringIO()
    call_command("declare_gap", held=restored.newest, why=WHY, stdout=out)
    assert "Declared in 3 chains: 4 epochs were signed, 2 are here" in out.getvalue()
    said = declared(site)
    assert set(said) == {str(INSTALL), str(MARKETING), str(ROAMING)}
    assert said[str(MARKETING)]["why"] == WHY
    assert said[str(MARKETING)]["diff"] == {
        "epochs": [4, 2],
        "since": [None, "2026-03-01T10:00:00.000000Z"],
        "note_sha256": [None, _digest(restored.newest)],
    }
    restored.begin_anew()
    # Nobody who holds nothing newer is told anything; the entry stands in the evidence.
    alone = restored.read()
    assert (alone.exit_code, alone.level, _failures(alone)) == (2, "A", [])
    assert "E05" in alone.counts
    # What was held from before the backup still fits; what was held after it never will.
    assert restored.read(restored.before).level == "B"
    assert _failures(restored.read(restored.newest)) == ["H03"]
    for hour in (5, 6):
        site.write()
        site.sequence(hour * HOUR)
        site.sign()
    assert _failures(restored.read(restored.newest)) == ["H04"]


def _failures(report: verifier.Report) -> list[str]:
    return [one.code for one in report.findings if one.kind == "failure"]


def _digest(note: Path) -> str:
    return verifier.sha256(note.read_bytes()).hex()


def test_nothing_is_declared_while_nothing_is_missing(log: Log, tmp_path: Path) -> None:
    site = Site(log, tmp_path / "audit")
    site.hours(3)
    note = site.folder.read(HELD) or ""
    with pytest.raises(GapRefused, match="nothing is missing"):
        declare_gap(note=note, actor=WHO, why=WHY, now=NOW)
    assert declared(site) == {}


def test_a_reason_is_needed(restored: Restored) -> None:
    with pytest.raises(CommandError, match="Say what happened"):
        call_command("declare_gap", held=restored.newest, why="oops")
    assert declared(restored.site) == {}


def test_a_note_that_nobody_known_signed_declares_nothing(restored: Restored) -> None:
    text = restored.newest.read_text().replace("\n4\n", "\n5\n")
    with pytest.raises(GapRefused, match="cannot be believed"):
        declare_gap(note=text, actor=WHO, why=WHY, now=NOW)
