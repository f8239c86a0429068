"""`manage.py audit_check`, which also runs every night."""

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django.fixtures import Settings

from audit.actions.anchors.alarms import tell_unchecked
from audit.actions.checking import FILE
from audit.queries.last_check import LastCheck, last_check
from audit.rules.canonical import decode_event
from audit.tasks.anchors import sweep_anchors
from audit.tasks.checks import check
from tests.audit.conftest import Log
from tests.audit.make import INSTALL, NOW, rows
from tests.audit.site import EDIT, SECRET, Site


@pytest.fixture
def site(log: Log, tmp_path: Path, settings: Settings) -> Site:
    settings.DATA_DIR = tmp_path
    settings.AUDIT_STATE_DIR = tmp_path / "nobody"
    settings.AUDIT_NONCE_FILE = str(tmp_path / "nonce_secret")
    (tmp_path / "nonce_secret").write_bytes(SECRET)
    site = Site(log, tmp_path / "audit")
    site.hours(2)
    return site


def run() -> tuple[int, str]:
    """Return the exit code and what was printed."""
    out = StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("audit_check", stdout=out)
    return int(left.value.code or 0), out.getvalue()


def recorded(site: Site) -> list[tuple[str, dict[str, Any]]]:
    """Return the result and the changes of every check that the log holds."""
    found = rows(
        site.superuser, "SELECT result, body FROM audit_event WHERE op = 'audit.verify' ORDER BY id"
    )
    return [(result, decode_event(body.encode())["diff"]) for result, body in found]


def test_a_whole_log_is_recorded_as_checked(site: Site) -> None:
    code, printed = run()
    assert (code, printed) == (
        0,
        "3 chains, 3 entries, 2 epochs: the audit log and its guards are as they were.\n",
    )
    assert recorded(site) == [
        ("ok", {"entries": [None, 3], "epochs": [None, 2], "findings": [None, []]})
    ]


def test_a_broken_log_is_told_recorded_and_not_remembered(site: Site, tmp_path: Path) -> None:
    site.attack(EDIT.format(seq=2))
    code, printed = run()
    assert (code, "BROKEN C05: Entry 2 of chain 1 was changed" in printed) == (1, True)
    [(result, said)] = recorded(site)
    assert (result, said["findings"][1][0][:4]) == ("failed", "C05:")
    assert not (tmp_path / FILE).exists()


def test_what_was_whole_last_night_cannot_be_another_tonight(site: Site) -> None:
    run()
    site.attack(EDIT.format(seq=2))
    site.rehash()
    code, printed = run()
    assert (code, "BROKEN H04: Entry 2 of chain 1 is not the one that was there." in printed) == (
        1,
        True,
    )


def test_the_worker_does_the_same_every_night(site: Site, tmp_path: Path) -> None:
    check()
    assert (tmp_path / FILE).exists()
    assert [result for result, _said in recorded(site)] == ["ok"]


@pytest.mark.parametrize("left", [b"{}", b"", b"\xff\xfe"])
def test_a_damaged_memory_is_found_each_night_and_hides_nothing_else(
    site: Site, tmp_path: Path, left: bytes
) -> None:
    (tmp_path / FILE).write_bytes(left)
    site.attack(EDIT.format(seq=2))
    for _night in range(2):
        code, printed = run()
        assert code == 1
        assert "BROKEN X00: What the last check remembered is damaged" in printed
        assert "BROKEN C05: Entry 2 of chain 1 was changed" in printed
    assert [result for result, _said in recorded(site)] == ["failed", "failed"]
    assert (tmp_path / FILE).read_bytes() == left


def told(site: Site) -> list[tuple[str, str]]:
    """Return result and reason of the alarms about missing checks."""
    query = (
        "SELECT result, body::json ->> 'why' FROM audit_event WHERE op = 'audit.late' ORDER BY id"
    )
    return rows(site.superuser, query)


def test_a_night_without_a_check_is_told_once(site: Site) -> None:
    check()
    last = last_check(timezone.now())
    assert (last.is_broken, last.due_since) == (False, None)
    assert last.at is not None
    late = [last.at + timedelta(hours=hours) for hours in (29, 31, 32)]
    assert [tell_unchecked(last_check(now), now=now) for now in late] == [False, True, False]
    [(result, why)] = told(site)
    assert result == "failed"
    assert why.startswith(f"The whole log has not been checked since {last.at:%Y-%m-%d %H:%M} UTC")


def test_a_check_by_somebody_of_one_chain_is_not_the_check_of_the_log(site: Site) -> None:
    site.write(INSTALL, op="audit.verify")
    assert last_check(NOW) == LastCheck(None, is_broken=False, due_since=None)


def test_before_the_first_check_the_age_of_the_log_counts(site: Site) -> None:
    assert last_check(NOW + timedelta(hours=29)).due_since is None
    assert last_check(NOW + timedelta(hours=31)).due_since is not None


def test_the_sweep_tells_that_the_log_is_not_checked(site: Site) -> None:
    sweep_anchors()
    sweep_anchors()
    assert len(told(site)) == 1


def test_what_the_last_check_found_is_known(site: Site) -> None:
    site.attack(EDIT.format(seq=2))
    run()
    assert last_check(timezone.now()).is_broken


def test_before_the_installation_there_is_nothing_to_record(
    log: Log, tmp_path: Path, settings: Settings
) -> None:
    settings.DATA_DIR = tmp_path
    assert run()[0] == 0
