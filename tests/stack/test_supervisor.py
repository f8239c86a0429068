"""The supervisor: order, restarts in the open, one per folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from message_center.stack.processes import DidNotStart, Program, is_alive
from message_center.stack.product import ROOT
from message_center.stack.supervisor import RESTARTS, AlreadyRunning, Part, Supervisor, only_one
from tests.poll import poll


def program(folder: Path, name: str, script: str) -> Program:
    words = [sys.executable, "-c", script]
    return Program(name, words, {"PATH": os.environ["PATH"]}, folder / f"{name}.log", folder=folder)


def part(folder: Path, name: str, script: str, *, is_essential: bool = False) -> Part:
    """A part that is ready when it has made a file of its name."""
    ready = folder / f"{name}.ready"
    return Part(
        program(folder, name, f"open({str(ready)!r}, 'w').close()\n{script}"),
        ready.exists,
        ready_seconds=5,
        stop_seconds=5,
        is_essential=is_essential,
    )


WAIT = "import signal; signal.pause()"
MORTAL = """
import os, time
while not os.path.exists("die"):
    time.sleep(0.01)
print("out of paper")
"""


class Listener:
    """Keeps what a supervisor says. It lets MORTAL parts die when the first is ready, and asks the
    supervisor to stop when a sentence has these words.
    """

    def __init__(self, words: str, die: Path) -> None:
        self.said: list[str] = []
        self._words = words
        self._die = die
        self.supervisor = Supervisor(self._hear)

    def _hear(self, sentence: str) -> None:
        self.said.append(sentence)
        if "is ready" in sentence:
            self._die.touch()
        if self._words in sentence:
            self.supervisor.is_stopping = True


def test_parts_stop_in_reverse_order(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    supervisor.begin(part(tmp_path, "first", WAIT), part(tmp_path, "second", WAIT))
    supervisor.stop()
    words = [sentence.split("] ")[1] for sentence in said]
    assert words == ["first is ready.", "second is ready.", "second stopped.", "first stopped."]


def test_every_sentence_has_its_time(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    supervisor.once(program(tmp_path, "step", "pass"), 10, "Done.")
    assert said[0].startswith("[   0.")
    assert said[0].endswith(" s] Done.")


def test_a_step_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    supervisor = Supervisor(lambda sentence: None)
    with pytest.raises(DidNotStart, match=r"step failed \(3\): no disk"):
        supervisor.once(
            program(tmp_path, "step", "import sys; print('no disk'); sys.exit(3)"), 10, ""
        )


def test_an_essential_part_that_does_not_start_ends_the_start(tmp_path: Path) -> None:
    supervisor = Supervisor(lambda sentence: None)
    broken = Part(program(tmp_path, "web", "raise SystemExit(4)"), bool, is_essential=True)
    with pytest.raises(DidNotStart, match=r"web ended \(4\)"):
        supervisor.begin(broken)
    supervisor.stop()


def test_another_part_that_does_not_start_is_named_and_left_out(tmp_path: Path) -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append)
    supervisor.begin(Part(program(tmp_path, "beat", "raise SystemExit(4)"), bool))
    supervisor.stop()
    assert "beat ended (4)" in said[0]
    assert len(said) == 1


def test_a_part_that_dies_is_started_again_with_a_word(tmp_path: Path) -> None:
    listener = Listener("Starting it again", tmp_path / "die")
    listener.supervisor.begin(part(tmp_path, "worker", MORTAL))
    listener.supervisor.watch(0.01)
    listener.supervisor.stop()
    assert "worker died (0): out of paper" in listener.said[1]


def test_a_part_that_keeps_dying_stays_down(tmp_path: Path) -> None:
    listener = Listener("It stays down", tmp_path / "die")
    listener.supervisor.begin(part(tmp_path, "worker", MORTAL))
    listener.supervisor.watch(0.01)
    listener.supervisor.stop()
    assert sum("Starting it again" in sentence for sentence in listener.said) == RESTARTS


def test_two_supervisors_of_one_folder_are_refused(tmp_path: Path) -> None:
    with only_one(tmp_path):
        script = (
            "from pathlib import Path\n"
            "from message_center.stack.supervisor import AlreadyRunning, only_one\n"
            "try:\n"
            f"    with only_one(Path({str(tmp_path)!r})): pass\n"
            "except AlreadyRunning as refusal: print(refusal)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert f"Process {os.getpid()} already runs" in done.stdout


def test_the_lock_goes_with_its_holder(tmp_path: Path) -> None:
    with only_one(tmp_path):
        pass
    try:
        with only_one(tmp_path):
            pass
    except AlreadyRunning:
        pytest.fail("the lock was not let go")


def test_a_child_dies_with_a_killed_supervisor(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from message_center.stack.processes import Program, start\n"
        f"log = Path({str(tmp_path / 'log')!r})\n"
        "words = [sys.executable, '-c', 'import signal; signal.pause()']\n"
        "print(start(Program('child', words, dict(os.environ), log)).pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    poll(lambda: not is_alive(int(done.stdout)), message="the child to go")
