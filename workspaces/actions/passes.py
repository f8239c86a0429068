"""Keep the list of who may look at diagnostics while the database is away."""

import os
from datetime import datetime

from workspaces.queries.passes import live_passes, passes_file
from workspaces.rules.passes import passes_text
from workspaces.scope import scope_everywhere


def keep_passes(now: datetime) -> int:
    """Write the list as of now and return how long it is. Raises OSError."""
    with scope_everywhere("super admins look at diagnostics while the database is away"):
        passes = live_passes(now)
    path = passes_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(handle, passes_text(passes).encode())
    finally:
        os.close(handle)
    aside.rename(path)
    return len(passes)
