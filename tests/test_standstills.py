"""What counts as hit by a standstill of the machine, and that one is seen."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.poll import poll
from tests.standstills import ENOUGH, Standstill, is_hit, require_enough, seconds_lost, witness

STILL = [Standstill(3.4, 3.9), Standstill(8.0, 8.1)]


def test_a_second_is_hit_when_the_machine_stood_still_in_it_or_just_before() -> None:
    assert [second for second in range(10) if is_hit(STILL, second, second + 1)] == [3, 4, 8]
    assert not is_hit([Standstill(2.0, 2.7)], 3, 4)
    assert not is_hit([], 3, 4)


def test_the_time_lost_is_what_falls_between() -> None:
    assert seconds_lost(STILL, 3.5, 8.05) == pytest.approx(0.4 + 0.05)
    assert seconds_lost(STILL, 4, 8) == 0.0


def test_what_is_excused_has_a_bound() -> None:
    require_enough(100 * ENOUGH, 100)
    with pytest.raises(AssertionError, match="too often"):
        require_enough(100 * ENOUGH - 1, 100)


def test_a_process_that_only_looks_at_the_clock_tells_of_it(tmp_path: Path) -> None:
    with witness(tmp_path) as seen:
        stopped = time.time()
        os.kill(seen.pid, signal.SIGSTOP)
        poll(lambda: time.time() > stopped + 0.2, 10)
        os.kill(seen.pid, signal.SIGCONT)
        poll(lambda: seconds_lost(seen.all(), stopped, stopped + 0.2) > 0.15, 10, "it saw nothing")
