"""The switches, the command line and the control port."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smpp_client.simulator.faults import BadSwitch, Faults, switched
from tests.simulator import ROOT
from tests.smpp_client.simulator.conftest import Start


def test_a_switch_changes_alone() -> None:
    assert switched(Faults(), {"delay": 1}) == Faults(delay=1.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("no_such_switch", 1),
        ("throttle_every", -1),
        ("throttle_every", "5"),
        ("throttle_every", True),
        ("throttle_every", 1.5),
        ("receipts", 1),
        ("message_id", "roman"),
        ("refuse_destination", [["only a pattern"]]),
    ],
)
def test_what_does_not_fit_a_switch_is_refused(name: str, value: Any) -> None:
    with pytest.raises(BadSwitch):
        switched(Faults(), {name: value})


def test_the_control_port_says_what_it_cannot_do(start: Start) -> None:
    with pytest.raises(AssertionError, match="There is no switch 'sleep'"):
        start().control(sleep=1)


def test_the_control_port_shows_the_switches(start: Start) -> None:
    simulator = start(throttle_every=4)
    assert simulator.ask({"get": True})["faults"]["throttle_every"] == 4


def test_manage_py_starts_it_without_a_database(tmp_path: Path) -> None:
    result = subprocess.run(
        [
            sys.executable,
            "manage.py",
            "simulator",
            "--ledger",
            str(tmp_path / "l"),
            "--delay",
            "-1",
        ],
        cwd=ROOT,
        env={"PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Name --ca, --cert and --key, or choose --plain." in result.stderr


def test_the_simulator_ends_with_code_0_when_it_is_asked_to(start: Start) -> None:
    simulator = start()
    simulator.stop()
    assert simulator.process.returncode == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--plain", "--message-id", "roman"], "invalid choice"),
        (["--plain", "--delay", "-1"], "delay cannot be -1.0"),
        (["--plain", "--control", "192.0.2.1:0"], "loopback only"),
        ([], "Name --ca, --cert and --key"),
    ],
)
def test_a_wrong_command_line_is_refused_with_a_sentence(
    tmp_path: Path, words: list[str], sentence: str
) -> None:
    ledger = str(tmp_path / "ledger.tsv")
    result = subprocess.run(
        [sys.executable, "-m", "smpp_client.simulator", "--port", "0", "--ledger", ledger, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode != 0
    assert sentence in result.stderr
