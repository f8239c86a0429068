"""What a process gets that shall have nothing of ours but the code: no database, no key file."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def bare_environment() -> dict[str, str]:
    """Return its environment; it is to be started in ROOT, as `python -m`."""
    paths = [str(ROOT), *(path for path in sys.path if path)]
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "PYTHONUTF8": "1",
        "TZ": "UTC",
    }
