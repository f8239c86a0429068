"""The product's own processes in a test: started, killed, frozen and started again."""

import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from message_center.stack.certificates import demo_certificates
from message_center.stack.ports import LOOPBACK, reserve
from message_center.stack.processes import Program, Running, is_alive, start, wait_ready
from message_center.stack.product import (
    CERTIFICATES,
    PROCESSES,
    ROOT,
    SMPP_PASSWORD,
    Process,
    alive_file,
    is_ready,
)
from message_center.stack.secret_files import SecretFiles
from tests.ground import Ground


@dataclass
class Handle:
    """One process. It stays the same handle over kills and new starts."""

    name: str
    process: Process
    data: Path
    port: int
    database_url: str
    environment: dict[str, str]
    running: Running | None = None

    @property
    def url(self) -> str:
        """Return http://127.0.0.1:port, for the web process."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        return self._started.pid

    @property
    def log(self) -> Path:
        return self.data / "logs" / f"{self.name}.log"

    @property
    def log_text(self) -> str:
        """Return all it has said, over all its starts."""
        return self.log.read_text(errors="replace")

    @property
    def is_running(self) -> bool:
        return self.running is not None and self.running.is_running()

    @property
    def exit_code(self) -> int | None:
        return self._started.exit_code

    def begin(self) -> None:
        """Start it and do not wait."""
        words = self.process.command(self.data, self.port)
        self.running = start(
            Program(self.name, words, self.environment, self.log, signal.SIGKILL, folder=ROOT)
        )

    def wait(self, seconds: float = 30) -> None:
        """Wait until it shows that it is ready. Raises DidNotStart with its last words."""
        wait_ready(self._started, self.is_ready, seconds)

    def start(self, seconds: float = 30) -> "Handle":
        """Start it (again) and wait until it is ready."""
        self.begin()
        self.wait(seconds)
        return self

    def is_ready(self) -> bool:
        if self.process.sign == "alive_file":
            return alive_file(self.data, self.name).exists()
        return is_ready(
            self.process, data=self.data, port=self.port, database_url=self.database_url
        )

    def kill9(self) -> None:
        """Kill it and everything it started, without a warning."""
        self._started.kill()

    def term(self, seconds: float | None = None) -> int:
        """Ask it to stop as a deployment does, and return its exit code.

        Fails when it has not gone by itself after so many seconds (its own patience by default).
        """
        running = self._started
        code = running.stop(self.process.stop_seconds if seconds is None else seconds)
        assert code != -signal.SIGKILL, (
            f"{self.name} did not stop by itself: {self.log_text[-500:]}"
        )
        return code

    def freeze(self) -> None:
        """Stop it in the middle of whatever it does, as a frozen virtual machine."""
        self._started.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._started.send(signal.SIGCONT)

    @property
    def _started(self) -> Running:
        assert self.running is not None, f"{self.name} was never started"
        return self.running


class Processes:
    """Starts the product's processes over one database; `environment` holds settings for all of
    them.
    """

    def __init__(self, ground: Ground, database: str, data: Path) -> None:
        self.ground = ground
        self.database = database
        self.data = data
        self.environment = ground.environment(database) | {
            "DATA_DIR": str(data),
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        }
        self._handles: dict[str, Handle] = {}
        self._holders: list[socket.socket] = []
        (data / "run").mkdir(parents=True, exist_ok=True)

    def __getitem__(self, name: str) -> Handle:
        return self._handles[name]

    def start(self, name: str, *, known_as: str = "", **environment: str) -> Handle:
        """Start one process of stack/product.py and wait until it is ready.

        `known_as` names a second one of the same kind; keywords are settings for it alone.
        """
        return self.prepare(name, known_as=known_as, **environment).start()

    def start_together(self, *names: str) -> list[Handle]:
        """Start several side by side and wait until all are ready."""
        handles = [self.prepare(name) for name in names]
        for handle in handles:
            handle.begin()
        for handle in handles:
            handle.wait()
        return handles

    def prepare(self, name: str, *, known_as: str = "", **environment: str) -> Handle:
        """Return the handle of a process that is not started yet."""
        known_as = known_as or name
        if name == "simulator":
            demo_certificates(self.data / CERTIFICATES)
            SecretFiles(self.data / "secrets").short_word(SMPP_PASSWORD)
        port, holder = reserve()
        self._holders.append(holder)
        handle = Handle(
            name=known_as,
            process=PROCESSES[name],
            data=self.data,
            port=port,
            database_url=self.ground.url("superuser", self.database),
            environment=self.environment
            | {"ALIVE_FILE": str(alive_file(self.data, known_as))}
            | environment,
        )
        self._handles[known_as] = handle
        return handle

    def stop(self) -> None:
        """Kill everything that still runs and check that nothing stays behind."""
        for handle in self._handles.values():
            if handle.running is not None:
                handle.running.kill()
                assert not is_alive(handle.running.pid)
        for holder in self._holders:
            holder.close()
