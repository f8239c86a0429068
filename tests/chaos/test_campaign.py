"""The long campaign: many faults, one after the other, on one running installation."""

import random
import time

import pytest

from tests.chaos.journal import Journal
from tests.chaos.programme import SHORT, SOAK
from tests.chaos.run import finish, run
from tests.chaos.stage import Stage
from tests.poll import TooLate

pytestmark = [pytest.mark.processes, pytest.mark.timeout(0)]
MILLION = 1_000_000


def test_nothing_is_sent_twice_lost_or_stuck(
    stage: Stage, is_soak: bool, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(pytestconfig.getoption("--seed"))
    dice = random.Random(seed)
    programme = (SOAK if is_soak else SHORT).times(float(pytestconfig.getoption("--share")))
    began = time.monotonic()
    minutes = float(pytestconfig.getoption("--minutes")) or float("inf")
    until = began + 60 * minutes
    journal = Journal()
    with capsys.disabled():
        print(f"\nseed {seed}")
        stage.add_campaign()
        stage.begin()
        stage.wait_accepted(20)
        try:
            run(stage, programme.faults(dice), dice, journal, until)
            while is_soak and len(stage.ledger) < MILLION and time.monotonic() < until:
                stage.supply()
                stage.wait_accepted(stage.rate * 5)
                stage.checker.after_fault()
            finish(stage, journal, 600 if not is_soak else 3_600)
        except TooLate as late:
            journal.broke("at the end", late)
            # Whatever came too late must not hide what was sent twice meanwhile.
            stage.checker.after_fault()
        finally:
            journal.note(f"{len(journal.entries)} faults, {time.monotonic() - began:.0f} s")
            print("\n".join(["", *journal.table()]))
    journal.judge()
