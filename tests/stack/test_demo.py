"""`manage.py demo` as a person uses it: started, killed, started again, stopped, refused."""

import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import redis
from psycopg import sql

from campaigns.management.demo import SPREAD_NAME, SPREAD_TEAM
from campaigns.models import Campaign
from message_center.roles import RUNTIME_ROLES, role_name
from message_center.stack.demo import has_running_campaign
from message_center.stack.installation import UrlMissing, database_urls
from message_center.stack.ports import LOOPBACK, reserve
from message_center.stack.processes import is_alive
from message_center.stack.product import ROOT, answers_http
from message_center.stack.secret_files import SecretFiles
from smpp_client.simulator import ledger
from tests import make
from tests.conftest import Database
from tests.ground import OWNER, Ground
from tests.poll import poll
from workspaces.rules.permissions import Role
from workspaces.scope import scope_everywhere

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]
# What the demo promises from its first word to a campaign that sends.
PROMISED_SECONDS = 90


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
                # A terminal of its own: Ctrl-C reaches the whole foreground group.
                start_new_session=True,
            )
        return self.process

    def start_and_wait(self) -> "subprocess.Popen[bytes]":
        """Start it and wait until it says that a campaign is running."""
        process = self.start()
        poll(
            lambda: self.is_under_way or process.poll() is not None,
            PROMISED_SECONDS,
            f"a running campaign; see {self.output}",
        )
        assert process.poll() is None, self.said
        return process

    @property
    def is_under_way(self) -> bool:
        return "A campaign is running" in self.said

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


def superuser_url(demo: Demo) -> str:
    """Return the URL of the superuser of the demo's own PostgreSQL."""
    port = (demo.data / "ports.json").read_text().partition('"postgres": ')[2].split(",")[0]
    word = (demo.data / "secrets" / "superuser").read_text().strip()
    return f"postgresql://postgres:{word}@{LOOPBACK}:{port.strip()}/message_center"


def installation_of(demo: Demo) -> tuple[str, object]:
    """Return what must stay over a restart: a secret, and the cluster's own identity."""
    with psycopg.connect(superuser_url(demo)) as connection:
        row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    return (demo.data / "secrets" / "secret_key").read_text(), row


@dataclass(frozen=True)
class Progress:
    """How far the demo's campaign has come; `submitted` counts segments."""

    campaign: int
    total: int
    submitted: int


def progress(url: str) -> Progress:
    """Return the progress of the demo's campaign, of which there is one."""
    question = (
        "SELECT campaign.id, progress.total, progress.submitted_segments FROM campaign"
        " JOIN progress ON progress.campaign_id = campaign.id WHERE campaign.name = %s"
    )
    with psycopg.connect(url) as connection:
        [row] = connection.execute(question, [SPREAD_NAME]).fetchall()
    return Progress(*row)


def progress_beyond(url: str, submitted: int) -> Progress:
    """Wait until the campaign has sent more than that."""
    poll(lambda: progress(url).submitted > submitted, 60, f"more than {submitted} submitted")
    return progress(url)


@dataclass(frozen=True)
class Story:
    """What was seen in one life of a demo: start, second demo, kill -9, start, Ctrl-C."""

    said: str
    first: tuple[str, object]
    second_demo: str
    before: Progress
    children: set[int]
    left_after_kill: set[int]
    second: tuple[str, object]
    after: Progress
    later: Progress
    was_answering: bool
    exit_code: int
    left_after_stop: set[int]
    last_words: str
    accepted: list[ledger.Accepted]


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
    said, url = demo.said, superuser_url(demo)
    first, children = installation_of(demo), descendants(process.pid)
    second_demo = other.start_in_vain()
    before = progress_beyond(url, 0)
    process.kill()
    process.wait()
    left = wait_for_all(children)
    process = demo.start_and_wait()
    second, again, after = installation_of(demo), descendants(process.pid), progress(url)
    was_answering, later = answers_http(demo.port), progress_beyond(url, after.submitted)
    os.killpg(process.pid, signal.SIGINT)
    return Story(
        said=said,
        first=first,
        second_demo=second_demo,
        before=before,
        children=children,
        left_after_kill=left,
        second=second,
        after=after,
        later=later,
        was_answering=was_answering,
        exit_code=process.wait(60),
        left_after_stop={pid for pid in again if is_alive(pid)},
        last_words=demo.said,
        accepted=list(ledger.texts(demo.data / "simulator.ledger")),
    )


def wait_for_all(pids: set[int], seconds: float = 40) -> set[int]:
    """Return those that are still there after so many seconds: the sender may drain for 30."""
    try:
        poll(lambda: not any(map(is_alive, pids)), seconds)
    except AssertionError:
        return {pid for pid in pids if is_alive(pid)}
    return set()


@pytest.mark.alone
def test_it_says_who_may_sign_in_and_has_its_sample_data(story: Story) -> None:
    assert "Demo accounts, all with the password" in story.said
    assert "platform@demo.example" in story.said
    assert "without sample data" not in story.said


@pytest.mark.alone
def test_a_kill_leaves_no_process_behind(story: Story) -> None:
    assert len(story.children) > 10
    assert story.left_after_kill == set()


@pytest.mark.alone
def test_a_second_start_goes_on_with_the_same_campaign_where_it_was(story: Story) -> None:
    assert story.before.submitted > 0
    assert (story.after.campaign, story.after.total) == (story.before.campaign, story.before.total)
    assert story.before.submitted <= story.after.submitted < story.later.submitted


@pytest.mark.alone
def test_nobody_gets_a_message_twice_over_a_kill(story: Story) -> None:
    numbers = Counter(message.destination for message in story.accepted)
    assert len(numbers) >= story.later.submitted
    assert [number for number, count in numbers.items() if count > 1] == []
    assert all(message.is_complete for message in story.accepted)


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
def test_ctrl_c_stops_everything(story: Story) -> None:
    assert story.exit_code == 0
    assert story.left_after_stop == set()
    assert story.last_words.rstrip().endswith("PostgreSQL stopped.")


def test_only_the_sample_campaign_counts_as_running_and_only_when_it_has_sent(
    database: Database,
) -> None:
    with scope_everywhere("the test makes its rows"):
        author = make.person_in(make.workspace(SPREAD_TEAM), Role.ADMIN)
        through = make.route(author.here, make.connection())
        has_sent(make.sending(author, through, rows=1, name="Another"))
        ours = make.sending(author, through, rows=1, name=SPREAD_NAME)
        assert not has_running_campaign(database.url())
        has_sent(ours)
        assert has_running_campaign(database.url())
    assert not has_running_campaign(f"postgresql://{LOOPBACK}:1/none")


def has_sent(campaign: Campaign) -> None:
    """Let a campaign have handed over a segment."""
    campaign.progress.submitted_segments = 1
    campaign.progress.save(update_fields=["submitted_segments"])


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
    with pytest.raises(UrlMissing, match="set OWNER_DATABASE_URL"):
        database_urls({"DATABASE_URL": powerless}, SecretFiles(tmp_path))


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


@pytest.fixture
def elsewhere(servers: Ground) -> Iterator[str]:
    """The name of an empty database on a server that is not the demo's."""
    name, url = "demo_elsewhere", servers.url("superuser", "postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        words = "CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'"
        connection.execute(sql.SQL(words).format(sql.Identifier(name), sql.Identifier(OWNER)))
    yield name
    servers.drop(name)
    with psycopg.connect(url, autocommit=True) as connection:
        for role in RUNTIME_ROLES:
            one = sql.Identifier(role_name(role, name))
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(one))
    with redis.Redis.from_url(servers.valkey.url) as client:
        client.flushall()


def names_of(pids: set[int]) -> set[str]:
    """Return the program names of those processes that are still there."""
    names = set()
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError):
            names.add((Path("/proc") / str(pid) / "comm").read_text().strip())
    return names


@pytest.mark.alone
def test_servers_that_the_environment_names_are_used_and_left_alone(
    servers: Ground, elsewhere: str, tmp_path: Path
) -> None:
    theirs = {"DATABASE_URL": servers.url("owner", elsewhere), "REDIS_URL": servers.valkey.url}
    demo = Demo(tmp_path / "data", theirs)
    try:
        process = demo.start_and_wait()
        children = descendants(process.pid)
        names = names_of(children)
        assert progress_beyond(servers.url("superuser", elsewhere), 0).total > 0
        process.terminate()
        code = process.wait(60)
    finally:
        demo.close()
    assert not {name for name in names if name.startswith(("postgres", "valkey"))}
    assert not (demo.data / "postgres").exists()
    assert (code, {pid for pid in children if is_alive(pid)}) == (0, set())
    assert servers.postgres.running is not None
    assert servers.postgres.running.is_running()
