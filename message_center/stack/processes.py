"""Child processes that never outlive us, and how long we wait for them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

LAUNCH = Path(__file__).with_name("launch.py")
Clothes = Literal["as_is", "namespace", "setuid"]


class DidNotStart(RuntimeError):
    """A program ended or stayed silent while we waited for it; the sentence says which and where
    its log is.
    """


@dataclass(frozen=True)
class Program:
    """What to run. `death_signal` is what the kernel sends it when we die without a word."""

    name: str
    words: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    death_signal: signal.Signals = signal.SIGTERM
    clothes: Clothes = "as_is"
    folder: Path | None = None


@dataclass
class Running:
    """A program that was started, in a process group of its own: Ctrl-C reaches only us."""

    program: Program
    process: "subprocess.Popen[bytes]"
    started_at: float = field(default_factory=time.monotonic)

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_running(self) -> bool:
        return self.process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Return the exit code, negative for a signal, or None while it runs."""
        return self.process.poll()

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the program itself, not to its children."""
        if self.is_running():
            self.process.send_signal(number)

    def stop(self, seconds: float, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop, wait, and kill its whole group at the end of patience.

        Return the exit code.
        """
        self.send(number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill()
        finally:
            self._kill_group()

    def kill(self) -> int:
        """Kill the program and everything it started."""
        self._kill_group()
        self.process.kill()
        return self.process.wait()

    def _kill_group(self) -> None:
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def start(program: Program) -> Running:
    """Start a program with its output appended to its log.

    Only from the main thread: the kernel's death signal follows the thread that forked, not the
    process.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("A child is started from the main thread, or it dies with the thread.")
    program.log.parent.mkdir(parents=True, exist_ok=True)
    if "ALIVE_FILE" in program.environment:
        Path(program.environment["ALIVE_FILE"]).unlink(missing_ok=True)
    words = [sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid())]
    words += [str(int(program.death_signal)), program.clothes, *program.words]
    with program.log.open("ab") as log:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(program.environment),
            cwd=program.folder,
            start_new_session=True,
        )
    return Running(program, process)


def run(
    program: Program, seconds: float, *, is_cancelled: Callable[[], bool] = lambda: False
) -> None:
    """Run a program to its end.

    Raise DidNotStart with its last words when it fails or takes too long.
    """
    running = start(program)
    try:
        wait_until(lambda: not running.is_running(), seconds, is_cancelled=is_cancelled)
    except TimeoutError:
        raise DidNotStart(f"{program.name} was not done after {seconds:.0f} s.") from None
    finally:
        code = running.kill()
    if code != 0:
        raise DidNotStart(f"{program.name} failed ({code}): {last_words(program.log)}")


def wait_until(
    condition: Callable[[], bool],
    seconds: float,
    *,
    is_cancelled: Callable[[], bool] = lambda: False,
    pause: float = 0.05,
) -> None:
    """Return when the condition holds.

    Raises TimeoutError after so many seconds, Cancelled on request.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if is_cancelled():
            raise Cancelled
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(pause)


class Cancelled(Exception):
    """Somebody asked to stop while we waited."""


def wait_ready(
    running: Running,
    is_ready: Callable[[], bool],
    seconds: float,
    *,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Return when a program answers.

    Raises DidNotStart when it ends before, or is not ready in time.
    """
    program = running.program

    def ready_or_gone() -> bool:
        return not running.is_running() or is_ready()

    try:
        wait_until(ready_or_gone, seconds, is_cancelled=is_cancelled)
    except TimeoutError:
        raise DidNotStart(
            f"{program.name} was not ready after {seconds:.0f} s; its log is {program.log}."
        ) from None
    if not running.is_running():
        raise DidNotStart(
            f"{program.name} ended ({running.exit_code}) before it was ready: "
            f"{last_words(program.log)}"
        )


def last_words(log: Path, lines: int = 3) -> str:
    """Return the last lines of a log in one line, and the log's path."""
    if not log.exists():
        return f"(no log {log})"
    with log.open("rb") as handle:
        handle.seek(max(0, log.stat().st_size - 4000))
        text = handle.read().decode(errors="replace")
    words = " | ".join(line.strip() for line in text.strip().splitlines()[-lines:])
    return f"{words or 'it said nothing'} ({log})"


def is_alive(pid: int) -> bool:
    """Tell whether a process exists and is not a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] not in {"Z", "X"}
