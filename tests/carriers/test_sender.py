"""The second carrier in the real sender, beside an SMPP connection."""

import base64
import time
from pathlib import Path

import pytest

from smpp_client.models import Connection, ConnectionEvent, SessionStatus
from tests import make
from tests.campaigns.sending.wire import complete, progress, site, wait_bound, wait_for_counts
from tests.carriers.conftest import Carrier
from tests.carriers.far_end import FarEnd
from tests.poll import poll
from tests.processes import Processes
from tests.standstills import require_enough, seconds_lost, witness
from workspaces.queries import keys as key_queries
from workspaces.scope import scope_everywhere

pytestmark = [pytest.mark.processes, pytest.mark.alone]
RATE, BUDGET, ROWS = 200, 20, 240


def line_connection(carrier: Carrier, far_end: FarEnd) -> Connection:
    """A connection of the second carrier; a call that takes a second counts as hanging."""
    return make.connection(
        port=far_end.port,
        carrier="lines",
        carrier_settings={"mood": str(carrier.mood_file)},
        rate=RATE,
        window=BUDGET,
        enquire_seconds=1,
        response_seconds=5,
    )


def wait_told(connection: Connection, words: str) -> None:
    """Poll until an event of the connection has these words."""
    events = ConnectionEvent.objects.filter(connection=connection, sentence__contains=words)
    poll(events.exists, 20, f"nothing told of {words}")


def test_it_sends_a_campaign_and_its_bad_days_are_nobody_elses(
    processes: Processes, carrier: Carrier, far_end: FarEnd, tmp_path: Path
) -> None:
    key_queries.keys.cache_clear()
    processes.environment |= {
        "PYTHONPATH": str(carrier.folder),
        "LEASE_SECONDS": "4",
        "LEASE_RENEW_SECONDS": "0.5",
    }
    with scope_everywhere("the test looks at everything"):
        wired = site(tmp_path / "wire", rate=RATE)
        lines = line_connection(carrier, far_end)
        smpp = make.sending(wired.author, wired.route, rows=RATE * 30)
        other = make.sending(wired.author, make.route(wired.author.here, lines), rows=ROWS)
        carrier.is_now("hang")
        processes.start("sender")
        wait_bound(wired.connection)
        with witness(tmp_path) as seen:
            before, began = wired.simulator.counters()["submits"], time.time()

            wait_told(lines, "hangs")
            carrier.is_now("raise")
            wait_told(lines, "ZeroDivisionError in submit")
            carrier.is_now("nonsense")
            poll(lambda: far_end.session_count >= 3, 20, "it does not come back")
            poll(lambda: "nonsense" in processes["sender"].log_text, 20, "no nonsense is logged")
            carrier.is_now("")
            sent, ended = wired.simulator.counters()["submits"] - before, time.time()
            lost = seconds_lost(seen.all(), began, ended)
        require_enough(ended - began - lost, ended - began)
        assert sent >= 0.85 * RATE * (ended - began - lost)

        poll(lambda: progress(other).delivered + progress(other).unknown == ROWS, 120)
        row = wait_for_counts(other, queued=0, sending=0, submitted=0, deferred=0)
        assert row.unknown <= 2 * BUDGET
        assert complete(other) == "completed"
        # Each once at most; whatever is not unknown has come, with its own text.
        wanted = {
            (make.number(n), base64.b64encode(f"Hello Name{n}".encode()).decode())
            for n in range(ROWS)
        }
        assert set(far_end.accepted) <= wanted
        assert set(far_end.accepted.values()) == {1}
        assert len(far_end.accepted) >= row.delivered
        # What is kept is told to the far end, and only that.
        poll(lambda: len(far_end.stored) >= row.delivered, 10)
        status = SessionStatus.objects.get(lease__connection=wired.connection)
        assert status.state == "bound"
        assert progress(smpp).unknown == 0
        wired.simulator.kill()
