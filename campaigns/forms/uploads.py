"""A file in an ordinary form: received to disk, never beyond the cap."""

import errno
from typing import NoReturn

from django.conf import settings
from django.core.files.uploadhandler import (
    FileUploadHandler,
    StopUpload,
    TemporaryFileUploadHandler,
)
from django.http import HttpRequest

# What a form has besides its file.
OTHER_BYTES = 1_000_000
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class NoFile(FileUploadHandler):
    """What every form takes unless its view says otherwise: no file, not even a byte of it on disk.

    A form is read before anybody knows who sends it; whoever may fill the disk must have signed in.
    """

    def new_file(self, *args: object, **kwargs: object) -> NoReturn:
        """Raises StopUpload: nothing more of the request is read."""
        raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Never called: there is no file."""

    def file_complete(self, file_size: int) -> None:
        """Never called: there is no file."""


class CappedFile(TemporaryFileUploadHandler):
    """Writes the file to disk and stops at the cap, or when the disk is full.

    `is_too_large` and `is_disk_full` say why the form came without its file.
    """

    def __init__(self, request: HttpRequest, most: int) -> None:
        super().__init__(request)
        self.most = most
        self.received = 0
        self.is_too_large = False
        self.is_disk_full = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Write a piece. Raises StopUpload."""
        self.received += len(raw_data)
        if self.received > self.most:
            self.is_too_large = True
            raise StopUpload(connection_reset=True)
        try:
            super().receive_data_chunk(raw_data, start)
        except OSError as error:
            if error.errno not in FULL:
                raise
            self.is_disk_full = True
            raise StopUpload(connection_reset=True) from error
        return None


def announced_bytes(request: HttpRequest) -> int:
    """Return how long the browser says its request is."""
    length = str(request.META.get("CONTENT_LENGTH") or "0")
    return int(length) if length.isascii() and length.isdigit() else 0


def receive_file(request: HttpRequest, most: int = 0) -> CappedFile:
    """Receive the request's file through a CappedFile; do this before anything reads the form."""
    handler = CappedFile(request, most or settings.MAX_UPLOAD_BYTES)
    request.upload_handlers = [handler]
    return handler


def is_longer_than(request: HttpRequest, most: int) -> bool:
    """Say whether a request announces more than a file of `most` bytes and its form."""
    return announced_bytes(request) > most + OTHER_BYTES
