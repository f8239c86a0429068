"""The test ground: a throw-away PostgreSQL and Valkey for one pytest run, and databases cloned in
it.

Everything has its own folder and ports, so several runs do not meet. Nothing is started before a
test asks for it; the ports and passwords are fixed earlier, because Django reads them at set-up.
"""

import os
import shutil
import socket
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from message_center.roles import RUNTIME_ROLES, URL_OF_ROLE, role_name
from message_center.stack.ports import reserve
from message_center.stack.postgres import Postgres
from message_center.stack.processes import Program, run
from message_center.stack.product import ROOT
from message_center.stack.secret_files import SecretFiles
from message_center.stack.valkey import Valkey

# A file system in memory, and how much of both has to be free for a run to stand on it.
MEMORY = Path("/dev/shm")
ROOM_BYTES = 6 << 30
TEMPLATE = "mc"
SHARED = "mc_shared"
OWNER = "mc_owner"


@dataclass
class Ground:
    """What one pytest run stands on. `shared` is the clone that the `db` fixture rolls back in."""

    folder: Path
    secrets: SecretFiles
    postgres: Postgres
    valkey: Valkey
    holders: list[socket.socket]
    has_template: bool = False
    clones: int = field(default=0)

    def start(self) -> None:
        """Start both servers and make the migrated template with its first clone, once."""
        if self.has_template:
            return
        self.postgres.start()
        self.valkey.start()
        self.postgres.make_owner(OWNER, self.secrets.word("owner"))
        self._set_up(TEMPLATE)
        self.clone(SHARED)
        self.has_template = True

    def stop(self) -> None:
        """Stop what runs and remove every trace."""
        self.valkey.stop()
        self.postgres.stop(immediate=True)
        for holder in self.holders:
            holder.close()
        if self.postgres.home.clothes == "setuid":
            shutil.rmtree(self.postgres.home.folder.parent, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def clone(self, name: str) -> None:
        """Make a database with the template's tables and rows. The roles are the template's."""
        self._as_superuser(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE), sql.Identifier(OWNER)
            )
        )

    def fresh_clone(self) -> str:
        """Make a clone under a new name and return the name."""
        self.clones += 1
        name = f"{TEMPLATE}_{self.clones}"
        self.clone(name)
        return name

    def fresh_empty(self) -> str:
        """Make a database without tables under a new name and return the name."""
        self.clones += 1
        name = f"{TEMPLATE}_{self.clones}"
        self._as_superuser(
            sql.SQL("CREATE DATABASE {} OWNER {}").format(
                sql.Identifier(name), sql.Identifier(OWNER)
            )
        )
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected."""
        self._as_superuser(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )

    def url(self, role: str, database: str) -> str:
        """Return the URL of a role in a database: owner, one of the runtime roles, or superuser."""
        if role == "superuser":
            return self.postgres.url(database)
        name = OWNER if role == "owner" else role_name(role, TEMPLATE)
        return self.postgres.url(database, name, self.secrets.word(role))

    def environment(self, database: str = SHARED) -> dict[str, str]:
        """Return the product's settings for this ground and one of its databases."""
        urls = {URL_OF_ROLE[role]: self.url(role, database) for role in (*RUNTIME_ROLES, "owner")}
        return {
            "DJANGO_SETTINGS_MODULE": "message_center.settings",
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(ROOT),
            "SECRET_KEY": self.secrets.word("secret_key"),
            "KEY_FILE": str(self.secrets.key_file("installation.key")),
            "DATA_DIR": str(self.folder / "data"),
            "REDIS_URL": self.valkey.url,
            "DEBUG": "0",
            "HTTPS": "0",
            "LOG_JSON": "0",
            **urls,
        }

    def _set_up(self, database: str) -> None:
        words = [sys.executable, "manage.py", "setup_database"]
        log = self.folder / "setup_database.log"
        environment = self.environment(database)
        run(Program("setup_database", words, environment, log, folder=ROOT), 120)

    def _as_superuser(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


def _has_room(memory: Path) -> bool:
    """Tell whether this run's servers may write to memory instead of a disk.

    A clone is a thousand small files, most of whose cost on a disk is the disk's. TMPDIR in the
    environment decides otherwise.
    """
    if "TMPDIR" in os.environ or not os.access(memory, os.W_OK):
        return False
    lines = Path("/proc/meminfo").read_text().splitlines()
    kilobytes = {name: int(rest.split()[0]) for name, _, rest in (x.partition(":") for x in lines)}
    free = min(kilobytes.get("MemAvailable", 0) << 10, shutil.disk_usage(memory).free)
    return free > ROOM_BYTES


def make_ground(*, is_on_disk: bool = False) -> Ground:
    """Choose the folder, the ports and the passwords of this run."""
    place = MEMORY if not is_on_disk and _has_room(MEMORY) else None
    folder = Path(tempfile.mkdtemp(prefix="message-center-tests-", dir=place))
    folder.chmod(0o755)
    secrets = SecretFiles(folder / "secrets")
    ports = [reserve(), reserve()]
    postgres = Postgres(
        folder / "postgres",
        port=ports[0][0],
        password=secrets.word("superuser"),
        log=folder / "postgres.log",
        durable=False,
    )
    valkey = Valkey(
        folder / "valkey",
        port=ports[1][0],
        password=secrets.word("valkey"),
        log=folder / "valkey.log",
    )
    return Ground(folder, secrets, postgres, valkey, [holder for _, holder in ports])
