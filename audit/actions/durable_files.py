"""Files that are on disk when a call returns, whole or as before, and locks over processes."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_STEP_SECONDS = 0.005


class Busy(OSError):
    """Another process holds a lock for too long."""


@contextmanager
def locked(path: Path, seconds: float) -> Iterator[None]:
    """Hold a lock that goes with its process; raises Busy after so many seconds, and OSError."""
    handle = _opened(path)
    deadline = time.monotonic() + seconds
    try:
        while not _try(handle):
            if time.monotonic() > deadline:
                raise Busy(f"another process holds {path.name} for too long")
            time.sleep(_STEP_SECONDS)
        yield
    finally:
        os.close(handle)


@contextmanager
def tried_lock(path: Path) -> Iterator[bool]:
    """Hold a lock if it is free; gives False when somebody else holds it. Raises OSError."""
    handle = _opened(path)
    try:
        yield _try(handle)
    finally:
        os.close(handle)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def sync_folder(path: Path) -> None:
    """Put a folder's names on disk: a file that was renamed or made stays so. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def append_to(path: Path, data: bytes, *, size: int | None) -> None:
    """Append durably, all of it or nothing; raises OSError.

    `size` is what the file must have before; None where it does not matter.
    """
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        before = os.fstat(handle).st_size
        if size is not None and before != size:
            raise OSError("the file is not as it was: somebody else writes to it")
        try:
            if os.write(handle, data) < len(data):
                raise OSError("No space left on device")
            os.fsync(handle)
            if not before:
                sync_folder(path.parent)
        except OSError:
            # Take back a part of a line. Should that fail too, the next writer sees a torn line.
            with suppress(OSError):
                os.ftruncate(handle, before)
                os.fsync(handle)
            raise
    finally:
        os.close(handle)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that after a power cut it is there whole, or as before. Raises OSError."""
    aside = path.with_name(f".{path.name}.new")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        if os.write(handle, data) < len(data):
            raise OSError("No space left on device")
        os.fsync(handle)
    finally:
        os.close(handle)
    aside.rename(path)
    sync_folder(path.parent)
