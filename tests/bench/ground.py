"""The tests' ground with a PostgreSQL that keeps its word: fsync and synchronous_commit on, on a
disk.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from message_center.stack.postgres import Postgres
from tests.ground import SHARED, Ground, make_ground


@contextmanager
def durable_ground() -> Iterator[Ground]:
    """Start the servers, let this process's environment name them, and stop them at the end."""
    ground = make_ground(is_on_disk=True)
    plain = ground.postgres
    ground.postgres = Postgres(
        ground.folder / "postgres",
        port=plain.port,
        password=ground.secrets.word("superuser"),
        log=plain.log,
        durable=True,
    )
    try:
        ground.start()
        kept = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
        os.environ.update(ground.environment() | kept)
        yield ground
    finally:
        ground.stop()


def promises(ground: Ground) -> str:
    """Return what PostgreSQL says about how durable it is."""
    names = ("server_version", "fsync", "synchronous_commit", "full_page_writes")
    with psycopg.connect(ground.url("superuser", SHARED)) as link:
        said = [link.execute("SELECT current_setting(%s)", [name]).fetchone() for name in names]
    return ", ".join(f"{name} {row[0]}" for name, row in zip(names, said, strict=True) if row)
