"""Folders are on disk before anything counts on the names in them."""

import os
from pathlib import Path

import pytest

from audit.actions.exporting.archive import pack
from campaigns.actions.segment_writing import SegmentWriter
from tests.audit.fallback.ground import folder_at
from workspaces.rules.sealing import Opener


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, frozenset[str]]]:
    """Each folder that is synced, with the names that were in it by then."""
    seen: list[tuple[Path, frozenset[str]]] = []
    really = os.fsync

    def fsync(handle: int) -> None:
        really(handle)
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if path.is_dir():
            seen.append((path, frozenset(one.name for one in path.iterdir())))

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


def are_on_disk(synced: list[tuple[Path, frozenset[str]]], *paths: Path) -> bool:
    """Whether the name of each was synced in its folder."""
    return all(
        any(folder == path.parent and path.name in names for folder, names in synced)
        for path in paths
    )


def test_an_archive_is_on_disk_before_it_is_ready(
    tmp_path: Path, synced: list[tuple[Path, frozenset[str]]]
) -> None:
    bundle, target = tmp_path / "aside" / "bundle", tmp_path / "data" / "exports" / "1.zip"
    bundle.mkdir(parents=True)
    target.parent.parent.mkdir()
    (bundle / "manifest.json").write_text("{}")
    pack(bundle, target, name="evidence", told=lambda _count: None)
    assert are_on_disk(synced, target, target.parent)


def test_a_segment_is_on_disk_with_the_folders_above_it(
    tmp_path: Path, synced: list[tuple[Path, frozenset[str]]]
) -> None:
    folder = tmp_path / "segments" / "workspace"
    with SegmentWriter(folder, 1, key=bytes(32), opener=Opener(bytes(32), b"")) as writer:
        written = writer.finish()
    assert are_on_disk(synced, written.path, folder, folder.parent)


def test_the_folders_of_the_fallback_files_are_on_disk(
    tmp_path: Path, synced: list[tuple[Path, frozenset[str]]]
) -> None:
    folder = folder_at(tmp_path / "data" / "fallback")
    rooms = ("open", "waiting", "kept", "refused", "private")
    assert are_on_disk(
        synced, folder.path, folder.path.parent, *(folder.path / one for one in rooms)
    )
