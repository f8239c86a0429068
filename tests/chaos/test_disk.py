"""The disk of the messages' outcomes fills up while sending, and is freed again.

The tables lie on a small file system of their own; without the right to mount one, this is skipped.
"""

import errno
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.chaos.stage import Stage, now
from tests.ground import Ground
from tests.poll import poll

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]
FULL_SECONDS = 5
TABLES = "SELECT relid::regclass::text FROM pg_partition_tree(%s::regclass) WHERE isleaf"


@pytest.fixture
def small_disk(servers: Ground, tmp_path: Path) -> Iterator[Path]:
    """A tablespace named small_disk, of 24 MB."""
    place = tmp_path / "small"
    place.mkdir()
    words = ["/bin/mount", "-t", "tmpfs", "-o", "size=24m,mode=0777", "small", str(place)]
    if subprocess.run(words, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    for folder in place.parents:
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o111)
    (place / "tables").mkdir()
    os.chown(place / "tables", *_owner(servers))
    with psycopg.connect(servers.postgres.url("postgres"), autocommit=True) as link:
        link.execute(f"CREATE TABLESPACE small_disk LOCATION '{place / 'tables'}'")
        yield place
    with psycopg.connect(servers.postgres.url("postgres"), autocommit=True) as link:
        link.execute("DROP TABLESPACE small_disk")
    subprocess.run(["/bin/umount", str(place)], check=True)


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
    stage.finish(240)
    checker = stage.checker
    checker.nothing_twice()
    checker.submitted_is_in_the_ledger()
    checker.counted(stage.campaign_ids)
    checker.nothing_stuck()
    assert checker.nothing_lost() == {"delivered": stage.rows}
    with capsys.disabled():
        print(f"\ndisk full: nothing unknown, segments flowed {resumed:.2f} s after it was freed")


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
