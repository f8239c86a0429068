"""A real PostgreSQL with the real roles: one server, one migrated template, a clone for a test."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections

from audit.rules.grants import GRANTS
from message_center.stack.database import Login, apply_grants, ensure_roles
from message_center.stack.ports import reserve
from message_center.stack.postgres import Postgres

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "only-for-tests"
ROLES = ("app", "sequencer", "signer", "exporter")
TEMPLATE = "audit_template"
_numbers = count(1)


@dataclass
class Database:
    """One clone. Roles are `audit_<role>`, `audit_owner` and the superuser `postgres`."""

    server: Postgres
    name: str
    folder: Path
    opened: list["psycopg.Connection[Any]"] = field(default_factory=list)

    def url(self, role: str) -> str:
        if role == "postgres":
            return self.server.url(self.name)
        return self.server.url(self.name, f"audit_{role}", PASSWORD)

    def connect(self, role: str, *, autocommit: bool = True) -> "psycopg.Connection[Any]":
        connection = psycopg.connect(self.url(role), autocommit=autocommit)
        self.opened.append(connection)
        return connection

    def environment(self) -> dict[str, str]:
        """Return what the product's own processes need to run over this clone."""
        urls = {
            "OWNER_DATABASE_URL": "owner",
            "DATABASE_URL": "app",
            "SEQUENCER_DATABASE_URL": "sequencer",
            "SIGNER_DATABASE_URL": "signer",
            "EXPORTER_DATABASE_URL": "exporter",
        }
        return {
            **{name: value for name, value in os.environ.items() if name != "DATABASE_ROLE"},
            **{name: self.url(role) for name, role in urls.items()},
            "SECRET_KEY": "only-for-tests",
            "DATA_DIR": str(self.folder),
            "AUDIT_STATE_DIR": str(self.folder / "audit"),
            "AUDIT_KEY_FILE": str(self.folder / "signing_key.pem"),
            "AUDIT_NONCE_FILE": str(self.folder / "nonce_secret"),
            "AUDIT_ORIGIN_DOMAIN": "audit.telco.example",
            "DJANGO_SETTINGS_MODULE": "message_center.settings",
        }

    def close(self) -> None:
        for connection in self.opened:
            connection.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    folder = tmp_path_factory.mktemp("postgres")
    port, holder = reserve()
    postgres = Postgres(
        folder, port=port, password=PASSWORD, log=folder / "postgres.log", durable=False
    )
    try:
        postgres.start()
        postgres.make_owner("audit_owner", PASSWORD)
        _make_template(postgres)
        yield postgres
    finally:
        postgres.stop()
        holder.close()


def _make_template(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as superuser:
        superuser.execute(f"CREATE DATABASE {TEMPLATE} OWNER audit_owner TEMPLATE template0")
    owner = postgres.url(TEMPLATE, "audit_owner", PASSWORD)
    logins = [Login(role, f"audit_{role}", PASSWORD) for role in ROLES]
    ensure_roles(owner, logins, lambda sentence: None)
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "audit", "--skip-checks", "-v0"],
        cwd=ROOT,
        env={
            **os.environ,
            "OWNER_DATABASE_URL": owner,
            "DATABASE_ROLE": "owner",
            "SECRET_KEY": "x",
        },
        check=True,
    )
    apply_grants(owner, logins, GRANTS)


@contextmanager
def _clone(server: Postgres, folder: Path) -> Iterator[Database]:
    name = f"audit_{next(_numbers)}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as superuser:
        superuser.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
    clone = Database(server, name, folder)
    yield clone
    clone.close()
    with psycopg.connect(server.url("postgres"), autocommit=True) as superuser:
        superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(server: Postgres, tmp_path: Path) -> Iterator[Database]:
    """A clone of the migrated template; plain psycopg connects to it in the role that one names."""
    with _clone(server, tmp_path) as clone:
        yield clone


@pytest.fixture(scope="module")
def shared(server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One clone for all tests of a module that only watch refusals and so leave nothing behind."""
    with _clone(server, tmp_path_factory.mktemp("shared")) as clone:
        yield clone


@pytest.fixture
def app(database: Database, django_db_blocker: Any) -> Iterator[Database]:
    """The same clone, and Django's connections lead to it as the runtime role."""
    before = {alias: dict(connections[alias].settings_dict) for alias in ("default", "denied")}
    for alias in before:
        connections[alias].close()
        connections[alias].settings_dict.update(
            NAME=database.name,
            USER="audit_app",
            PASSWORD=PASSWORD,
            HOST="127.0.0.1",
            PORT=str(database.server.port),
        )
    with django_db_blocker.unblock():
        yield database
        for alias, settings in before.items():
            connections[alias].close()
            connections[alias].settings_dict.update(settings)
