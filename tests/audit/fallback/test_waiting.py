"""Files that nobody takes although they could be taken: an alarm, and no sign of life."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connections
from django.test import Client
from django.utils import timezone

from audit.actions.fallback import Fallback, fallback
from audit.actions.fallback_ingest import remember_installation
from audit.actions.fallback_sweep import sweep
from audit.queries.fallback import LATE
from audit.queries.fallback_findings import Tone, problems, tone_of
from tests.audit.conftest import Log
from tests.audit.fallback.ground import files, open_file, state_of, write
from tests.audit.make import Connection, open_chains

SENTENCE = "1 fallback file has waited for more than 60 s"


@pytest.fixture
def folder(log: Log, runtime: Connection, settings: LazySettings, tmp_path: Path) -> Fallback:
    open_chains(runtime)
    settings.AUDIT_FALLBACK_DIR = tmp_path / "fallback"
    found = fallback()
    assert remember_installation(found)
    return found


def age(path: Path, by: timedelta) -> None:
    """Let a file have been written so long ago."""
    at = (timezone.now() - by).timestamp()
    os.utime(path, (at, at))


def written_long_ago(folder: Fallback) -> None:
    write(folder)
    age(open_file(folder), 2 * LATE)


def test_a_file_that_waits_while_somebody_holds_the_ingest_is_an_alarm(folder: Fallback) -> None:
    written_long_ago(folder)
    with Fallback(folder.path, max_bytes=1, host="x").ingesting():
        assert sweep(timezone.now()) == []
        assert tone_of(state_of(folder)) is Tone.BAD
        assert SENTENCE in " ".join(problems(state_of(folder)))
        health = Client().get("/health/audit/")
    assert (health.status_code, health.json()) == (503, {"fallback": "bad"})
    assert len(sweep(timezone.now())) == 1
    assert tone_of(state_of(folder)) is Tone.OK


def test_one_that_was_put_aside_and_not_taken_is_an_alarm_too(folder: Fallback) -> None:
    written_long_ago(folder)
    folder.put_all_aside()
    assert len(files(folder, "waiting")) == 1
    assert SENTENCE in " ".join(problems(state_of(folder)))


def test_a_file_of_a_moment_ago_waits_in_good_order(folder: Fallback) -> None:
    write(folder)
    age(open_file(folder), LATE / 2)
    assert tone_of(state_of(folder)) is Tone.WARN


def test_a_file_waits_in_good_order_while_the_sweep_finds_no_database(
    folder: Fallback,
) -> None:
    written_long_ago(folder)
    without_database()
    assert tone_of(state_of(folder)) is Tone.WARN
    # The sweeps ceased, or find the database now and take nothing.
    age(folder.path / "database.away", 2 * LATE)
    assert tone_of(state_of(folder)) is Tone.BAD


def without_database() -> None:
    """Sweep where nothing answers at the database's port."""
    wire = connections["default"]
    wire.close()
    before, wire.settings_dict["PORT"] = wire.settings_dict["PORT"], "1"
    try:
        assert sweep(timezone.now()) == []
    finally:
        wire.settings_dict["PORT"] = before


def test_a_database_that_answers_and_refuses_is_no_excuse(
    folder: Fallback, superuser: Connection
) -> None:
    written_long_ago(folder)
    role = connections["default"].settings_dict["USER"]
    superuser.execute(f"REVOKE EXECUTE ON FUNCTION audit_append FROM {role}")
    try:
        assert sweep(timezone.now()) == []
    finally:
        superuser.execute(f"GRANT EXECUTE ON FUNCTION audit_append TO {role}")
    assert tone_of(state_of(folder)) is Tone.BAD


def swept_at(folder: Fallback) -> datetime | None:
    return state_of(folder).swept_at


def test_a_sweep_that_got_through_shows_life_with_the_database_and_without(
    folder: Fallback,
) -> None:
    sweep(timezone.now())
    assert swept_at(folder) is not None
    (folder.path / "sweep.alive").unlink()
    write(folder)
    without_database()
    assert swept_at(folder) is not None


def test_a_sweep_that_broke_off_shows_none(folder: Fallback) -> None:
    write(folder)
    (folder.path / "ingest.lock").unlink(missing_ok=True)
    (folder.path / "ingest.lock").mkdir()
    with pytest.raises(IsADirectoryError):
        sweep(timezone.now())
    assert swept_at(folder) is None
