"""A file that somebody else owns and that only grows: a write-once disk, another host's share."""

import json
import os
import stat
from dataclasses import dataclass
from datetime import timedelta

from audit.rules.anchoring import AnchorRefused, Given, Last, SignedCheckpoint, Unreachable
from audit.rules.canonical import encode, stamp

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


@dataclass(frozen=True)
class FileAnchor:
    """Appends a line of JSON for each checkpoint and has it written to the disk.

    The file's owner makes it (`chattr +a` is his affair); we never do, and refuse one that the
    worker owns unless it `may_be_own`: it could be rewritten. The receipt says where the line
    stands. A file that is shorter than where our last line ended was cut: that is refused.
    """

    path: str
    may_be_own: bool = False
    name: str = "file"
    kind: str = "file"
    period: timedelta = timedelta(0)

    def send(self, checkpoint: SignedCheckpoint, last: Last | None) -> Given:
        """Append the checkpoint; raise AnchorRefused or Unreachable."""
        try:
            handle = os.open(self.path, _FLAGS)
        except FileNotFoundError:
            raise AnchorRefused(f"There is no file {self.path}; its owner must make it.") from None
        except OSError as failure:
            raise AnchorRefused(f"{self.path}: {failure.strerror}.") from failure
        try:
            return self._append(handle, checkpoint, self._known_end(last))
        finally:
            os.close(handle)

    def _append(self, handle: int, checkpoint: SignedCheckpoint, known_end: int) -> Given:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise AnchorRefused(f"{self.path} is not a file.")
        if about.st_uid == os.geteuid() and not self.may_be_own:
            raise AnchorRefused(f"{self.path} is the worker's own; somebody else must own it.")
        if about.st_size < known_end:
            raise AnchorRefused(
                f"{self.path} was cut: it has {about.st_size} bytes and had {known_end}."
            )
        line = _line(checkpoint)
        # What others wrote, or a line of ours that the disk had no room for, may lack its end.
        lead = b"\n" if about.st_size > known_end else b""
        try:
            written = os.write(handle, lead + line)
            os.fsync(handle)
        except OSError as failure:
            raise Unreachable(f"{self.path}: {failure.strerror}.") from failure
        if written < len(lead + line):
            raise Unreachable(f"{self.path}: no room for the whole line.")
        end = os.lseek(handle, 0, os.SEEK_CUR)
        place: dict[str, str | int] = {
            "file": self.path,
            "length": len(line),
            "offset": end - len(line),
        }
        return Given(encode(place))

    def _known_end(self, last: Last | None) -> int:
        """Return where our last line ended; 0 when it stands in another file."""
        place = json.loads(last.content) if last else {}
        return place["offset"] + place["length"] if place.get("file") == self.path else 0


def _line(checkpoint: SignedCheckpoint) -> bytes:
    fields: dict[str, str | int] = {
        "at": stamp(checkpoint.at),
        "epoch": checkpoint.epoch,
        "note": checkpoint.note,
    }
    return encode(fields) + b"\n"
