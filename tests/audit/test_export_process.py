"""The command as an operator runs it, beside a living sequencer and signer; then a regulator."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.utils import timezone

from audit.rules.events import Actor
from message_center.stack.product import ROOT
from tests.conftest import Database
from tests.processes import Processes
from tests.workspaces.log import entries
from workspaces.actions.workspaces import create_workspace

pytestmark = pytest.mark.processes

SETUP = Actor(kind="system", id="setup")


def run(processes: Processes, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run manage.py export_evidence with the product's own settings."""
    return subprocess.run(
        [sys.executable, "manage.py", "export_evidence", *words],
        env=processes.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_command_exports_and_a_reader_without_us_verifies_by_the_bundles_own_page(
    database: Database, processes: Processes, tmp_path: Path
) -> None:
    place = create_workspace(
        slug="care", name="Care", zone="UTC", by_actor=SETUP, now=timezone.now()
    )
    processes.start_together("sequencer", "signer")
    bundle = tmp_path / "bundle"
    words = ("care", "--out", str(bundle), "--wait", "60")
    done = run(processes, *words, "--reason", "Request 118-26 of the regulator")
    assert done.returncode == 0, done.stderr
    assert f"are in {bundle}." in done.stdout
    [asked] = [one for one in entries(place) if one["op"] == "export.create"]
    assert asked["why"] == "Request 118-26 of the regulator"
    [ready] = [one for one in entries(place) if one["op"] == "export.ready"]
    assert ready["diff"]["manifest"][1] in done.stdout
    again = run(processes, *words, "--reason", "The folder is not empty now")
    assert (again.returncode, "is not empty" in again.stderr) == (1, True)
    last = entries(place)[-1]
    assert (last["op"], last["res"]) == ("export.ready", "failed")
    assert "is not empty" in last["why"]
    assert run(processes, "care", "--out", str(tmp_path / "x"), "--reason", "short").returncode == 1
    _a_regulator_follows_the_page(processes, bundle, tmp_path / "desk")


def _a_regulator_follows_the_page(processes: Processes, bundle: Path, desk: Path) -> None:
    """Do what VERIFY.txt says in section 2, in an empty folder and an empty environment."""
    desk.mkdir()
    shutil.copytree(bundle, desk / "evidence")
    text = (desk / "evidence/verify/VERIFY.txt").read_text()
    [command] = re.findall(r"^ {7}(python3 verify_evidence\.py BUNDLE --trust \S+)$", text, re.M)
    # The two keys come from the operator's page or letter, here from where he publishes them.
    secrets = processes.data / "secrets"
    log_key = (secrets / "audit_signing_key.vkey").read_text()
    export_key = (bundle / "keys/export.vkey").read_text()
    (desk / "keys.txt").write_text(log_key + export_key)
    shutil.copy(desk / "evidence/verify/verify_evidence.py", desk)
    done = subprocess.run(
        command.replace("python3", sys.executable).replace("BUNDLE", "evidence").split(),
        env={},
        cwd=desk,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "RESULT: LEVEL A" in done.stdout
    assert sorted(_files(desk / "evidence")) == sorted(_files(bundle))


def _files(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*")]
