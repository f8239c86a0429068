"""A disk fills up, and is freed again: under a sender the tables', the database's own log's, ours;
while the database is away, that of the audit log's fallback files.

What fills up is a small file system of its own; without the right to mount one, this fails and says
so: nothing is skipped.
"""

import errno
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from audit.actions.fallback import Fallback, fallback
from audit.actions.fallback_ingest import remember_installation
from audit.actions.fallback_sweep import sweep
from message_center.errors import PAGES
from message_center.stack.product import ROOT
from tests.audit.fallback.ground import (
    all_eids,
    folder_at,
    state_of,
    write,
    write_until_refused,
)
from tests.audit.fallback.test_database_away import send, stopped
from tests.chaos.stage import Stage, fresh_connections, now
from tests.conftest import Database
from tests.ground import Ground
from tests.poll import poll
from tests.workspaces import make
from workspaces.rules.permissions import Role

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]
NEEDS_MOUNT = "To fill a disk takes the right to mount one: run make disks as root."
FULL_SECONDS = 5
KILLS = 40
PAGE_BYTES = 4096
ROOM_FOR_THE_LOG = 64 * 1024 * 1024
TABLES = "SELECT relid::regclass::text FROM pg_partition_tree(%s::regclass) WHERE isleaf"


@contextmanager
def mounted(place: Path, size: str) -> Iterator[Path]:
    """Mount a small file system that the database's processes reach."""
    place.mkdir()
    words = ["/bin/mount", "-t", "tmpfs", "-o", f"size={size},mode=0777", "small", str(place)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{NEEDS_MOUNT} {done.stderr}"
    for folder in place.parents:
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o111)
    try:
        yield place
    finally:
        subprocess.run(["/bin/umount", "-l", str(place)], check=True)


@pytest.fixture
def small_disk(servers: Ground, tmp_path: Path) -> Iterator[Path]:
    """A tablespace named small_disk, of 24 MB."""
    with mounted(tmp_path / "small", "24m") as place:
        (place / "tables").mkdir()
        os.chown(place / "tables", *_owner(servers))
        with psycopg.connect(servers.postgres.url("postgres"), autocommit=True) as link:
            link.execute(f"CREATE TABLESPACE small_disk LOCATION '{place / 'tables'}'")
        yield place
        with psycopg.connect(servers.postgres.url("postgres"), autocommit=True) as link:
            link.execute("DROP TABLESPACE small_disk")


@pytest.fixture
def log_disk(servers: Ground, tmp_path: Path) -> Iterator[Path]:
    """The database's write-ahead log on a file system of its own that has little room left."""
    with psycopg.connect(servers.postgres.url("postgres"), autocommit=True) as link:
        link.execute("ALTER SYSTEM SET wal_recycle = off")
        link.execute("SELECT pg_reload_conf()")
        link.execute("CHECKPOINT")
    servers.postgres.stop()
    log = servers.postgres.home.data / "pg_wal"
    octets = sum(path.stat().st_size for path in log.rglob("*") if path.is_file())
    with mounted(tmp_path / "small", str(octets + ROOM_FOR_THE_LOG)) as place:
        _move_log(log, place / "pg_wal")
        log.symlink_to(place / "pg_wal")
        servers.postgres.start()
        yield place
        servers.postgres.stop(immediate=True)
        log.unlink()
        _move_log(place / "pg_wal", log)
        servers.postgres.start()


def _move_log(source: Path, target: Path) -> None:
    subprocess.run(["/bin/cp", "-a", str(source), str(target)], check=True)
    shutil.rmtree(source)


def test_a_full_disk_stops_sending_and_loses_nothing(
    small_disk: Path, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    _move(stage)
    stage.add_campaign()
    stage.begin()
    stage.wait_accepted(300)
    filler = _fill(small_disk / "filler")
    poll(lambda: "No space left" in stage.sender.log_text, 60, "the disk never became full")
    time.sleep(FULL_SECONDS)
    stage.checker.conserved()
    filler.unlink()
    freed_at = now()
    resumed = stage.wait_flow(freed_at) - freed_at
    _all_delivered(stage)
    with capsys.disabled():
        print(f"\ndisk full: nothing unknown, segments flowed {resumed:.2f} s after it was freed")


def test_a_full_disk_of_the_databases_log_loses_nothing(
    log_disk: Path, stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    """PostgreSQL gives up when it cannot write its log, as in an immediate stop."""
    stage.add_campaign()
    stage.begin()
    stage.wait_accepted(300)
    filler = _fill(log_disk / "filler")
    postgres = stage.processes.ground.postgres
    poll(lambda: not _writes(stage.checker.url), 120, "the log's disk never became full")
    time.sleep(FULL_SECONDS)
    filler.unlink()
    fresh_connections()
    postgres.stop(immediate=True)
    postgres.start()
    freed_at = now()
    resumed = stage.wait_flow(freed_at) - freed_at
    _all_delivered(stage)
    with capsys.disabled():
        print(f"\nlog's disk full: nothing unknown, segments flowed {resumed:.2f} s afterwards")


def test_a_sender_whose_logs_disk_is_full_goes_on(stage: Stage) -> None:
    with mounted(stage.sender.log.parent, "1m") as place:
        stage.add_campaign()
        stage.begin()
        stage.wait_accepted(300)
        filler = _fill(place / "filler")
        # What it would tell of: a lost session.
        stage.simulator.do("drop")
        stage.wait_accepted(300)
        filler.unlink()
        _all_delivered(stage, unknown=stage.budget * stage.sessions)


def test_a_full_disk_and_forty_kills_lose_no_line_that_was_acknowledged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each writer finds room for some lines at most, and goes on when they are refused."""
    chance = random.Random(6)
    with mounted(tmp_path / "small", "2m") as place:
        folder = folder_at(place / "fallback")
        said: list[str] = []
        for _ in range(KILLS):
            _fill(place / "filler", free_bytes=chance.randrange(4) * PAGE_BYTES)
            said += _killed_writer(folder, chance.randrange(1, 40))
        kept, refused = [one for one in said if one != "refused"], said.count("refused")
        _fill(place / "filler")
        made, told = write_until_refused(folder)
        assert str(told) == "What was tried can be recorded nowhere: No space left on device."
        (place / "filler").unlink()
        made += write(folder, 3)
        kept += [str(one.eid) for one in made]
        found = all_eids(folder)  # every file is read: each line follows the one before
        lost = state_of(folder).lost_count
    assert min(len(kept), refused) > KILLS
    assert len(found) == len(set(found))
    assert set(kept) <= set(found)
    # Killed between the write and the answer: kept, or counted, and nobody was told.
    assert len(set(found) - set(kept)) <= KILLS
    assert 0 <= lost - refused - 1 <= KILLS
    with capsys.disabled():
        print(f"\nfallback's disk full: {len(kept)} lines kept, {refused} refused and counted")


def test_while_the_fallback_files_disk_is_full_what_is_tried_is_refused_and_counted(
    database: Database, servers: Ground, settings: LazySettings, tmp_path: Path
) -> None:
    with mounted(tmp_path / "small", "1m") as place:
        settings.AUDIT_FALLBACK_DIR, settings.DATA_DIR = place / "fallback", tmp_path
        assert remember_installation(fallback())
        client = make.signed_in(make.member(make.workspace("care"), Role.ADMIN))
        client.raise_request_exception = False
        with stopped(servers):
            filler = _fill(place / "filler")
            decided, called = _tried(client)
            health = client.get("/health/audit/")
            filler.unlink()
            again, _called = _tried(client)
        done = sweep(timezone.now())
        assert state_of(fallback()).lost_count == 0
    assert (decided.status_code, called.status_code, again.status_code) == (503, 503, 503)
    assert str(PAGES["not_recorded"].heading) in decided.content.decode()
    assert "new@example.com" in decided.content.decode()
    assert (called.json()["code"], health.status_code) == ("not_recorded", 503)
    assert str(PAGES["503"].lede) in again.content.decode()
    assert sum(one.line_count for one in done) == 2
    with psycopg.connect(database.url("superuser")) as link:
        query = "SELECT body::json #>> '{diff,count,1}' FROM audit_event WHERE op = 'gap.declared'"
        assert link.execute(query).fetchall() == [("2",)]


def _tried(client: Client) -> tuple[Any, Any]:
    """Decide something by a form, and by a call; return both answers."""
    typed = {"email": "new@example.com", "role": "viewer"}
    form = send(client, "/w/care/members/invite/", typed)
    key = {"Authorization": "Bearer mc_ab.cd"}
    body = "application/json"
    return form, client.post("/api/v1/messages", "{}", content_type=body, headers=key)


def _killed_writer(folder: Fallback, answers: int) -> list[str]:
    """Start a writer and kill it after so many answers; return all of them that are whole."""
    words = [sys.executable, "-m", "tests.audit.fallback.writer", str(folder.path), "-1"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(answers)]
        process.kill()
        said += process.stdout.readlines()
    return [line.strip() for line in said if line.endswith("\n")]


def _all_delivered(stage: Stage, unknown: int = 0) -> None:
    """Send the rest, and hold it against the ledger."""
    stage.finish(240)
    checker = stage.checker
    checker.nothing_twice()
    checker.submitted_is_in_the_ledger()
    checker.counted(stage.campaign_ids)
    checker.nothing_stuck()
    # The last receipts come a moment after the last answers.
    poll(lambda: "submitted" not in checker.nothing_lost(), 60, "receipts are missing")
    counts = checker.nothing_lost()
    assert counts.pop("unknown", 0) <= unknown
    assert set(counts) == {"delivered"}


def _writes(url: str) -> bool:
    """Whether the database still takes writes; asks it for a new piece of its log."""
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=2) as link:
            link.execute("SELECT pg_switch_wal()")
            link.execute("CREATE TEMPORARY TABLE written AS SELECT 1")
            link.execute("SELECT txid_current()")
    except psycopg.Error:
        return False
    return True


def _owner(servers: Ground) -> tuple[int, int]:
    status = servers.postgres.home.data.stat()
    return status.st_uid, status.st_gid


def _move(stage: Stage) -> None:
    """Put what grows while sending on the small disk."""
    tables = ["batch", *(str(row[0]) for row in stage.checker.rows(TABLES, ["submission"]))]
    with psycopg.connect(stage.checker.url, autocommit=True) as link:
        for table in tables:
            link.execute(f"ALTER TABLE {table} SET TABLESPACE small_disk")


def _fill(path: Path, *, free_bytes: int = 0) -> Path:
    """Write until nothing fits any more, or so much only."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(PAGE_BYTES))
        except OSError as full:
            if full.errno != errno.ENOSPC:
                raise
        file.truncate(file.tell() - free_bytes)
    return path
