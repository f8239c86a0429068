"""The whole product on one machine with one command: what `make demo` runs."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
import redis

from campaigns.management.demo import SPREAD_NAME, SPREAD_TEAM
from message_center.stack.database import SetupRefused
from message_center.stack.installation import (
    Installation,
    UrlMissing,
    database_urls,
    derived_urls,
)
from message_center.stack.ports import Ports, is_free
from message_center.stack.postgres import Postgres, PostgresRefused
from message_center.stack.processes import Cancelled, DidNotStart, Program, wait_until
from message_center.stack.product import PROCESSES, ROOT, Process, is_ready
from message_center.stack.secret_files import SecretFiles
from message_center.stack.supervisor import AlreadyRunning, Part, Supervisor, only_one
from message_center.stack.valkey import Valkey, ValkeyRefused

DATABASE = "message_center"
OWNER = "message_center_owner"
OURS = """
SELECT 1 FROM campaign
JOIN progress ON progress.campaign_id = campaign.id
JOIN workspace ON workspace.id = campaign.workspace_id
WHERE workspace.slug = %s AND campaign.name = %s AND campaign.state = 'sending'
  AND progress.submitted_segments > 0 LIMIT 1
"""
REFUSALS = (
    AlreadyRunning,
    DidNotStart,
    PostgresRefused,
    SetupRefused,
    UrlMissing,
    ValkeyRefused,
)


class DemoRefused(RuntimeError):
    """The demo cannot start or go on; the sentence says what to do."""


@dataclass(frozen=True)
class Wish:
    """What the caller asked for: the data folder, the port of the pages, and the environment."""

    data: Path
    port: int
    environment: Mapping[str, str]


def run_demo(wish: Wish, say: Callable[[str], None]) -> None:
    """Start everything, stay until Ctrl-C or SIGTERM, stop everything. Raises DemoRefused."""
    supervisor = Supervisor(say)
    supervisor.listen()
    try:
        with only_one(wish.data):
            _run(wish, supervisor)
    except Cancelled:
        return
    except REFUSALS as refusal:
        raise DemoRefused(str(refusal)) from refusal


def _run(wish: Wish, supervisor: Supervisor) -> None:
    if not is_free(wish.port):
        raise DemoRefused(
            f"Port {wish.port} is in use; choose another one: make demo PORT={wish.port + 1}"
        )
    try:
        installation = _installation(wish, supervisor)
        installation.prepare()
        _set_up(installation, supervisor)
        _begin(installation, supervisor)
        _seed(installation, supervisor)
        _announce(installation, supervisor)
        supervisor.watch()
    finally:
        supervisor.stop()


def _installation(wish: Wish, supervisor: Supervisor) -> Installation:
    """Start PostgreSQL and Valkey, or take those that the environment names."""
    secrets = SecretFiles(wish.data / "secrets")
    ports = Ports(wish.data / "ports.json")
    return Installation(
        data=wish.data,
        secrets=secrets,
        urls=_databases(wish, secrets, ports, supervisor),
        redis_url=_redis(wish, secrets, ports, supervisor),
        web_port=wish.port,
        simulator_port=ports.of("simulator"),
    )


def _databases(
    wish: Wish, secrets: SecretFiles, ports: Ports, supervisor: Supervisor
) -> dict[str, str]:
    if wish.environment.get("DATABASE_URL") or wish.environment.get("OWNER_DATABASE_URL"):
        supervisor.say("PostgreSQL: the one in DATABASE_URL.")
        return database_urls(wish.environment, secrets)
    postgres = Postgres(
        wish.data / "postgres",
        port=ports.of("postgres"),
        password=secrets.word("superuser"),
        log=wish.data / "logs" / "postgres.log",
        durable=True,
    )
    supervisor.serve("PostgreSQL", postgres)
    postgres.make_owner(OWNER, secrets.word("owner"))
    return derived_urls(postgres.url(DATABASE, OWNER, secrets.word("owner")), secrets)


def _redis(wish: Wish, secrets: SecretFiles, ports: Ports, supervisor: Supervisor) -> str:
    given = wish.environment.get("REDIS_URL")
    if not given:
        valkey = Valkey(
            wish.data / "valkey",
            port=ports.of("valkey"),
            password=secrets.word("valkey"),
            log=wish.data / "logs" / "valkey.log",
        )
        supervisor.serve("Valkey", valkey)
        return valkey.url
    try:
        with redis.Redis.from_url(given, socket_connect_timeout=3, socket_timeout=3) as client:
            client.ping()
    except (redis.RedisError, ValueError) as failure:
        raise DemoRefused(f"REDIS_URL does not answer: {failure}") from failure
    supervisor.say("Valkey: the one in REDIS_URL.")
    return given


def _set_up(installation: Installation, supervisor: Supervisor) -> None:
    everybody = installation.environment(*installation.urls)
    supervisor.once(
        _command(installation, "setup_database", everybody), 300, "The database is set up."
    )


def _begin(installation: Installation, supervisor: Supervisor) -> None:
    """Start the product's processes side by side."""
    supervisor.begin(*(_part(installation, process) for process in PROCESSES.values()))


def _part(installation: Installation, process: Process) -> Part:
    port = installation.simulator_port if process.name == "simulator" else installation.web_port
    return Part(
        installation.program(process),
        partial(
            is_ready,
            process,
            data=installation.data,
            port=port,
            database_url=installation.urls["owner"],
        ),
        stop_seconds=process.stop_seconds,
        is_essential=process.name == "web",
    )


def _seed(installation: Installation, supervisor: Supervisor) -> None:
    """Make the sample workspaces, and pass on what the command says about accounts."""
    program = _command(installation, "seed_demo", installation.environment("app", "exporter"))
    program.log.unlink(missing_ok=True)
    try:
        supervisor.once(program, 120, "The sample data is there.")
    except DidNotStart as failure:
        supervisor.say(f"{failure} The product runs without sample data.")
        return
    for line in program.log.read_text(errors="replace").splitlines():
        supervisor.show(line)


def _announce(installation: Installation, supervisor: Supervisor) -> None:
    supervisor.say(f"Open http://localhost:{installation.web_port}   (Ctrl-C stops everything)")
    try:
        wait_until(
            lambda: has_running_campaign(installation.urls["app"]),
            60,
            is_cancelled=lambda: supervisor.is_stopping,
            pause=0.3,
        )
    except TimeoutError:
        supervisor.say(f"{SPREAD_NAME} has sent nothing yet; its page tells the reason.")
        return
    supervisor.say(f"A campaign is running, {SPREAD_NAME}: the Campaigns page shows it.")


def has_running_campaign(url: str) -> bool:
    """Tell whether the sample data's own campaign sends, and has submitted something."""
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            connection.execute("SELECT set_config('app.workspace', '*', false)")
            return connection.execute(OURS, [SPREAD_TEAM, SPREAD_NAME]).fetchone() is not None
    except psycopg.Error:
        return False


def _command(installation: Installation, name: str, environment: dict[str, str]) -> Program:
    words = [sys.executable, "manage.py", name]
    return Program(name, words, environment, installation.log(name), folder=ROOT)


def wish_from(data: str, port: int) -> Wish:
    """Return the wish of a command line; the environment is this process's own."""
    return Wish(Path(data).resolve(), port, dict(os.environ))
