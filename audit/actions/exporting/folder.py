"""The folder of a bundle: every file is hashed while it is written, and nobody else may read it."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Self

from isal import isal_zlib

from audit.rules.bundle import CannotExport, Listed, checked_path

_GZIP = 31
# Most of an entry are hashes, which nothing makes shorter.
_LEVEL = 1
# A line may be 64 KB long.
LINES_OF_A_BATCH = 128


class Folder:
    """A bundle's folder; `files` are those that were written through this object."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: list[Listed] = []

    @classmethod
    def new(cls, path: Path) -> Self:
        """Make an empty folder that nobody else may read; raise CannotExport for any other."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise CannotExport(f"{path} is not empty; a bundle needs a folder of its own.")
        path.chmod(0o700)
        return cls(path)

    @contextmanager
    def file(self, name: str) -> Iterator["Hashed"]:
        """Write a file; it is listed when all of it is there."""
        target = self.path / checked_path(name)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            hashed = Hashed(file)
            yield hashed
        self.files.append(Listed(name, hashed.sha256, hashed.size))

    @contextmanager
    def packed(self, name: str) -> Iterator["Packed"]:
        """Write a file as one gzip member without name or time."""
        with self.file(name) as file:
            packed = Packed(file)
            yield packed
            packed.end()

    def put(self, name: str, data: bytes) -> None:
        """Write a small file."""
        with self.file(name) as file:
            file.write(data)

    def put_lines(self, name: str, lines: Iterable[bytes]) -> None:
        """Write lines, each ended by a line feed."""
        with self.file(name) as file:
            for block in blocks(lines):
                file.write(block)

    def put_packed(self, name: str, lines: Iterable[bytes]) -> None:
        """Write the same, packed."""
        with self.packed(name) as file:
            for block in blocks(lines):
                file.write(block)

    def discard(self) -> None:
        """Remove everything that was written: half a bundle is none."""
        shutil.rmtree(self.path, ignore_errors=True)

    def seal(self, manifest: bytes, note: str) -> None:
        """Write the manifest and its note, the two files that it does not list."""
        for name, data in (("manifest.json", manifest), ("manifest.note", note.encode())):
            with self.file(name) as file:
                file.write(data)


class Hashed:
    """A file that knows the SHA-256 (hex) and the size of what was written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        """Return the digest so far."""
        return self._hash.hexdigest()

    def write(self, data: bytes) -> None:
        """Append."""
        self._hash.update(data)
        self._file.write(data)
        self.size += len(data)


class Packed:
    """A file whose content is compressed on its way."""

    def __init__(self, file: Hashed) -> None:
        self._file = file
        self._deflate = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP)

    def write(self, data: bytes) -> None:
        """Append."""
        self._file.write(self._deflate.compress(data))

    def end(self) -> None:
        """Write what is left."""
        self._file.write(self._deflate.flush())


def blocks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines in blocks, each line ended by a line feed."""
    for batch in batches(lines):
        yield b"\n".join([*batch, b""])


def batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield some lines at a time, as they are."""
    rest = iter(lines)
    while batch := list(islice(rest, LINES_OF_A_BATCH)):
        yield batch
