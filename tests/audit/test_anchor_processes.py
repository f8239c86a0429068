"""Anchors in the worker, beside the sequencer and the signer: nobody waits for one that hangs."""

import os
import socket
from pathlib import Path

import pytest

from audit.tasks.anchors import sweep_anchors
from tests.audit.authority import authority
from tests.audit.conftest import Log
from tests.audit.make import Connection, append, open_chains, rows
from tests.poll import poll
from tests.processes import Processes

pytestmark = pytest.mark.processes


@pytest.fixture
def log(own_log: Log) -> Log:
    """The log that the processes work on."""
    return own_log


def tries(superuser: Connection, anchor: str) -> int:
    found = rows(superuser, "SELECT try_count FROM audit_anchor WHERE name = %s", anchor)
    return int(found[0][0]) if found else 0


def signed(superuser: Connection) -> int:
    [(found,)] = rows(superuser, "SELECT count(*) FROM audit_epoch WHERE note <> ''")
    return int(found)


def sign_another(runtime: Connection, superuser: Connection) -> None:
    """Let something privileged happen and wait for its checkpoint."""
    append(runtime, op="role.grant")
    poll(lambda: not rows(superuser, "SELECT FROM audit_pending"), 60)
    poll(lambda: not rows(superuser, "SELECT FROM audit_epoch WHERE note IS NULL"), 60)


def epochs_of(superuser: Connection, anchor: str) -> list[int]:
    query = "SELECT epoch FROM audit_anchor_receipt WHERE anchor = %s ORDER BY epoch"
    return [epoch for (epoch,) in rows(superuser, query, anchor)]


def test_an_anchor_that_hangs_holds_up_nobody_and_a_killed_worker_loses_no_try(
    processes: Processes, runtime: Connection, superuser: Connection, tmp_path: Path
) -> None:
    open_chains(runtime)
    processes.start_together("sequencer", "signer")
    poll(lambda: signed(superuser), 60)
    file = tmp_path / "checkpoints.jsonl"
    file.touch()
    with authority(tmp_path / "tsa") as tsa, socket.create_server(("127.0.0.1", 0)) as silent:
        # The file is our own, which only those may have who try the product out.
        wishes = {"AUDIT_ANCHOR_FILE": str(file), "AUDIT_TSA_CA": str(tsa.ca), "DEBUG": "1"}
        hangs = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        worker = processes.start("worker", AUDIT_TSA_URL=hangs, **wishes)
        sweep_anchors.delay()
        poll(lambda: epochs_of(superuser, "file"), 60)
        poll(lambda: tries(superuser, "tsa"), 60)
        before = signed(superuser)
        sign_another(runtime, superuser)
        worker.kill9()
        assert signed(superuser) > before
        assert (tries(superuser, "tsa"), epochs_of(superuser, "tsa")) == (1, [])
        superuser.execute("UPDATE audit_anchor SET next_try_at = now()")
        processes.start("worker", known_as="worker again", AUDIT_TSA_URL=tsa.url, **wishes)
        sweep_anchors.delay()
        poll(lambda: epochs_of(superuser, "tsa"), 60)
        poll(lambda: len(epochs_of(superuser, "file")) == 2, 60)
        assert tries(superuser, "tsa") == 0
    os.truncate(file, 5)
    sign_another(runtime, superuser)
    sweep_anchors.delay()
    refused = "SELECT FROM audit_event WHERE op = 'anchor.refused' AND obj_id = 'file'"
    poll(lambda: rows(superuser, refused), 60)
    assert file.stat().st_size == 5
