"""Our own PostgreSQL: as root in two ways, after a kill, and when it cannot run at all."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import psycopg
import pytest

from message_center.stack import postgres as stack
from message_center.stack.launch import NOBODY
from message_center.stack.ports import reserve
from message_center.stack.postgres import Home, Postgres
from message_center.stack.processes import is_alive
from message_center.stack.product import ROOT
from tests.poll import poll

IS_ROOT = os.geteuid() == 0


@contextmanager
def running(folder: Path, *, is_durable: bool = False) -> Iterator[Postgres]:
    port, holder = reserve()
    server = Postgres(
        folder / "postgres",
        port=port,
        password="a/b c@d",
        log=folder / "postgres.log",
        durable=is_durable,
    )
    try:
        yield server
    finally:
        server.stop(immediate=True)
        holder.close()


def ask(server: Postgres, question: str) -> object:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        row = connection.execute(question).fetchone()
        return row[0] if row else None


def tell(server: Postgres, statement: str) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(statement)


def test_it_listens_on_the_loopback_address_only(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.start()
        assert ask(server, "SHOW listen_addresses") == "127.0.0.1"
        assert ask(server, "SHOW unix_socket_directories") == ""


def test_a_wrong_password_is_refused(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.start()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.url("postgres", password="wrong"))


def test_a_throw_away_server_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.start()
        assert ask(server, "SHOW fsync") == "off"


def test_a_durable_server_waits_for_the_disk(tmp_path: Path) -> None:
    with running(tmp_path, is_durable=True) as server:
        server.start()
        assert ask(server, "SHOW fsync") == "on"
        assert ask(server, "SHOW synchronous_commit") == "on"


def test_committed_rows_are_there_after_a_kill(tmp_path: Path) -> None:
    with running(tmp_path, is_durable=True) as server:
        server.start()
        tell(server, "CREATE TABLE kept AS SELECT 7 AS number")
        assert server.running is not None
        server.running.kill()
        server.start()
        assert ask(server, "SELECT number FROM kept") == 7


def test_a_lock_file_with_the_number_of_another_process_is_no_obstacle(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.start()
        assert server.running is not None
        lock = server.home.data / "postmaster.pid"
        lines = lock.read_text().splitlines()
        server.running.kill()
        lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
        server.start()
        assert ask(server, "SELECT 1") == 1


@contextmanager
def last_words(log: Path) -> Iterator[None]:
    """Write into a server's log all the time, as the children do that it leaves behind."""
    over = threading.Event()

    def write() -> None:
        while not over.wait(0.002):
            with log.open("a") as said:
                said.write("FATAL:  terminating connection due to unexpected postmaster exit\n")

    writing = threading.Thread(target=write)
    writing.start()
    try:
        yield
    finally:
        over.set()
        writing.join()


def test_children_that_outlive_a_killed_server_are_waited_for(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.start()
        assert server.running is not None
        with psycopg.connect(server.url("postgres")) as link:
            child = link.info.backend_pid
            os.kill(child, signal.SIGSTOP)
            os.kill(server.running.pid, signal.SIGKILL)
            later = threading.Timer(1.0, os.kill, [child, signal.SIGCONT])
            later.start()
            with last_words(server.log):
                server.start()
            later.join()
        assert "pre-existing shared memory block" in server.log.read_text()
        assert ask(server, "SELECT 1") == 1


def test_a_first_start_that_was_killed_leaves_no_half_cluster(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "data.new" / "base").mkdir(parents=True)
    with running(tmp_path) as server:
        server.start()
        assert ask(server, "SELECT 1") == 1


def test_the_server_goes_with_the_process_that_started_it(tmp_path: Path) -> None:
    port, holder = reserve()
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from message_center.stack.postgres import Postgres\n"
        f"folder = Path({str(tmp_path)!r})\n"
        f"server = Postgres(folder / 'pg', port={port}, password='x', log=folder / 'log',"
        " durable=True)\n"
        "server.start()\n"
        "print(server.running.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    holder.close()
    assert done.returncode == -signal.SIGKILL, done.stderr
    poll(lambda: not is_alive(int(done.stdout)), message="PostgreSQL to go")
    assert "received fast shutdown request" in (tmp_path / "log").read_text()


def may_make_namespaces() -> bool:
    """Whether this machine lets this user have a user namespace."""
    words = [shutil.which("unshare") or "unshare", "--user", "--map-root-user", "true"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def test_root_and_who_has_no_name_run_it_as_nobody_in_a_namespace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the machine forbids namespaces, root finds another way; the nameless is told so."""
    monkeypatch.setattr(stack, "_has_name", lambda: False)
    with running(tmp_path) as server:
        if not may_make_namespaces():
            assert server.home.clothes == ("setuid" if IS_ROOT else "namespace")
            return
        server.start()
        assert server.home.clothes == "namespace"
        assert server.running is not None
        uid_map = Path(f"/proc/{server.running.pid}/uid_map").read_text().split()
        assert uid_map == ["65534", str(os.geteuid()), "1"]


@pytest.fixture
def copied_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home that `nobody` cannot reach, on a machine without user namespaces.

    Who is not root can become nobody else: he is his own `nobody`, and changes no clothes.
    """
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    find = stack.home
    if IS_ROOT:
        monkeypatch.setattr(stack, "home", lambda folder: find(folder, ("setuid",)))
    else:
        monkeypatch.setattr(stack, "NOBODY", os.geteuid())
        monkeypatch.setattr(stack, "home", partial(_copied, find))
    found = stack.home(closed / "postgres")
    yield found
    shutil.rmtree(found.folder.parent)


def _copied(find: Callable[[Path], Home], folder: Path) -> Home:
    original = find(folder)
    found = stack.copied(original)
    assert found is not None
    return replace(found, clothes=original.clothes)


def test_without_namespaces_the_server_runs_from_a_copy_as_nobody(
    copied_home: Home, tmp_path: Path
) -> None:
    with running(tmp_path / "closed") as server:
        server.start()
        assert server.running is not None
        assert Path(f"/proc/{server.running.pid}").stat().st_uid == (
            NOBODY if IS_ROOT else os.geteuid()
        )
        assert server.home == copied_home
        assert server.home.data.is_relative_to("/var/tmp")
        assert stat.S_IMODE(server.home.data.stat().st_mode) == 0o700


def test_the_copy_is_found_again_by_the_next_start(copied_home: Home, tmp_path: Path) -> None:
    with running(tmp_path / "closed") as server:
        server.start()
        tell(server, "CREATE TABLE kept AS SELECT 7 AS number")
        server.stop()
        server.start()
        assert ask(server, "SELECT number FROM kept") == 7


def test_root_on_a_machine_that_forbids_both_is_told_about_database_url(tmp_path: Path) -> None:
    allowed = may_make_namespaces()
    # Where the machine itself forbids namespaces, the other way is open to root and only to him.
    ways = ("namespace", "setuid") if allowed else ("namespace",)
    script = (
        "import os\n"
        "from pathlib import Path\n"
        "from message_center.stack.postgres import home, PostgresRefused\n"
        "os.geteuid = lambda: 0\n"
        "try:\n"
        f"    home(Path({str(tmp_path)!r}) / 'pg', {ways})\n"
        "except PostgresRefused as refusal:\n"
        "    print(refusal)\n"
    )
    words = [sys.executable, "-c", script]
    if allowed:
        # Inside this namespace only root exists and no further namespace may be made.
        closed = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$0" "$@"'
        unshare = shutil.which("unshare") or "unshare"
        words = [unshare, "--user", "--map-root-user", "sh", "-c", closed, *words]
    before = set(stack.SHARED.glob("message-center-*"))
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "set DATABASE_URL and OWNER_DATABASE_URL" in done.stdout, done.stderr
    assert set(stack.SHARED.glob("message-center-*")) == before
