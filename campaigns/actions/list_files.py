"""Uploaded files, written: UPLOAD_DIR/<workspace uuid>/<file key>, readable by us alone.

Names are made here, never taken from the browser. A file is only ever appended to, by one request
at a time, and goes when its list is ready or has failed.
"""

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.utils.translation import gettext as _

from workspaces.rules.refusal import Refusal

READ_BYTES = 262_144
# What an upload leaves free, so that a database on the same disk goes on.
SPARE_BYTES = 200_000_000
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class UploadRefused(Refusal):
    """A file or a piece of it cannot be taken."""


class TooLarge(UploadRefused):
    """There is more than may come."""

    code = "too_large"


class DiskFull(UploadRefused):
    """There is no room for the file."""

    code = "disk_full"


class UploadBusy(UploadRefused):
    """Another request writes this file."""

    code = "busy"


class WrongOffset(UploadRefused):
    """A piece does not begin where the file ends; `offset` says where it does."""

    code = "wrong_offset"

    def __init__(self, offset: int) -> None:
        super().__init__(_("This part of the file is there already, or one before it is missing."))
        self.offset = offset


class Stream(Protocol):
    """What a piece is read from."""

    def read(self, size: int, /) -> bytes: ...


def new_key() -> str:
    """Return a name for a new file."""
    return secrets.token_hex(16)


def require_room(size: int) -> None:
    """Refuse a file that the disk has no room for. Raises DiskFull."""
    folder = Path(settings.UPLOAD_DIR)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if shutil.disk_usage(folder).free < size + SPARE_BYTES:
        raise _disk_full()


def append_to(path: Path, offset: int, stream: Stream, most: int) -> int:
    """Write what the stream gives to the end of the file; return the file's size.

    The file never grows beyond `most` bytes: of a piece that would make it, nothing is kept. When
    the stream breaks off, what came stays, and the sender goes on from there.
    Raises WrongOffset, UploadBusy, DiskFull, TooLarge.
    """
    with _locked(path) as file:
        size = file.seek(0, os.SEEK_END)
        if size != offset:
            raise WrongOffset(size)
        try:
            return _copy(stream, file, size, most)
        except UploadRefused:
            file.truncate(offset)
            raise


def _copy(stream: Stream, file: FileIO, size: int, most: int) -> int:
    while block := stream.read(READ_BYTES):
        size += len(block)
        if size > most:
            raise TooLarge(_("The file is larger than what was announced. Choose it again."))
        _write(file, block)
    return size


def _write(file: FileIO, block: bytes) -> None:
    rest = memoryview(block)
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError as error:
        if error.errno in _FULL:
            raise _disk_full() from error
        raise


@contextmanager
def _locked(path: Path) -> Iterator[FileIO]:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with FileIO(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UploadBusy(_("This file is being uploaded in another window.")) from error
        yield file


def flush(path: Path) -> None:
    """Make sure that the file outlives a power cut."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _disk_full() -> DiskFull:
    return DiskFull(
        _("The server has no room for this file. Tell the platform team and upload it again then.")
    )
