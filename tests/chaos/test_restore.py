"""I9: a database that was restored from a backup does not send until two people have confirmed it.

The backup is a copy of the stopped cluster, put back after more was sent: after the sender was
killed, and under a living sender, as a failover to an older replica does it.
"""

import shutil
import subprocess
import time

import pytest
from django.utils import timezone

from campaigns.actions.restoring import ask_restore, confirm_restore
from tests import make
from tests.chaos.stage import Stage, fresh_connections
from tests.poll import poll
from workspaces.actions.epoch_file import EpochFile
from workspaces.rules.epochs import Choice

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]
QUIET_SECONDS = 4


@pytest.mark.parametrize("is_killed", [True, False], ids=["sender killed", "sender lives"])
def test_a_restored_database_sends_nothing_before_two_people_agree(
    stage: Stage, is_killed: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.add_campaign()
    stage.begin()
    stage.wait_accepted(100)
    back_up(stage)
    stage.wait_accepted(300)
    if is_killed:
        stage.sender.kill9()
    restore(stage)
    if is_killed:
        stage.begin()
    poll(lambda: doubt(stage), 30, "nothing is in doubt")
    stage.ledger.read_on()
    accepted, seen_at = len(stage.ledger), doubt(stage)
    time.sleep(QUIET_SECONDS)
    assert stage.ledger.read_on() == accepted
    # The outage itself may have held the campaign for a moment: its route was down.
    poll(lambda: "restored from a backup" in reason(stage), 30, "the campaign does not say why")
    unknown = agree(stage)
    stage.wait_accepted(100)
    stage.finish(240)
    checker = stage.checker
    checker.nothing_twice()
    checker.submitted_is_in_the_ledger()
    checker.counted(stage.campaign_ids)
    checker.nothing_stuck()
    counts = checker.nothing_lost()
    with capsys.disabled():
        print(
            f"\nrestored ({'sender killed' if is_killed else 'sender lives'}): in doubt"
            f" ({seen_at}), {accepted} accepted before, {unknown} made unknown;"
            f" in the end {counts}, the SMSC accepted {len(stage.ledger)}"
        )


def back_up(stage: Stage) -> None:
    """Copy the cluster while it is stopped; the sender lives through it."""
    postgres = stage.processes.ground.postgres
    postgres.stop()
    data = postgres.home.data
    words = ["/bin/cp", "-a", str(data), str(data.with_name("backup"))]
    subprocess.run(words, check=True)
    postgres.start()


def restore(stage: Stage) -> None:
    """Put the copy in the place of what has moved on since."""
    fresh_connections()
    postgres = stage.processes.ground.postgres
    postgres.stop(immediate=True)
    data = postgres.home.data
    shutil.rmtree(data)
    data.with_name("backup").rename(data)
    postgres.start()
    fresh_connections()


def doubt(stage: Stage) -> str:
    """Return why the database is in doubt, empty when it is not."""
    return str(stage.checker.rows("SELECT doubt FROM installation")[0][0])


def reason(stage: Stage) -> str:
    """Return what the campaign says about why it is not faster."""
    return str(stage.checker.rows("SELECT reason FROM progress")[0][0])


def agree(stage: Stage) -> int:
    """Let two people decide that what may have been sent is unknown; return how many."""
    fresh_connections()
    first, second = make.user(is_super_admin=True), make.user(is_super_admin=True)
    file = EpochFile(stage.processes.data / "installation_epoch")
    now = timezone.now()
    ask_restore(by=first, choice=Choice.UNKNOWN, why="a restore drill", now=now)
    return confirm_restore(by=second, file=file, now=now).unknown_count
