"""Starts a few programs in order, watches them, and stops them in reverse order."""

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Protocol

from message_center.stack.processes import (
    Cancelled,
    DidNotStart,
    Program,
    Running,
    last_words,
    run,
    start,
    wait_ready,
)

RESTARTS = 3
RESTART_WINDOW_SECONDS = 600.0


class AlreadyRunning(RuntimeError):
    """Another supervisor works in the same data folder; the sentence says which process."""


class Server(Protocol):
    """PostgreSQL or Valkey: a server that knows itself when it is ready."""

    running: Running | None

    def start(self) -> Running: ...
    def stop(self) -> None: ...


@dataclass(frozen=True)
class Part:
    """A program to keep running. Without an essential one nothing else makes sense."""

    program: Program
    is_ready: Callable[[], bool]
    ready_seconds: float = 60
    stop_seconds: float = 10
    is_essential: bool = False


@dataclass
class _Deaths:
    """When something died lately."""

    at: list[float] = field(default_factory=list)

    def are_too_many(self) -> bool:
        """Note one more death; tell whether that was one more than we put up with."""
        now = time.monotonic()
        self.at = [moment for moment in self.at if now - moment < RESTART_WINDOW_SECONDS]
        self.at.append(now)
        return len(self.at) > RESTARTS


@dataclass
class _Served:
    name: str
    server: Server
    deaths: _Deaths = field(default_factory=_Deaths)


@dataclass
class _Watched:
    part: Part
    running: Running | None
    deaths: _Deaths = field(default_factory=_Deaths)

    def stop(self) -> None:
        if self.running is not None:
            self.running.stop(self.part.stop_seconds)
            self.running = None


@contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Hold the data folder's lock. Raises AlreadyRunning when another process holds it.

    The kernel lets the lock go with the process, so a kill -9 leaves nothing to clean up.
    """
    data.mkdir(parents=True, exist_ok=True)
    with (data / "supervisor.lock").open("a+", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            raise AlreadyRunning(
                f"Process {handle.read().strip() or '(unknown)'} already runs from {data}; "
                "stop it with Ctrl-C, or choose another folder with DATA=."
            ) from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


class Supervisor:
    """Runs steps and parts. `say` gets one sentence for each thing that happens."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._started_at = time.monotonic()
        self._say = say
        self._servers: list[_Served] = []
        self._watched: list[_Watched] = []
        self.is_stopping = False

    def listen(self) -> None:
        """Take Ctrl-C and SIGTERM as the request to stop."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def say(self, sentence: str) -> None:
        """Say a sentence with the seconds since the start in front."""
        self._say(f"[{time.monotonic() - self._started_at:6.1f} s] {sentence}")

    def show(self, line: str) -> None:
        """Say a line as it is."""
        self._say(line)

    def serve(self, name: str, server: Server) -> None:
        """Start PostgreSQL or Valkey. Raises DidNotStart."""
        self._servers.append(_Served(name, server))
        server.start()
        self.say(f"{name} is ready.")
        self._check()

    def once(self, program: Program, seconds: float, done: str) -> None:
        """Run a program to its end. Raises DidNotStart when it fails."""
        run(program, seconds, is_cancelled=self._is_stopping)
        self.say(done)

    def begin(self, *parts: Part) -> None:
        """Start parts side by side and wait until each is ready.

        Raises DidNotStart for an essential one; another that fails is named and left out.
        """
        together = [_Watched(part, start(part.program)) for part in parts]
        self._watched += together
        for watched in together:
            self._await(watched)

    def watch(self, seconds: float = 0.5) -> None:
        """Return when asked to stop; start what dies meanwhile again, a few times.

        Raises DidNotStart when a server does not come back.
        """
        while not self.is_stopping:
            for served in self._servers:
                running = served.server.running
                if running is not None and not running.is_running():
                    self._serve_again(served, running)
            for watched in self._watched:
                if watched.running is not None and not watched.running.is_running():
                    self._revive(watched, watched.running)
            time.sleep(seconds)

    def stop(self) -> None:
        """Stop everything in reverse order. A second Ctrl-C does not cut this short."""
        self.is_stopping = True
        for watched in reversed(self._watched):
            if watched.running is not None:
                watched.stop()
                self.say(f"{watched.part.program.name} stopped.")
        for served in reversed(self._servers):
            served.server.stop()
            self.say(f"{served.name} stopped.")
        self._watched, self._servers = [], []

    def _await(self, watched: _Watched) -> None:
        part, running = watched.part, watched.running
        assert running is not None
        try:
            wait_ready(running, part.is_ready, part.ready_seconds, is_cancelled=self._is_stopping)
        except DidNotStart as failure:
            watched.stop()
            if part.is_essential:
                raise
            self.say(f"{failure} Everything else goes on without it.")
            return
        self.say(f"{part.program.name} is ready.")

    def _serve_again(self, served: _Served, dead: Running) -> None:
        """Start a dead server again. Raises DidNotStart when it keeps dying."""
        if served.deaths.are_too_many():
            raise DidNotStart(f"{served.name} keeps dying: {last_words(dead.program.log, 1)}")
        self.say(f"{served.name} died ({dead.exit_code}); starting it again.")
        served.server.start()
        self.say(f"{served.name} is ready.")

    def _revive(self, watched: _Watched, dead: Running) -> None:
        """Start a dead part again, a few times at most, and never without a word."""
        name, words = watched.part.program.name, last_words(watched.part.program.log, 1)
        dead.kill()
        watched.running = None
        if watched.deaths.are_too_many():
            self.say(f"{name} died again ({dead.exit_code}): {words}. It stays down.")
            return
        self.say(f"{name} died ({dead.exit_code}): {words}. Starting it again.")
        watched.running = start(watched.part.program)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.is_stopping = True

    def _is_stopping(self) -> bool:
        return self.is_stopping

    def _check(self) -> None:
        if self.is_stopping:
            raise Cancelled
