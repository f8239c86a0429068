"""How long an import of so many rows takes, and how much memory: `python -m ...import_bench ROWS`.

Runs in a process of its own over the database that the environment names, so that the memory is the
import's. `measure` starts it and reads what it prints.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter, process_time


@dataclass(frozen=True)
class Figures:
    """One import: seconds on the clock and of this process's core, peak memory in MB."""

    rows: int
    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    valid: int
    faults: int
    duplicates: int

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds


def measure(environment: Mapping[str, str], rows: int) -> Figures:
    """Import `rows` rows in a fresh process and return what it took."""
    words = [sys.executable, "-m", "tests.campaigns.import_bench", str(rows)]
    done = subprocess.run(
        words, env=dict(environment), capture_output=True, text=True, check=True, timeout=600
    )
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def write_rows(path: Path, rows: int) -> None:
    """Write a list of mostly different numbers, a fault in every 200 and a repeat in every 50.

    No range for fiction has a million numbers; these are made by arithmetic and never leave here.
    """
    with path.open("w", encoding="utf-8") as file:
        file.write("msisdn;first_name;lang\n")
        for row in range(rows):
            if row % 200 == 7:
                number = "9.989E+11"
            else:
                # A step that shares no factor with the range visits every number once.
                number = str(447700900000 if row % 50 == 0 else 447000000000 + row * 7919 % 10**9)
            file.write(f"{number};Name {row % 1000};en\n")


def _peak_megabytes() -> float:
    """Ask for the peak since this program began: getrusage counts the parent's, too, of which a
    new process is a copy for an instant.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def main(rows: int) -> Figures:
    """Import once."""
    from django.utils import timezone

    from campaigns.actions import lists
    from campaigns.actions.imports import Run
    from campaigns.rules.layouts import Wish
    from tests.campaigns.lists import NOW, again
    from tests.workspaces import make
    from workspaces.rules.permissions import Role
    from workspaces.scope import scope

    place = make.workspace(f"bench-{os.getpid()}")
    author = make.me(make.user(f"Bench {os.getpid()}"), place, Role.AUTHOR)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        write_rows(path, rows)
        with scope(author.here), path.open("rb") as file:
            lst = lists.start_upload(
                by=author, file_name=path.name, size_bytes=path.stat().st_size, now=NOW
            )
            lists.append(by=author, list_id=lst.pk, offset=0, stream=file, now=NOW)
            lists.finish_upload(by=author, list_id=lst.pk, now=NOW)
            choice = lists.Choice(0, "GB", {1: "first_name", 2: "lang"}, Wish())
            lists.choose_columns(by=author, list_id=lst.pk, choice=choice, now=NOW)
    began, worked = perf_counter(), process_time()
    with scope(author.here), Run(lst.pk) as run:
        while not run.step(timezone.now()).is_done:
            pass
    seconds, cpu_seconds = perf_counter() - began, process_time() - worked
    lst = again(lst)
    return Figures(
        rows=lst.row_count,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        peak_megabytes=_peak_megabytes(),
        valid=lst.valid_count,
        faults=lst.fault_count,
        duplicates=lst.duplicate_count,
    )


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(asdict(main(int(sys.argv[1])))))
