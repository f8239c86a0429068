"""The check as an operator starts it: in a process that has read nothing yet."""

import subprocess
import sys
from pathlib import Path

import pytest

from message_center.stack.certificates import demo_certificates
from tests import make
from tests.conftest import Database
from tests.simulator import ROOT, start_simulator
from workspaces.queries import keys as key_queries

pytestmark = pytest.mark.processes


def test_the_command_checks_a_connection_in_a_fresh_process(
    database: Database, tmp_path: Path
) -> None:
    key_queries.keys.cache_clear()
    certificates = demo_certificates(tmp_path / "certificates")
    simulator = start_simulator(tmp_path, certificates, system_id="center", password="secret")
    one = make.connection(
        port=simulator.port,
        server_name="localhost",
        ca_file=str(certificates.ca),
        cert_file=str(certificates.client_cert),
        key_file=str(certificates.client_key),
    )
    words = [sys.executable, "manage.py", "connection", "check", one.name]
    environment = database.ground.environment(database.name)
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    full = [*words, "--full", "--to=447700900001", "--from=Example", "--messages=14"]
    report = subprocess.run(
        full, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    simulator.stop()
    assert "21 passed, 1 failed, 5 not tried." in report.stdout, report.stderr[-500:]
    assert "ok   Bind: Bound as center, and unbound again." in done.stdout, done.stderr[-500:]
