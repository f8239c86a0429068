"""The tests' ground with a PostgreSQL that keeps its word: fsync and synchronous_commit on, on a
disk.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from message_center.stack.postgres import Postgres
from tests.ground import SHARED, Ground, make_ground

LOG_FILES = 60


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
        _use_log_files_again(ground)
        yield ground
    finally:
        ground.stop()


def _use_log_files_again(ground: Ground) -> None:
    """Bring the write-ahead log where it is on a server that has sent for an hour: its files, a
    gigabyte as in docker-compose.yml, are used again. A fresh server makes each of them first, and
    every commit waits meanwhile.
    """
    with psycopg.connect(ground.url("superuser", SHARED), autocommit=True) as link:
        link.execute("ALTER SYSTEM SET min_wal_size = '1GB'")
        link.execute("ALTER SYSTEM SET max_wal_size = '4GB'")
        link.execute("SELECT pg_reload_conf()")
        for _file in range(LOG_FILES):
            link.execute("SELECT pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()")
        link.execute("CHECKPOINT")


def promises(ground: Ground) -> str:
    """Return what PostgreSQL says about how durable it is."""
    names = ("server_version", "fsync", "synchronous_commit", "full_page_writes")
    with psycopg.connect(ground.url("superuser", SHARED)) as link:
        said = [link.execute("SELECT current_setting(%s)", [name]).fetchone() for name in names]
    return ", ".join(f"{name} {row[0]}" for name, row in zip(names, said, strict=True) if row)
