"""The product's own processes: what each is called, how it is started and how one sees that it is
ready.

The demo, the process tests and the compose file's test all read this table.
"""

import http.client
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg

from campaigns.management.demo import SUBSCRIBERS, SYSTEM_ID
from message_center.stack.ports import LOOPBACK, is_open

Sign = Literal["http", "alive_file", "database", "port"]

ROOT = Path(__file__).resolve().parent.parent.parent
CELERY = ("-m", "celery", "-A", "message_center")
# Inside the data folder: what both ends of the demo's SMPP connection need.
CERTIFICATES = "certificates"
SMPP_PASSWORD = "smpp_password"  # noqa: S105  (a file's name)


@dataclass(frozen=True)
class Process:
    """One process of the product.

    `words` follow the Python interpreter; {port} and {data} are filled in. `sign` says what shows
    that it is ready: an HTTP answer, its ALIVE_FILE, its connection in the database or an open
    port. `stop_seconds` is how long it may take to finish what it has begun.
    `roles` are the database roles whose URLs it gets to know.
    """

    name: str
    words: tuple[str, ...]
    sign: Sign
    stop_seconds: float = 10
    roles: tuple[str, ...] = ("app",)

    def command(self, data: Path, port: int = 0) -> list[str]:
        """Return the words to start it with over this data folder."""
        return [sys.executable, *(word.format(port=port, data=data) for word in self.words)]


def _worker(queue: str, *words: str) -> tuple[str, ...]:
    name = "worker" if queue == "work" else queue
    return (
        *(*CELERY, "worker", "-Q", queue, "-n", f"{name}@%h", "--loglevel", "INFO"),
        *("--without-gossip", "--without-mingle", *words),
    )


WEB = Process(
    "web",
    (
        *("-m", "gunicorn", "message_center.wsgi:application", "--bind", f"{LOOPBACK}:{{port}}"),
        *("--worker-class", "gthread", "--workers", "2", "--threads", "4", "--preload"),
        *("--no-control-socket", "--graceful-timeout", "10", "--log-level", "warning"),
    ),
    "http",
    # A worker that was only just forked does not hear that it shall end: it is killed after the
    # graceful timeout, in the compose file 20 s, and the server ends after it.
    25,
    roles=("app", "exporter"),
)
WORKER = Process(
    "worker",
    _worker("work", "-P", "prefork", "-c", "2"),
    "alive_file",
    15,
    roles=("app", "exporter"),
)
SENDER = Process("sender", _worker("sender", "-P", "threads", "-c", "1"), "alive_file", 30)
BEAT = Process(
    "beat",
    (*CELERY, "beat", "--schedule", "{data}/beat-schedule", "--pidfile=", "--loglevel", "INFO"),
    "alive_file",
)
SEQUENCER = Process("sequencer", ("manage.py", "audit_sequencer"), "database", roles=("sequencer",))
SIGNER = Process("signer", ("manage.py", "audit_signer"), "database", roles=("signer",))
SIMULATOR = Process(
    "simulator",
    (
        *("manage.py", "simulator", "--host", LOOPBACK, "--port", "{port}"),
        *("--ca", f"{{data}}/{CERTIFICATES}/ca.pem"),
        *("--cert", f"{{data}}/{CERTIFICATES}/server.pem"),
        *("--key", f"{{data}}/{CERTIFICATES}/server.key"),
        *("--ledger", "{data}/simulator.ledger", "--system-id", SYSTEM_ID),
        *("--password-file", f"{{data}}/secrets/{SMPP_PASSWORD}"),
        *("--write-from", f"{{data}}/{SUBSCRIBERS}"),
    ),
    "port",
    roles=(),
)

# In the order in which they start: those who only wait for others come last.
PROCESSES: Mapping[str, Process] = {
    process.name: process for process in (SIMULATOR, WEB, WORKER, SENDER, BEAT, SEQUENCER, SIGNER)
}


def alive_file(data: Path, name: str) -> Path:
    """Return the file that a Celery process touches while it is well."""
    return data / "run" / f"{name}.alive"


def answers_http(port: int) -> bool:
    """Tell whether the web server on this port says that it can work.

    A redirect to HTTPS counts.
    """
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/health/ready/", headers={"Host": "localhost"})
        return connection.getresponse().status < 400
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def is_connected(url: str, name: str) -> bool:
    """Tell whether a process of this name has a connection in the database of this URL."""
    question = (
        "SELECT 1 FROM pg_stat_activity WHERE application_name = %s"
        " AND datname = current_database()"
    )
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            return connection.execute(question, [f"message-center-{name}"]).fetchone() is not None
    except psycopg.Error:
        return False


def is_ready(process: Process, *, data: Path, port: int, database_url: str) -> bool:
    """Tell whether a process that was started shows its sign."""
    if process.sign == "http":
        return answers_http(port)
    if process.sign == "port":
        return is_open(port)
    if process.sign == "database":
        return is_connected(database_url, process.name)
    return alive_file(data, process.name).exists()
