"""`make bench`: figures and ratios in one run, medians of three. Nothing here passes or fails.

BENCH_ROWS is the size of the larger import (1,000,000), BENCH_SEGMENTS of a round of sending
(20,000), BENCH_RECEIPTS of the flood of receipts (20,000; 1,000,000 for the full figure),
BENCH_ENTRIES of the evidence that is verified and exported (1,000,000), BENCH_PARTS which parts run
(submit,receipts,import,audit,verify,seal,export).

`make gate` only sends: below 5,000 durable segments/s with receipts it fails, unless neighbours
took all the CPU there was and a segment cost no more than 200 µs of it.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import django

from tests.bench.figures import taken_seconds
from tests.bench.ground import durable_ground, promises
from tests.ground import Ground

PARTS = os.environ.get("BENCH_PARTS", "submit,receipts,import,audit,verify,seal,export").split(",")


def main() -> int:
    """Run one part, or each of several in a process and on a ground of its own: what one leaves
    behind is neither counted nor measured by the next. Return the exit code.
    """
    if len(PARTS) == 1 or "--gate" in sys.argv:
        return _run()
    words = [sys.executable, "-m", "tests.bench"]
    codes = [
        subprocess.run(words, env=os.environ | {"BENCH_PARTS": part}, check=False).returncode
        for part in PARTS
    ]
    return int(any(codes))


def _run() -> int:
    """Start a ground, measure, leave nothing behind; return the exit code."""
    with durable_ground() as ground, tempfile.TemporaryDirectory() as folder:
        django.setup()
        load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
        print(f"PostgreSQL: {promises(ground)}")
        print(f"{os.cpu_count()} cores; load before the run {load}; medians of three")
        began, taken, code = time.monotonic(), taken_seconds(), 0
        if "--gate" in sys.argv:
            code = _gate(ground, Path(folder))
        else:
            _measure(ground, Path(folder))
        could = (time.monotonic() - began) * (os.cpu_count() or 1)
        print(f"Meanwhile the host took {(taken_seconds() - taken) / could:.0%} of the CPU.")
    return code


def _gate(ground: Ground, folder: Path) -> int:
    from tests.bench import sending

    if sending.gate(ground, folder):
        return 0
    print(f"No round reached {sending.FLOOR:,.0f} durable segments/s, and none was excused.")
    return 1


def _measure(ground: Ground, folder: Path) -> None:
    # These need Django, and Django needs the ground.
    from tests.bench import auditing, exporting, importing, receiving, sealing, sending, verifying

    if "submit" in PARTS:
        print("\nDurable submit over mutual TLS")
        sending.measure(ground, folder)
    if "receipts" in PARTS:
        print("\nReceipts while sending")
        receiving.measure(ground, folder / "receipts")
    if "import" in PARTS:
        print("\nImport of a list")
        importing.measure(ground)
    if "audit" in PARTS:
        print("\nAudit log")
        auditing.measure(ground)
    if "verify" in PARTS:
        print("\nVerifying evidence")
        verifying.measure()
    if "seal" in PARTS:
        print("\nSealing what became of messages")
        sealing.measure(ground)
    if "export" in PARTS:
        print("\nExporting evidence")
        exporting.measure(ground)


if __name__ == "__main__":
    sys.exit(main())
