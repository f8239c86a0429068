"""The epoch outside the database: each written so that it is whole and on disk, or not there."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from workspaces.rules.epochs import BadEpoch, Epoch, read_epoch

# Whoever reads may find that the file which he has just seen was followed by the next one.
LOOKS = 20
# What a file ends with that is not whole yet.
NEW = ".new"


class EpochFile:
    """The highest of the files `path.NUMBER`, in the data folder that all senders share.

    Each epoch has a file of its own and removes those before it. So nobody needs a lock, which a
    process that is frozen would keep from all others, and what such a one writes when it wakes up
    is lower than what they have written. They must never be restored together with the database:
    that is what they are for.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Epoch | None:
        """Return the highest, None where there is none. Raises BadEpoch and OSError."""
        for _look in range(LOOKS):
            number, file = max(self._files(), default=(0, None))
            if file is None:
                return None
            with suppress(FileNotFoundError):
                epoch = read_epoch(file.read_text(encoding="utf-8"))
                if epoch.number != number:
                    raise BadEpoch(f"{file.name} holds another epoch than its name says.")
                return epoch
        raise BadEpoch("The epoch file is gone each time that it is read.")

    def raise_to(self, epoch: Epoch) -> None:
        """Write this epoch unless there is a higher one; it is on disk when this returns.

        Several senders may write at once. Raises BadEpoch and OSError.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self._is_reached(epoch):
            return
        try:
            self._write(epoch)
        except FileNotFoundError:
            # A higher one came meanwhile and removed what this one was about to become.
            if not self._is_reached(epoch):
                raise
        self._remove(lambda number: number < epoch.number)

    def replace_with(self, epoch: Epoch) -> None:
        """Leave this epoch alone there, whatever there was: two people have decided.

        Raises OSError.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._write(epoch)
        self._remove(lambda number: number != epoch.number)

    def _is_reached(self, epoch: Epoch) -> bool:
        kept = self.read()
        return kept is not None and kept.number >= epoch.number

    def _files(self) -> Iterator[tuple[int, Path]]:
        """Yield the epochs that are there, with their numbers."""
        return ((number, file) for number, is_whole, file in self._all() if is_whole)

    def _all(self) -> Iterator[tuple[int, bool, Path]]:
        """Yield numbers and files: whole ones, and those that somebody is or was writing."""
        for file in self.path.parent.glob(f"{self.path.name}.*"):
            number, _, rest = file.name.removeprefix(f"{self.path.name}.").partition(".")
            if number.isdecimal() and (not rest or rest.endswith(NEW)):
                yield int(number), not rest, file

    def _remove(self, is_over: Callable[[int], bool]) -> None:
        for number, _is_whole, file in self._all():
            if is_over(number):
                file.unlink(missing_ok=True)

    def _write(self, epoch: Epoch) -> None:
        target = self.path.with_name(f"{self.path.name}.{epoch.number}")
        handle, name = tempfile.mkstemp(NEW, f"{target.name}.", target.parent)
        aside = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(epoch.text())
                file.flush()
                os.fsync(handle)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
        self._sync_folder()

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
