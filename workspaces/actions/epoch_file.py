"""The epoch file: read, and written so that it is whole and on disk, or as it was."""

import fcntl
import os
from pathlib import Path

from workspaces.rules.epochs import Epoch, read_epoch


class EpochFile:
    """One file outside the database, in the data folder that all senders share.

    It must never be restored together with the database: that is what it is for.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Epoch | None:
        """Return what it holds, None when there is no file. Raises BadEpoch and OSError."""
        try:
            return read_epoch(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def raise_to(self, epoch: Epoch) -> None:
        """Write this epoch unless the file is further already; it is on disk when this returns.

        Several senders may write at once. Raises OSError.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            kept = self.read()
            if kept is None or kept.number < epoch.number:
                self._write(epoch, folder)
        finally:
            os.close(folder)

    def replace_with(self, epoch: Epoch) -> None:
        """Write this epoch whatever the file holds: two people have decided. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            self._write(epoch, folder)
        finally:
            os.close(folder)

    def _write(self, epoch: Epoch, folder: int) -> None:
        aside = self.path.with_suffix(".new")
        with aside.open("w", encoding="utf-8") as file:
            file.write(epoch.text())
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self.path)
        os.fsync(folder)
