"""`python -m tests.foreign FOLDER`: campaigns to an SMSC that we did not write, its full check, and
five servers that must get no bind.

FOLDER holds `node_modules` with the npm package `smpp`, and `node` is on the PATH; nothing is
fetched here. docs/foreign-smsc.md describes it and keeps what it printed.
"""

import sys
import tempfile
from pathlib import Path

import django

from tests.bench.ground import durable_ground


def main(modules: Path) -> int:
    """Start a ground of its own, try, leave nothing behind; return the exit code."""
    with durable_ground() as ground, tempfile.TemporaryDirectory() as folder:
        django.setup()
        # It needs Django, and Django needs the ground.
        from tests.foreign.trial import run

        return 0 if run(ground, Path(folder), modules) else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
