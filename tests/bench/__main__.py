"""`make bench`: ratios in one run, medians of three. Nothing here passes or fails.

BENCH_ROWS is the size of the larger import (200,000; 1,000,000 for the full figure),
BENCH_SEGMENTS of a round of sending (8,000), BENCH_ENTRIES of the evidence that is verified
(1,000,000), BENCH_PARTS which parts run (submit,import,audit,verify).
"""

import os
import tempfile
from pathlib import Path

import django

from tests.bench.ground import durable_ground, promises
from tests.ground import Ground

PARTS = os.environ.get("BENCH_PARTS", "submit,import,audit,verify").split(",")


def main() -> None:
    """Start a ground of its own, measure, leave nothing behind."""
    with durable_ground() as ground, tempfile.TemporaryDirectory() as folder:
        django.setup()
        load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
        print(f"PostgreSQL: {promises(ground)}")
        print(f"{os.cpu_count()} cores; load before the run {load}; medians of three")
        _measure(ground, Path(folder))


def _measure(ground: Ground, folder: Path) -> None:
    # These need Django, and Django needs the ground.
    from tests.bench import auditing, importing, sending, verifying

    if "submit" in PARTS:
        print("\nDurable submit over mutual TLS")
        sending.measure(ground, folder)
    if "import" in PARTS:
        print("\nImport of a list")
        importing.measure(ground)
    if "audit" in PARTS:
        print("\nAudit log")
        auditing.measure(ground)
    if "verify" in PARTS:
        print("\nVerifying evidence")
        verifying.measure()


if __name__ == "__main__":
    main()
