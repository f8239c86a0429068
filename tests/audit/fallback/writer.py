"""Writes fallback lines until it is killed, and says each event's id once it was kept.

    python -m tests.audit.fallback.writer FOLDER COUNT [BYTES]

Without a COUNT (0) it goes on until a line is refused; then it says "refused" and leaves with 3.
With -1 it says so and goes on, as the product does. BYTES limits the size of any file that this
process writes.
"""

import resource
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import structlog

from audit.actions.fallback import Fallback
from audit.rules.fallback import NotRecorded
from tests.audit.fallback.ground import CAP, denied


def main(path: str, wanted: str, most_bytes: str = "") -> int:
    """Write; return the exit code."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    if most_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(most_bytes), int(most_bytes)))
    folder = Fallback(Path(path), max_bytes=CAP, host="web-1")
    for _ in range(int(wanted)) if int(wanted) > 0 else count():
        event = denied(at=datetime.now(UTC))
        try:
            folder.append(event, {})
        except NotRecorded:
            print("refused", flush=True)
            if int(wanted) < 0:
                continue
            return 3
        print(event.eid, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
