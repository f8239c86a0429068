"""A spread in real time, by the times at which the simulator received it."""

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.models import Mode
from smpp_client.models import Connection
from smpp_client.simulator.ledger import texts
from tests import make
from tests.campaigns.sending.wire import Site, wait_bound, wait_for_counts
from tests.processes import Processes

pytestmark = [pytest.mark.processes, pytest.mark.alone]
COUNT, SECONDS = 5_000, 100
PLAN = COUNT / SECONDS


@pytest.mark.timeout(400)
def test_five_thousand_in_a_hundred_seconds_keep_to_their_plan_second_by_second(
    wired: Site, processes: Processes
) -> None:
    Connection.objects.filter(pk=wired.connection.pk).update(rate=500, window=100)
    processes.start("sender")
    wait_bound(wired.connection)
    start = timezone.now() + timedelta(seconds=8)
    plan = {"starts_at": start, "ends_at": start + timedelta(seconds=SECONDS)}
    campaign = make.approved(wired.author, wired.route, rows=COUNT, mode=Mode.SPREAD, **plan)
    processes.start("worker")
    processes.start("beat")
    wait_for_counts(campaign, SECONDS + 60, delivered=COUNT)
    at = sorted(line.at - start.timestamp() for line in texts(wired.simulator.ledger))
    seconds = Counter(int(second) for second in at)
    # The sweep starts it, at most its period late; it is judged from its first whole second on.
    first, last = int(at[0]) + 1, int(at[-1]) - 1
    judged = [seconds[second] for second in range(first, last + 1)]
    within = [n for n in judged if abs(n - PLAN) <= max(0.1 * PLAN, 1)]
    print(f"{len(within)} of {len(judged)} s within 10 %, most {max(judged)}, end {at[-1]:.2f} s")
    assert at[0] >= 0
    assert len(within) >= 0.99 * len(judged)
    assert max(seconds.values()) <= 1.25 * PLAN + 1
    assert abs(at[-1] - SECONDS) <= 0.01 * SECONDS + 1
