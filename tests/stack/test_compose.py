"""`docker-compose.yml` against the code: commands, variables, secrets, and every service as a
process.
"""

import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from message_center.roles import URL_OF_ROLE
from message_center.stack import healthy
from message_center.stack.certificates import demo_certificates
from message_center.stack.compose_secrets import make
from message_center.stack.ports import LOOPBACK, reserve
from message_center.stack.processes import Program, Running, run, start
from message_center.stack.product import PROCESSES, ROOT
from tests.conftest import Database
from tests.poll import poll
from tests.stack.settings_names import settings_names

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVERS = {"postgres", "valkey"}
OURS = sorted(SERVICES.keys() - SERVERS)
LASTING = sorted(PROCESSES)
SECRETS = "/run/secrets/"
EVERYWHERE = "0.0.0.0"  # noqa: S104  (what a container listens on, never this test)
PLACES = re.compile(r"(?<![\w/.])/(?:run/)?(secrets|data|tmp|certificates)\b")


def filled(text: str) -> str:
    """Fill in ${NAME:-default} as compose does without an .env file."""
    return re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", str(text)).replace("$$", "$")


def command(service: str) -> list[str]:
    return [filled(word) for word in SERVICES[service]["command"]]


def environment(service: str) -> dict[str, str]:
    given = SERVICES[service].get("environment", {})
    return {name: filled(value) for name, value in given.items()}


def test_every_process_of_the_product_has_its_service() -> None:
    assert set(PROCESSES) <= set(SERVICES)


def test_the_simulator_is_a_profile() -> None:
    assert [name for name in OURS if "profiles" in SERVICES[name]] == [
        "simulator",
        "simulator-certificates",
    ]


@pytest.mark.parametrize("service", OURS)
def test_every_variable_is_a_setting(service: str) -> None:
    names = {
        name if name in settings_names() else name.removesuffix("_FILE")
        for name in environment(service)
    }
    assert names <= settings_names()


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_secret_that_a_service_reads_is_given_to_it_and_no_other(service: str) -> None:
    words = " ".join(map(str, SERVICES[service].get("command", [])))
    words += " ".join(environment(service).values())
    if service == "postgres":
        words += str(COMPOSE["configs"]["make_owner"]["content"])
    assert set(re.findall(rf"{SECRETS}(\w+)", words)) == set(SERVICES[service].get("secrets", []))


def test_make_secrets_makes_every_secret(tmp_path: Path) -> None:
    files = {Path(secret["file"]).name for secret in COMPOSE["secrets"].values()}
    assert set(make(tmp_path / "secrets")) == files


def test_making_the_secrets_again_changes_none(tmp_path: Path) -> None:
    names = make(tmp_path)
    before = {name: (tmp_path / name).read_text() for name in names}
    assert {name: (tmp_path / name).read_text() for name in make(tmp_path)} == before


def test_every_management_command_exists() -> None:
    named = [command(name)[2] for name in OURS if command(name)[:2] == ["python", "manage.py"]]
    assert set(named) <= set(get_commands())


@pytest.mark.parametrize("service", ["sequencer", "signer"])
def test_the_audit_processes_know_only_their_own_database_role(service: str) -> None:
    urls = {name for name in environment(service) if name.endswith("DATABASE_URL_FILE")}
    assert urls == {f"{URL_OF_ROLE[service]}_FILE"}


def test_only_set_up_knows_the_owner() -> None:
    knows = [name for name in OURS if "OWNER_DATABASE_URL_FILE" in environment(name)]
    assert knows == ["setup"]


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_every_container_is_closed(service: str) -> None:
    about = SERVICES[service]
    assert about["read_only"] is True
    assert about["user"] not in {"root", "0", "0:0"}
    assert about["cap_drop"] == ["ALL"]
    assert about["security_opt"] == ["no-new-privileges:true"]


def test_only_web_has_a_port() -> None:
    assert [name for name in SERVICES if "ports" in SERVICES[name]] == ["web"]


@pytest.mark.parametrize("service", sorted({*SERVERS, *LASTING}))
def test_what_runs_for_long_has_a_health_check(service: str) -> None:
    assert "healthcheck" in SERVICES[service]


@pytest.mark.parametrize("service", LASTING)
def test_a_service_has_the_time_that_its_process_needs_to_stop(service: str) -> None:
    grace = int(SERVICES[service].get("stop_grace_period", "10s").removesuffix("s"))
    assert grace >= PROCESSES[service].stop_seconds


def test_what_the_image_copies_is_there() -> None:
    text = (ROOT / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (ROOT / name).exists(), name


class Container:
    """A service's command as a process: its secrets, volumes and addresses are this test's."""

    def __init__(self, service: str, database: Database, folder: Path) -> None:
        self.service = service
        self.folder = folder
        self._database = database
        for name in ("data", "secrets", "tmp", "certificates"):
            (folder / name).mkdir()
        self.port, self._holder = reserve()
        self._write_secrets()
        self.environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",
            **{name: self.mapped(value) for name, value in environment(service).items()},
        }

    def mapped(self, word: str) -> str:
        """Turn a word of the container's world into this test's."""
        word = word.replace(EVERYWHERE, LOOPBACK).replace(f"{LOOPBACK}:8000", self.address)
        word = {"8000": str(self.port), "2775": str(self.port)}.get(word, word)
        return PLACES.sub(lambda found: f"{self.folder}/{found[1]}", word)

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def program(self) -> Program:
        words = [self.mapped(word) for word in command(self.service)]
        words[0] = shutil.which(words[0], path=self.environment["PATH"]) or words[0]
        log = self.folder / f"{self.service}.log"
        return Program(self.service, words, self.environment, log, signal.SIGKILL, folder=ROOT)

    def is_healthy(self, monkeypatch: pytest.MonkeyPatch) -> bool:
        """Run the health check that the compose file names."""
        words = [self.mapped(word) for word in SERVICES[self.service]["healthcheck"]["test"]]
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)
        return healthy.main(words[3:]) == 0

    def close(self) -> None:
        self._holder.close()

    def _write_secrets(self) -> None:
        ground, secrets = self._database.ground, self.folder / "secrets"
        for role in URL_OF_ROLE:
            (secrets / f"{role}_database_url").write_text(self._database.url(role) + "\n")
        (secrets / "redis_url").write_text(ground.valkey.url + "\n")
        (secrets / "secret_key").write_text(ground.secrets.word("secret_key"))
        key = ground.secrets.key_file("installation.key").read_text()
        (secrets / "installation_key").write_text(key)
        (secrets / "audit_nonce").write_text("n" * 43 + "\n")


@pytest.fixture
def containers(database: Database, tmp_path: Path) -> Iterator[list[tuple[Container, Running]]]:
    """Collects what was started; all of it is killed at the end."""
    started: list[tuple[Container, Running]] = []
    yield started
    for container, running in started:
        running.kill()
        container.close()


@pytest.mark.processes
def test_set_up_runs_as_the_compose_file_says(database: Database, tmp_path: Path) -> None:
    container = Container("setup", database, tmp_path)
    run(container.program(), 60)
    container.close()


@pytest.mark.processes
@pytest.mark.parametrize("service", [name for name in LASTING if name != "simulator"])
def test_a_service_becomes_healthy_and_stops(
    service: str,
    database: Database,
    tmp_path: Path,
    containers: list[tuple[Container, Running]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    container = Container(service, database, tmp_path)
    running = start(container.program())
    containers.append((container, running))
    poll(
        lambda: not running.is_running() or container.is_healthy(monkeypatch),
        30,
        f"{service} to become healthy",
    )
    assert running.is_running(), container.program().log.read_text()[-1000:]
    assert running.stop(PROCESSES[service].stop_seconds) == 0


@pytest.mark.processes
def test_the_simulator_listens(
    database: Database, tmp_path: Path, containers: list[tuple[Container, Running]]
) -> None:
    container = Container("simulator", database, tmp_path)
    demo_certificates(tmp_path / "certificates")
    running = start(container.program())
    containers.append((container, running))
    log = container.program().log
    poll(lambda: not running.is_running() or "ready" in log.read_text(), 20, "the simulator")
    assert running.is_running(), log.read_text()[-1000:]
