"""A disk fills up while sending, and is freed again: the tables', the database's own log's, ours.

What fills up is a small file system of its own; without the right to mount one, this fails and says
so: nothing is skipped.
"""

import errno
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.chaos.stage import Stage, fresh_connections, now
from tests.ground import Ground
from tests.poll import poll

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]
NEEDS_MOUNT = "To fill a disk takes the right to mount one: run make disks as root."
FULL_SECONDS = 5
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


def _fill(path: Path) -> Path:
    """Write until nothing fits any more."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as full:
            if full.errno != errno.ENOSPC:
                raise
    return path
