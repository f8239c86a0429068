"""The epoch file: the highest counts, and nobody waits for whoever is frozen while he writes."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from message_center.stack.product import ROOT
from workspaces.actions.epoch_file import EpochFile
from workspaces.rules.epochs import BadEpoch, Epoch

INSTALLATION = UUID("6d657373-6167-4520-8365-6e7465722121")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
# Writes an epoch, and freezes after this call of a function of a module.
FREEZES = """
import os, secrets, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID
from workspaces.actions.epoch_file import EpochFile
from workspaces.rules.epochs import Epoch

module, name, left = globals()[sys.argv[3]], sys.argv[4], int(sys.argv[5])
plain = getattr(module, name)

def freezing(*values):
    global left
    found = plain(*values)
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGSTOP)
    return found

setattr(module, name, freezing)
epoch = Epoch(UUID(int=7), int(sys.argv[2]), datetime.now(UTC))
EpochFile(Path(sys.argv[1])).raise_to(epoch)
"""


@pytest.fixture
def file(tmp_path: Path) -> EpochFile:
    return EpochFile(tmp_path / "data" / "installation_epoch")


def epoch(number: int) -> Epoch:
    return Epoch(INSTALLATION, number, NOW)


def names(file: EpochFile) -> list[str]:
    return sorted(one.name for one in file.path.parent.iterdir())


def test_it_holds_the_highest_and_nothing_else(file: EpochFile) -> None:
    assert file.read() is None
    for number in (2, 9, 10, 4):
        file.raise_to(epoch(number))
    assert file.read() == epoch(10)
    assert names(file) == ["installation_epoch.10"]


def test_two_people_may_set_it_whatever_it_holds(file: EpochFile) -> None:
    file.raise_to(epoch(80))
    (file.path.parent / "installation_epoch.99").write_text("garbage")
    with pytest.raises(BadEpoch):
        file.read()
    file.replace_with(epoch(81))
    assert file.read() == epoch(81)
    assert names(file) == ["installation_epoch.81"]


def test_what_says_another_number_than_its_name_is_no_epoch(file: EpochFile) -> None:
    file.raise_to(epoch(3))
    (file.path.parent / "installation_epoch.3").rename(f"{file.path}.4")
    with pytest.raises(BadEpoch, match="another epoch"):
        file.read()


def test_other_files_of_the_folder_are_left_alone(file: EpochFile) -> None:
    file.raise_to(epoch(3))
    others = ["installation_epoch.old", "installation_epochs.7", "identity.json", "3", "3.x.new"]
    for name in others:
        (file.path.parent / name).write_text("")
    file.raise_to(epoch(4))
    assert names(file) == sorted([*others, "installation_epoch.4"])


def freezes(file: EpochFile, *place: str) -> "subprocess.Popen[bytes]":
    """Start a writer of epoch 5 and return when it is frozen there."""
    frozen = subprocess.Popen(
        [sys.executable, "-c", FREEZES, str(file.path), "5", *place], cwd=ROOT
    )
    _pid, status = os.waitpid(frozen.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    return frozen


@pytest.mark.parametrize(
    ("place", "left"),
    [
        # Before it has a file, before that is in its place, and right after.
        (("secrets", "token_hex", "1"), ["installation_epoch.5", "installation_epoch.7"]),
        (("os", "fsync", "1"), ["installation_epoch.7"]),
        (("os", "replace", "1"), ["installation_epoch.7"]),
    ],
)
def test_a_writer_that_is_frozen_holds_up_nobody_and_takes_nothing_back(
    file: EpochFile, place: tuple[str, ...], left: list[str]
) -> None:
    frozen = freezes(file, *place)
    try:
        for number in (6, 7):
            file.raise_to(epoch(number))
        assert file.read() == epoch(7)
    finally:
        frozen.send_signal(signal.SIGCONT)
    assert frozen.wait(30) == 0
    assert file.read() == epoch(7)
    assert names(file) == left


def test_what_a_killed_writer_left_is_removed_by_the_next(file: EpochFile) -> None:
    killed = freezes(file, "os", "fsync", "1")
    killed.kill()
    killed.wait(30)
    assert file.read() is None
    assert len(names(file)) == 1
    file.raise_to(epoch(6))
    assert names(file) == ["installation_epoch.6"]


def test_what_another_has_put_there_is_on_disk_before_anybody_counts_on_it(
    file: EpochFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its writer may be frozen between the two."""
    file.raise_to(epoch(6))
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    file.raise_to(epoch(5))
    assert len(synced) == 1


def test_the_file_of_the_first_versions_is_followed(file: EpochFile) -> None:
    file.path.parent.mkdir()
    file.path.write_text(epoch(500).text())
    assert file.read() == epoch(500)
    file.raise_to(epoch(499))
    assert names(file) == ["installation_epoch"]
    file.raise_to(epoch(501))
    assert names(file) == ["installation_epoch.501"]


def test_whoever_may_read_other_files_may_read_it(file: EpochFile) -> None:
    """Somebody else than the sender runs the command that confirms a restore."""
    file.raise_to(epoch(3))
    (file.path.parent / "other").write_text("")
    modes = {one.stat().st_mode for one in file.path.parent.iterdir()}
    assert len(modes) == 1
