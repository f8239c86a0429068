"""One installation on this machine: its data folder, its servers' URLs, and the settings of each
process.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg

from message_center.roles import RUNTIME_ROLES, URL_OF_ROLE, role_name
from message_center.stack.certificates import demo_certificates
from message_center.stack.database import SetupRefused, database_name
from message_center.stack.processes import Program
from message_center.stack.product import (
    CERTIFICATES,
    ROOT,
    SMPP_PASSWORD,
    Process,
    alive_file,
)
from message_center.stack.secret_files import SecretFiles


class UrlMissing(RuntimeError):
    """A database URL that is needed is not there; the sentence names it."""


@dataclass(frozen=True)
class Installation:
    """What its processes have to be told. `urls` are the database URLs by role."""

    data: Path
    secrets: SecretFiles
    urls: Mapping[str, str]
    redis_url: str
    web_port: int
    simulator_port: int

    def prepare(self) -> None:
        """Make the folders, secrets and certificates that are not there yet."""
        (self.data / "run").mkdir(parents=True, exist_ok=True)
        demo_certificates(self.data / CERTIFICATES)
        self.secrets.short_word(SMPP_PASSWORD)
        self.secrets.word("audit_nonce_secret")
        # A real one belongs to somebody else; this one shows what a receipt is.
        self.anchor_file.parent.mkdir(exist_ok=True)
        self.anchor_file.touch()

    @property
    def anchor_file(self) -> Path:
        """Return the append-only file to which the log's checkpoints go."""
        return self.data / "anchors" / "checkpoints.jsonl"

    def environment(self, *roles: str) -> dict[str, str]:
        """Return the settings of a process that may know the URLs of these roles."""
        return {
            **_ours(os.environ),
            "DJANGO_SETTINGS_MODULE": "message_center.settings",
            "PYTHONUNBUFFERED": "1",
            "DEBUG": "1",
            "DATA_DIR": str(self.data),
            "SECRET_KEY": self.secrets.word("secret_key"),
            "KEY_FILE": str(self.secrets.key_file("installation.key")),
            "REDIS_URL": self.redis_url,
            "PUBLIC_URL": f"http://localhost:{self.web_port}",
            "SIMULATOR_PORT": str(self.simulator_port),
            "AUDIT_ANCHOR_FILE": str(self.anchor_file),
            **{URL_OF_ROLE[role]: self.urls[role] for role in roles},
        }

    def program(self, process: Process) -> Program:
        """Return a process of the product, ready to be started here."""
        alive = alive_file(self.data, process.name)
        port = self.simulator_port if process.name == "simulator" else self.web_port
        return Program(
            process.name,
            process.command(self.data, port),
            self.environment(*process.roles) | {"ALIVE_FILE": str(alive)},
            self.log(process.name),
            folder=ROOT,
        )

    def log(self, name: str) -> Path:
        """Return the log of a process."""
        return self.data / "logs" / f"{name}.log"


# Of the caller's environment only this goes on: a stray setting would make the demo differ.
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "VIRTUAL_ENV", "OPERATOR_NAME")


def _ours(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: environment[name] for name in _KEPT if name in environment}


def database_urls(environment: Mapping[str, str], secrets: SecretFiles) -> dict[str, str]:
    """Return the URL of every role for a PostgreSQL that the environment names.

    OWNER_DATABASE_URL makes what is missing. Without it DATABASE_URL takes its part, if it may, and
    the product itself runs as a role that is made. Raises UrlMissing or SetupRefused.
    """
    given = {role: environment.get(name, "") for role, name in URL_OF_ROLE.items()}
    if not given["owner"]:
        _check_may_own(given["app"])
        given = dict.fromkeys(given, "") | {"owner": given["app"]}
    return derived_urls(given["owner"], secrets) | {role: url for role, url in given.items() if url}


def derived_urls(owner_url: str, secrets: SecretFiles) -> dict[str, str]:
    """Return the URLs of the owner and of the roles that setup_database will make beside it."""
    database = database_name(owner_url)
    parts = urlsplit(owner_url)
    _, _, place = parts.netloc.rpartition("@")
    urls = {"owner": owner_url}
    for role in RUNTIME_ROLES:
        login = f"{quote(role_name(role, database))}:{quote(secrets.word(role))}"
        urls[role] = urlunsplit(parts._replace(netloc=f"{login}@{place}"))
    return urls


def _check_may_own(url: str) -> None:
    """Raise UrlMissing unless the role of this URL may make roles."""
    question = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = user"
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            found = connection.execute(question).fetchone()
    except psycopg.OperationalError as failure:
        first = str(failure).strip().splitlines()[0]
        raise SetupRefused(f"DATABASE_URL does not answer: {first}") from failure
    if found != (True,):
        raise UrlMissing(
            "The role in DATABASE_URL may not make other roles: set OWNER_DATABASE_URL to one that "
            "may (it needs CREATEROLE, and CREATEDB when the database is not there yet)."
        )
