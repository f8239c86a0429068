"""The signer as a process, beside the sequencer."""

import stat
import subprocess

import pytest

from audit.rules.notes import read_key, read_signed_checkpoint
from message_center.stack.product import ROOT
from tests.audit.conftest import Log
from tests.audit.make import Connection, append, open_chains, rows, without_guards
from tests.poll import poll
from tests.processes import Processes

pytestmark = pytest.mark.processes


@pytest.fixture
def log(own_log: Log) -> Log:
    """The log that the processes work on."""
    return own_log


UNSIGNED = "SELECT epoch FROM audit_epoch WHERE note IS NULL"


def notes(superuser: Connection) -> list[str]:
    return [
        note
        for (note,) in rows(
            superuser, "SELECT note FROM audit_epoch WHERE note <> '' ORDER BY epoch"
        )
    ]


def test_it_makes_its_key_and_signs(
    processes: Processes, runtime: Connection, superuser: Connection
) -> None:
    open_chains(runtime)
    processes.start_together("sequencer", "signer")
    [note] = poll(lambda: notes(superuser), 20)
    secrets = processes.data / "secrets"
    key = read_key((secrets / "audit_signing_key.vkey").read_text())
    assert read_signed_checkpoint(note, [key]).size == 1
    assert stat.S_IMODE((secrets / "audit_signing_key.pem").stat().st_mode) == 0o400
    assert (processes.data / "audit" / "held.note").read_text() == note


def test_a_privileged_operation_is_signed_within_seconds(
    processes: Processes, runtime: Connection, superuser: Connection
) -> None:
    open_chains(runtime)
    processes.start_together("sequencer", "signer")
    append(runtime, op="role.grant")
    poll(lambda: len(notes(superuser)) == 2, 20)


def test_it_raises_the_alarm_and_stays_down(
    log: Log, processes: Processes, runtime: Connection, superuser: Connection
) -> None:
    open_chains(runtime)
    _, signer = processes.start_together("sequencer", "signer")
    poll(lambda: notes(superuser), 20)
    with without_guards(superuser):
        superuser.execute("UPDATE audit_head SET hash = sha256(hash) WHERE slot = 1")
    poll(lambda: not signer.is_running)
    assert signer.exit_code == 3
    signer.begin()
    poll(lambda: not signer.is_running)
    assert (signer.exit_code, "refused before" in signer.log_text) == (3, True)


def test_a_killed_signer_goes_on(
    processes: Processes, runtime: Connection, superuser: Connection
) -> None:
    open_chains(runtime)
    _, signer = processes.start_together("sequencer", "signer")
    for count in (2, 3):
        append(runtime, op="role.grant")
        signer.kill9()
        signer.start()
        poll(lambda wanted=count: len(notes(superuser)) == wanted, 20)  # type: ignore[misc]


def test_a_signer_that_was_cut_off_goes_on_by_itself(
    processes: Processes, runtime: Connection, superuser: Connection
) -> None:
    open_chains(runtime)
    _, signer = processes.start_together("sequencer", "signer")
    superuser.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'message-center-signer' AND datname = current_database()"
    )
    append(runtime, op="role.grant")
    poll(lambda: notes(superuser) and not rows(superuser, UNSIGNED), 20)
    assert signer.is_running


def run_signer(processes: Processes, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the signer's command once, with these words, as an operator does."""
    handle = processes.prepare("signer", known_as="once")
    command = [*handle.process.command(processes.data), *words]
    return subprocess.run(
        command, cwd=ROOT, env=handle.environment, capture_output=True, text=True, check=False
    )


def test_its_key_is_replaced_while_it_is_stopped(
    processes: Processes, runtime: Connection, superuser: Connection
) -> None:
    open_chains(runtime)
    _, signer = processes.start_together("sequencer", "signer")
    poll(lambda: notes(superuser), 60)
    refused = run_signer(processes, "--rotate")
    assert (refused.returncode, "Another signer uses" in refused.stderr) == (3, True)
    signer.term()
    done = run_signer(processes, "--rotate", "--overlap-days", "1")
    assert done.returncode == 0, done.stderr
    signer.start()
    append(runtime, op="role.grant")
    poll(lambda: len(notes(superuser)) == 2, 60)
    keys = (processes.data / "secrets" / "audit_signing_key.vkey").read_text().splitlines()
    assert keys[0] in done.stdout
    for key in keys:
        assert read_signed_checkpoint(notes(superuser)[1], [read_key(key)]).size == 2
    published = rows(superuser, "SELECT key FROM audit_log_key ORDER BY first_epoch DESC")
    assert [key for (key,) in published] == keys


def test_it_stops_cleanly_when_asked(processes: Processes) -> None:
    # It waits for the secret that the sequencer makes.
    processes.start("sequencer")
    assert processes.start("signer").term() == 0
