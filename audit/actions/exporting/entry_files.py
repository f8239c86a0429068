"""The entries of a bundle, packed and as tables, written by a process of its own.

To write a million costs as much as to recompute them, so both go on at once. The process gets the
recomputed lines and a folder, nothing else of ours: no database, no key.
"""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Self

from audit.actions.bare_process import ROOT, bare_environment
from audit.actions.exporting.folder import Folder, batches, blocks
from audit.rules.bundle import Listed
from audit.rules.chain import Broken
from audit.rules.entry_table import Count, EntryTable, heading

PACKED = "entries.jsonl.gz"
# Spreadsheets open no more.
ROWS_OF_A_TABLE = 1_000_000
PIPE_BYTES = 1 << 20
PATIENCE_SECONDS = 60.0


class EntryFiles:
    """The process, as the exporter sees it: takes lines, ends with the counts."""

    def __init__(self, folder: Folder, entry_count: int) -> None:
        self._folder = folder
        self._child = _start(folder.path, entry_count)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_problem: object) -> None:
        if self._child.returncode is None:
            self._child.kill()
            self._child.communicate()

    def take(self, lines: Iterable[bytes]) -> None:
        """Hand lines over; waits when the process is behind. Raises what `end` raises."""
        pipe = self._child.stdin
        assert pipe is not None
        try:
            for block in blocks(lines):
                pipe.write(block)
            pipe.flush()
        except BrokenPipeError as gone:
            # It ended before its lines did, and says why.
            self.end()
            raise _lost("ended before its lines did") from gone

    def end(self) -> list[Count]:
        """Wait until the files are written; list them in the folder and return the counts.

        Raises Broken as EntryTable does, and OSError as writing does or when the process is lost.
        """
        try:
            said, _nothing = self._child.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired as late:
            raise _lost("does not end") from late
        if self._child.returncode:
            raise _lost(f"ended with {self._child.returncode}")
        answer = json.loads(said)
        if answer["broken"]:
            raise Broken(*answer["broken"])
        if answer["failed"]:
            raise OSError(*answer["failed"])
        self._folder.files += [Listed(*file) for file in answer["files"]]
        return [Count(*one) for one in answer["counts"]]


def _lost(what: str) -> ChildProcessError:
    return ChildProcessError(errno.ECHILD, f"the process that writes entries {what}")


def write_files(lines: Iterable[bytes], folder: Folder, entry_count: int) -> list[Count]:
    """Write entries.jsonl.gz and the tables; return the counts. Raises Broken as EntryTable does.

    `lines` end with their line feeds.
    """
    table = EntryTable()
    with folder.packed(PACKED) as packed:
        for name, part in _tables(lines, entry_count):
            with folder.file(name) as file:
                file.write(heading().encode())
                for batch in batches(part):
                    packed.write(b"".join(batch))
                    file.write("".join(table.rows(batch)).encode())
    return table.counts


def _tables(lines: Iterable[bytes], entry_count: int) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield each table's name with its lines; none where there are no entries."""
    rest = iter(lines)
    if entry_count <= ROWS_OF_A_TABLE:
        names = ["tables/entries.csv"] if entry_count else []
    else:
        last = -(-entry_count // ROWS_OF_A_TABLE)
        names = [f"tables/entries-{number}.csv" for number in range(1, last + 1)]
    for name in names:
        yield name, islice(rest, ROWS_OF_A_TABLE)


def _start(folder: Path, entry_count: int) -> "subprocess.Popen[bytes]":
    child = subprocess.Popen(
        [sys.executable, "-m", __name__, str(folder.absolute()), str(entry_count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=bare_environment(),
    )
    assert child.stdin is not None
    # Through a pipe of the usual 64 KB each would wait for the other at every turn; where the
    # system grants no larger one, they do.
    with suppress(OSError):
        fcntl.fcntl(child.stdin, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    return child


def main() -> None:
    """Read lines until they end; say what was written, or why not, as JSON."""
    # To stop is the exporter's business: this one ends when its lines end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    folder, entry_count = Folder(Path(sys.argv[1])), int(sys.argv[2])
    counts: list[Count] = []
    broken: tuple[str, str] | None = None
    failed: tuple[int | None, str | None] | None = None
    try:
        with open(sys.stdin.fileno(), "rb", buffering=PIPE_BYTES, closefd=False) as lines:
            counts = write_files(lines, folder, entry_count)
    except Broken as fault:
        broken = fault.code, str(fault)
    except OSError as fault:
        failed = fault.errno, fault.strerror
    answer = {
        "files": [(one.path, one.sha256, one.size) for one in folder.files],
        "counts": [(one.op, one.result, one.count) for one in counts],
        "broken": broken,
        "failed": failed,
    }
    # An exporter that was killed hears it no more.
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), json.dumps(answer).encode())


if __name__ == "__main__":
    main()
