"""Kills at the busiest moment: of the writer, up to a full disk, and of who ingests."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from audit.actions.fallback import Fallback
from audit.actions.fallback_ingest import ingest
from message_center.stack.product import ROOT
from tests.audit.conftest import Log
from tests.audit.fallback.ground import (
    all_eids,
    files,
    folder_at,
    state_of,
    write,
)
from tests.audit.make import NOW, Connection, open_chains, rows
from tests.poll import poll

pytestmark = [pytest.mark.alone, pytest.mark.processes]
KILLS = 40
MOST = 600_000


def writer(folder: Fallback) -> "subprocess.Popen[str]":
    """Start a writer whose files cannot grow beyond MOST, as on a full disk."""
    words = [sys.executable, "-m", "tests.audit.fallback.writer", str(folder.path), "0", str(MOST)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def killed(folder: Fallback, chance: random.Random) -> list[str]:
    """Start a writer, kill it after a few lines; return the ids that it said were kept."""
    with writer(folder) as process:
        assert process.stdout is not None
        first = [process.stdout.readline() for _ in range(chance.randrange(1, 6))]
        process.kill()
        said = "".join([*first, process.stdout.read()]).splitlines()
    return [line for line in said if len(line) == 36]


def test_forty_kills_and_a_full_disk_lose_no_line_that_was_acknowledged(tmp_path: Path) -> None:
    chance = random.Random(4)
    folder = folder_at(tmp_path / "fallback")
    kept: list[str] = []
    for _ in range(KILLS):
        kept += killed(folder, chance)
    refusals = 0
    for _ in range(5):
        with writer(folder) as process:
            said = process.communicate(timeout=120)[0].split()
        assert (process.returncode, said.pop()) == (3, "refused")
        refusals += 1
        kept += said
    found = all_eids(folder)  # every file is read: each line follows the one before
    assert len(kept) > KILLS
    assert len(found) == len(set(found))
    assert set(kept) <= set(found)
    # Killed between the write and the answer: kept, and nobody was told.
    assert len(set(found) - set(kept)) <= KILLS
    assert state_of(folder).lost_count == refusals


def test_kills_of_the_ingest_take_every_line_once(
    own_log: Log, runtime: Connection, superuser: Connection, tmp_path: Path
) -> None:
    open_chains(runtime)
    folder = folder_at(tmp_path / "fallback", cap=100_000_000)
    chance = random.Random(5)
    made: list[str] = []
    environment = own_log.ground.environment(own_log.name) | {
        "AUDIT_FALLBACK_DIR": str(folder.path),
        "PATH": os.environ["PATH"],
    }
    for _ in range(15):
        made += [str(one.eid) for one in write(folder, 300)]
        with subprocess.Popen(
            [sys.executable, "manage.py", "audit_fallback", "ingest"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            # It begins with putting the file aside; from there on any moment may be its last.
            poll(lambda seen=process: not files(folder, "open") or seen.poll() is not None, 60)  # type: ignore[misc]
            poll_for(chance.uniform(0, 0.25), process)
            process.kill()
    ingest(folder, now=NOW)
    found = rows(superuser, "SELECT eid::text FROM audit_event WHERE op = 'access.denied'")
    assert sorted(eid for (eid,) in found) == sorted(made)
    named = rows(superuser, "SELECT obj_id FROM audit_event WHERE op = 'fallback.ingested'")
    assert len(named) == len(set(named)) == len(files(folder, "kept"))
    assert (files(folder, "waiting"), files(folder, "open"), files(folder, "private")) == (
        [],
        [],
        [],
    )


def poll_for(seconds: float, process: "subprocess.Popen[bytes]") -> None:
    """Let a process work for so long, or to its end."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return
