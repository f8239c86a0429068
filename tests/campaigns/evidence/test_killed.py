"""kill -9 at any moment of sealing: nothing is sealed twice and nothing is left out."""

import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from campaigns.actions.segment_upkeep import remove_strays
from tests.campaigns.evidence.ground import Sealed
from tests.workspaces.log import entries

pytestmark = pytest.mark.alone

KILLS, ATTEMPTS = 20, 6_000
MORE = """
INSERT INTO submission (batch_on, batch_id, workspace_id, campaign_id, position, part, part_count,
    connection_id, kind, smsc_id, happened_at)
SELECT s.batch_on, 1000000 + n / 200, s.workspace_id, s.campaign_id, n, 1, 1, s.connection_id,
       'submitted', 'more-' || n, s.happened_at
FROM (SELECT * FROM submission LIMIT 1) s, generate_series(1000, %s) n
"""


def test_twenty_kills_leave_every_outcome_sealed_once(sealed: Sealed) -> None:
    sealed.send(rows=1)
    sealed.sql(MORE, 999 + ATTEMPTS)
    # Later and later, until one is through; how many that takes is the machine's affair.
    killed = sum(_sealing(sealed, 0.008 * kill) for kill in range(KILLS))
    assert killed >= KILLS // 4
    sealed.seal(hours=1)
    sealed.seal(hours=2)
    lines = [line for segment in sealed.segments() for line in sealed.lines(segment)]
    found = Counter((line["position"], line["attempt"]) for line in lines)
    assert (len(found), set(found.values())) == (ATTEMPTS + 1, {1})
    sealings = [entry for entry in entries(sealed.place) if entry["op"] == "messages.sealed"]
    assert len(sealings) == len(sealed.segments())
    remove_strays(sealed.now + timedelta(days=2))
    kept = {sealed.path(segment) for segment in sealed.segments()}
    assert set(sealed.path(sealed.segments()[0]).parent.iterdir()) == kept


def _sealing(sealed: Sealed, seconds: float) -> bool:
    """Kill a process that seals so many seconds after it began; say whether it was not through."""
    environment = sealed.database.ground.environment(sealed.database.name)
    words = ["-m", "tests.campaigns.evidence.killed", str(settings.DATA_DIR)]
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", *words, sealed.now.isoformat()],
        cwd=Path(__file__).parents[3],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        process.kill()
        said: str = process.stdout.read()
        return not said
