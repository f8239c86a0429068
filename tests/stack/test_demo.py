"""`manage.py demo` as a person uses it: started, killed, started again, refused."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from message_center.stack.ports import LOOPBACK, reserve
from message_center.stack.processes import is_alive
from message_center.stack.product import ROOT, answers_http
from tests.ground import Ground
from tests.poll import poll

pytestmark = [pytest.mark.processes, pytest.mark.timeout(180)]


def clean_environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


class Demo:
    """One data folder and port, with as many starts as a test likes."""

    def __init__(self, data: Path, environment: Mapping[str, str] | None = None) -> None:
        self.data = data
        self.port, self._holder = reserve()
        self.environment = {**clean_environment(), **(environment or {})}
        self.output = data.with_suffix(".output")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "subprocess.Popen[bytes]":
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "demo", f"--port={self.port}", f"--data={self.data}"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return self.process

    def start_and_wait(self) -> "subprocess.Popen[bytes]":
        process = self.start()
        poll(lambda: "Open http" in self.said or process.poll() is not None, 90, self.said)
        assert process.poll() is None, self.said
        return process

    def start_in_vain(self) -> str:
        """Start it, wait for its refusal, and return what it said."""
        assert self.start().wait(60) == 1
        return self.said

    @property
    def said(self) -> str:
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
        self._holder.close()


def descendants(pid: int) -> set[int]:
    """Return the ids of all processes under this one."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(entry.name)] = int(words[1])
    found, size = {pid}, 0
    while size != len(found):
        size = len(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found - {pid}


def installation_of(demo: Demo) -> tuple[str, object]:
    """Return what must stay over a restart: a secret, and the cluster's own identity."""
    secrets = demo.data / "secrets"
    port = (demo.data / "ports.json").read_text().partition('"postgres": ')[2].split(",")[0]
    url = f"postgresql://postgres@{LOOPBACK}:{port.strip()}/message_center"
    with psycopg.connect(url, password=(secrets / "superuser").read_text().strip()) as connection:
        row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    return (secrets / "secret_key").read_text(), row


@dataclass(frozen=True)
class Story:
    """What was seen in one life of a demo: start, second demo, kill -9, start, SIGTERM."""

    first: tuple[str, object]
    second_demo: str
    children: set[int]
    left_after_kill: set[int]
    second: tuple[str, object]
    was_answering: bool
    exit_code: int
    left_after_stop: set[int]
    last_words: str


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    demo = Demo(tmp_path_factory.mktemp("demo") / "data")
    other = Demo(demo.data)
    other.output = demo.data.with_suffix(".other")
    try:
        yield live(demo, other)
    finally:
        other.close()
        demo.close()


def live(demo: Demo, other: Demo) -> Story:
    process = demo.start_and_wait()
    first, children = installation_of(demo), descendants(process.pid)
    second_demo = other.start_in_vain()
    process.kill()
    process.wait()
    left = wait_for_all(children)
    process = demo.start_and_wait()
    second, again = installation_of(demo), descendants(process.pid)
    was_answering = answers_http(demo.port)
    process.send_signal(signal.SIGTERM)
    return Story(
        first=first,
        second_demo=second_demo,
        children=children,
        left_after_kill=left,
        second=second,
        was_answering=was_answering,
        exit_code=process.wait(60),
        left_after_stop={pid for pid in again if is_alive(pid)},
        last_words=demo.said,
    )


def wait_for_all(pids: set[int], seconds: float = 40) -> set[int]:
    """Return those that are still there after so many seconds: the sender may drain for 30."""
    try:
        poll(lambda: not any(map(is_alive, pids)), seconds)
    except AssertionError:
        return {pid for pid in pids if is_alive(pid)}
    return set()


@pytest.mark.alone
def test_a_kill_leaves_no_process_behind(story: Story) -> None:
    assert len(story.children) > 10
    assert story.left_after_kill == set()


@pytest.mark.alone
def test_a_second_start_goes_on_with_the_same_data_and_secrets(story: Story) -> None:
    assert story.second == story.first


@pytest.mark.alone
def test_the_second_start_serves_pages(story: Story) -> None:
    assert story.was_answering


@pytest.mark.alone
def test_a_second_demo_of_the_same_folder_is_refused(story: Story) -> None:
    assert "already runs from" in story.second_demo
    assert "Traceback" not in story.second_demo


@pytest.mark.alone
def test_it_stops_everything_when_asked(story: Story) -> None:
    assert story.exit_code == 0
    assert story.left_after_stop == set()
    assert story.last_words.rstrip().endswith("PostgreSQL stopped.")


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    demo = Demo(tmp_path / "data")
    with socket.create_server((LOOPBACK, 0)) as server:
        demo.port = server.getsockname()[1]
        said = demo.start_in_vain()
    demo.close()
    assert f"Port {demo.port} is in use" in said
    assert f"make demo PORT={demo.port + 1}" in said


@pytest.fixture
def powerless(servers: Ground) -> Iterator[str]:
    """The URL of a role that may make nothing."""
    name = "powerless"
    with psycopg.connect(servers.url("superuser", "postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'x'").format(sql.Identifier(name))
        )
        yield servers.postgres.url("postgres", name, "x")
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def test_a_database_url_that_may_not_make_roles_needs_the_owners(
    powerless: str, tmp_path: Path
) -> None:
    demo = Demo(tmp_path / "data", {"DATABASE_URL": powerless})
    said = demo.start_in_vain()
    demo.close()
    assert "set OWNER_DATABASE_URL" in said


def test_a_redis_url_that_does_not_answer_is_named(servers: Ground, tmp_path: Path) -> None:
    demo = Demo(
        tmp_path / "data",
        {
            "OWNER_DATABASE_URL": servers.url("owner", "elsewhere"),
            "REDIS_URL": f"redis://{LOOPBACK}:1/0",
        },
    )
    said = demo.start_in_vain()
    demo.close()
    assert "REDIS_URL does not answer" in said
