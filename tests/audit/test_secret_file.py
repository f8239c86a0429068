"""Secrets and keys that were written, moved or destroyed stay so when the power goes out."""

import os
from pathlib import Path

import pytest

from audit.actions.secret_file import write_new
from audit.actions.signing_key import KeyFiles


class Disk:
    """Notes which names a folder held when the folder was last put on disk."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.names: set[str] = set()
        self._really = os.fsync
        monkeypatch.setattr(os, "fsync", self._fsync)

    def _fsync(self, handle: int) -> None:
        self._really(handle)
        if os.path.samestat(os.fstat(handle), self.folder.stat()):
            self.names = {path.name for path in self.folder.iterdir()}


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(tmp_path, monkeypatch)


@pytest.fixture
def files(disk: Disk) -> KeyFiles:
    """The present key, and the coming one."""
    files = KeyFiles(disk.folder / "key.pem")
    files.load(may_create=True)
    files.make_next()
    return files


def test_a_new_file_is_on_disk_with_its_name(disk: Disk) -> None:
    assert write_new(disk.folder / "secret", b"s" * 32)
    assert "secret" in disk.names


def test_a_file_that_is_there_is_left_as_it_is(disk: Disk) -> None:
    write_new(disk.folder / "secret", b"first")
    assert not write_new(disk.folder / "secret", b"second")
    assert [path.read_bytes() for path in disk.folder.iterdir()] == [b"first"]


def test_keys_that_changed_places_are_on_disk_under_their_new_names(
    disk: Disk, files: KeyFiles
) -> None:
    files.arrange(files.make_next())
    assert disk.names == {"key.pem", "key.old.pem"}


def test_a_key_that_was_destroyed_does_not_come_back(disk: Disk, files: KeyFiles) -> None:
    files.arrange(files.make_next())
    assert files.drop_old()
    assert disk.names == {"key.pem"}
