"""The epoch outside the database: each written so that it is whole and on disk, or not there."""

import os
import secrets
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
    that is what they are for. `path` itself is what the first versions wrote; any other is higher.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Epoch | None:
        """Return the highest, None where there is none. Raises BadEpoch and OSError."""
        for _look in range(LOOKS):
            whole = ((number, file) for number, is_whole, file in self._all() if is_whole)
            number, file = max(whole, default=(0, None))
            if file is None:
                return None
            with suppress(FileNotFoundError):
                epoch = read_epoch(file.read_text(encoding="utf-8", errors="replace"))
                if number not in {0, epoch.number}:
                    raise BadEpoch(f"{file.name} holds another epoch than its name says.")
                return epoch
        raise OSError("The epoch file is gone each time that it is read.")

    def raise_to(self, epoch: Epoch) -> None:
        """Write this epoch unless there is a higher one; it is on disk when this returns.

        Several senders may write at once. Raises BadEpoch and OSError.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        is_written = not self._is_reached(epoch) and self._is_written(epoch)
        # Whoever wrote a higher one may not have come as far as this.
        self._sync_folder()
        if is_written:
            with suppress(OSError):
                self._remove(lambda number: number < epoch.number)

    def replace_with(self, epoch: Epoch) -> None:
        """Leave this epoch alone there, whatever there was: two people have decided.

        No sender may write meanwhile. Raises OSError.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._write(epoch)
        self._sync_folder()
        self._remove(lambda number: number != epoch.number)
        self._sync_folder()

    def _is_written(self, epoch: Epoch) -> bool:
        """Write it; False when a higher one came meanwhile and removed what it was to become."""
        try:
            self._write(epoch)
        except FileNotFoundError:
            if not self._is_reached(epoch):
                raise
            return False
        return True

    def _is_reached(self, epoch: Epoch) -> bool:
        kept = self.read()
        return kept is not None and kept.number >= epoch.number

    def _all(self) -> Iterator[tuple[int, bool, Path]]:
        """Yield numbers and files: whole ones, and those that somebody is or was writing."""
        try:
            names = [file.name for file in self.path.parent.iterdir()]
        except FileNotFoundError:
            return
        prefix = f"{self.path.name}."
        for name in names:
            if name == self.path.name:
                yield 0, True, self.path
            elif name.startswith(prefix):
                number, _, rest = name.removeprefix(prefix).partition(".")
                if number.isdecimal() and (not rest or rest.endswith(NEW)):
                    yield int(number), not rest, self.path.with_name(name)

    def _remove(self, is_over: Callable[[int], bool]) -> None:
        for number, _is_whole, file in self._all():
            if is_over(number):
                file.unlink(missing_ok=True)

    def _write(self, epoch: Epoch) -> None:
        target = self.path.with_name(f"{self.path.name}.{epoch.number}")
        aside = target.with_name(f"{target.name}.{secrets.token_hex(8)}{NEW}")
        try:
            with aside.open("x", encoding="utf-8") as file:
                file.write(epoch.text())
                file.flush()
                os.fsync(file.fileno())
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
