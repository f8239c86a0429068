"""The folder of a bundle: every file is hashed while it is written, and nobody else may read it."""

import os
import queue
import shutil
import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from audit.rules.bundle import CannotExport, Listed, checked_path

BLOCK = 1 << 20
_GZIP = 31
# Most of an entry are hashes, which nothing makes shorter.
_LEVEL = 1
_WAITING_BLOCKS = 4


class Folder:
    """A new folder; `files` are those written so far."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: list[Listed] = []
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise CannotExport(f"{path} is not empty; a bundle needs a folder of its own.")
        path.chmod(0o700)

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

    def put(self, name: str, data: bytes) -> None:
        """Write a small file."""
        with self.file(name) as file:
            file.write(data)

    def put_lines(self, name: str, lines: Iterable[bytes]) -> int:
        """Write lines, each ended by a line feed, and return how many."""
        count = 0
        with self.file(name) as file:
            for block, size in _blocks(lines):
                file.write(block)
                count += size
        return count

    def put_packed(self, name: str, lines: Iterable[bytes]) -> int:
        """Write lines as one gzip member without name or time, and return how many."""
        count = 0
        with self.file(name) as file, _Packer(file) as packer:
            for block, size in _blocks(lines):
                packer.write(block)
                count += size
        return count

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


class _Packer:
    """Compresses on a thread of its own, while the next lines are read and recomputed."""

    def __init__(self, file: Hashed) -> None:
        self._file = file
        self._deflate = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        self._blocks: queue.Queue[bytes | None] = queue.Queue(_WAITING_BLOCKS)
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="packer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._blocks.put(None)
        self._thread.join()
        if self._problem is not None and problem is None:
            raise self._problem

    def write(self, block: bytes) -> None:
        """Hand a block over; waits when the thread is behind."""
        self._blocks.put(block)

    def _run(self) -> None:
        """Compress until the end is handed over. Whatever goes wrong, blocks are still taken: who
        hands them over must not wait for a thread that is gone.
        """
        block: bytes | None = b""
        try:
            while (block := self._blocks.get()) is not None:
                self._file.write(self._deflate.compress(block))
            self._file.write(self._deflate.flush())
        except BaseException as problem:
            self._problem = problem
        while block is not None:
            block = self._blocks.get()


def _blocks(lines: Iterable[bytes]) -> Iterator[tuple[bytes, int]]:
    """Yield lines in blocks, with how many each holds."""
    waiting: list[bytes] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= BLOCK:
            waiting.append(b"")
            yield b"\n".join(waiting), len(waiting) - 1
            waiting, size = [], 0
    if waiting:
        waiting.append(b"")
        yield b"\n".join(waiting), len(waiting) - 1
