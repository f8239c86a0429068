"""A bundle as one file to take away, in a folder that only we read."""

import os
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from audit.actions.durable_files import sync_folder

BLOCK = 1 << 20
# One moment for all files: what a bundle's files say of times stands inside of them.
_MOMENT = (1980, 1, 1, 0, 0, 0)


def pack(folder: Path, target: Path, *, name: str, told: Callable[[int], None]) -> tuple[int, str]:
    """Write the files below a folder as a ZIP whose one folder is `name`; return size and SHA-256.

    The archive appears whole or not at all, is on disk when this returns, and only its owner may
    read it. `told` is called with 0 for every block, so that whoever waits sees that it goes on.
    """
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = folder.with_suffix(".zip")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                _add(archive, path, f"{name}/{path.relative_to(folder).as_posix()}", told)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(target)
    sync_folder(target.parent)
    # It may be new as well.
    sync_folder(target.parent.parent)
    return target.stat().st_size, _digest(target)


def _add(archive: zipfile.ZipFile, path: Path, name: str, told: Callable[[int], None]) -> None:
    entry = zipfile.ZipInfo(name, _MOMENT)
    entry.external_attr = 0o100600 << 16
    entry.compress_type = zipfile.ZIP_STORED if path.suffix == ".gz" else zipfile.ZIP_DEFLATED
    entry.file_size = path.stat().st_size
    with path.open("rb") as source, archive.open(entry, "w") as target:
        while block := source.read(BLOCK):
            target.write(block)
            told(0)


def _digest(path: Path) -> str:
    hasher = sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            hasher.update(block)
    return hasher.hexdigest()
