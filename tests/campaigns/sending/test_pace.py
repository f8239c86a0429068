"""Plans in real time, by the times at which the simulator received what they sent."""

from bisect import bisect_left
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone

from campaigns.actions import running
from campaigns.models import Campaign, Mode
from smpp_client.models import Connection
from smpp_client.simulator.ledger import texts
from tests import make
from tests.campaigns.sending.wire import Site, progress, wait_bound, wait_for_counts
from tests.poll import poll
from tests.processes import Processes
from tests.standstills import Standstill, is_hit, require_enough, witness

pytestmark = [pytest.mark.processes, pytest.mark.alone]
COUNT, SECONDS = 5_000, 100
PLAN = COUNT / SECONDS
FAST, SLOW = 200, 20


@pytest.mark.timeout(400)
def test_five_thousand_in_a_hundred_seconds_keep_to_their_plan_second_by_second(
    wired: Site, processes: Processes, tmp_path: Path
) -> None:
    Connection.objects.filter(pk=wired.connection.pk).update(rate=500, window=100)
    processes.start_together("sender", "worker", "beat")
    wait_bound(wired.connection)
    start = timezone.now() + timedelta(seconds=15)
    plan = {"starts_at": start, "ends_at": start + timedelta(seconds=SECONDS)}
    campaign = make.approved(wired.author, wired.route, rows=COUNT, mode=Mode.SPREAD, **plan)
    with witness(tmp_path) as seen:
        wait_for_counts(campaign, SECONDS + 60, delivered=COUNT)
        still = [Standstill(a - start.timestamp(), b - start.timestamp()) for a, b in seen.all()]
    at = sorted(line.at - start.timestamp() for line in texts(wired.simulator.ledger))
    # All seconds of the plan, the first and the last among them. The curve ends just under a second
    # early, so that the last claims still fall into the window: the one second that may differ.
    seconds = Counter(int(second) for second in at)
    judged = [second for second in range(SECONDS) if not is_hit(still, second, second + 1)]
    off = {second: seconds[second] for second in judged if abs(seconds[second] - PLAN) > 0.1 * PLAN}
    most = max(count for a, count in within_a_second(at) if not is_hit(still, a, a + 1))
    print(
        f"{len(judged) - len(off)} of {len(judged)} s within 10 %, others {off}, from {at[0]:.2f} s"
        f" to {at[-1]:.2f} s, most in any second {most}; the machine stood still {len(still)} times"
    )
    require_enough(len(judged), SECONDS)
    assert at[0] >= 0
    assert len(off) <= 0.01 * SECONDS
    # Segments are whole: of 62.5 in a second, whenever it begins, 62 are allowed.
    assert most <= 1.25 * PLAN
    assert abs(at[-1] - SECONDS) <= 0.01 * SECONDS


def within_a_second(at: list[float]) -> list[tuple[float, int]]:
    """Return each time with how many there are in the second that begins with it; `at` is
    sorted.
    """
    return [(one, bisect_left(at, one + 1) - index) for index, one in enumerate(at)]


@pytest.mark.timeout(120)
def test_a_change_of_rate_bites_within_a_second(wired: Site, processes: Processes) -> None:
    processes.start("sender")
    wait_bound(wired.connection)
    campaign = make.sending(wired.author, wired.route, rows=20 * FAST, rate_ceiling=Decimal(FAST))
    poll(lambda: progress(campaign).submitted_segments >= 2 * FAST, 30, "it does not begin")
    slowed = change_rate(wired, campaign, SLOW)
    wait_past(wired, slowed + 3)
    fast_again = change_rate(wired, campaign, FAST)
    wait_past(wired, fast_again + 3)
    at = sorted(line.at for line in texts(wired.simulator.ledger))

    # Two seconds, from one after each change on.
    def between(first: float, last: float) -> int:
        return bisect_left(at, last) - bisect_left(at, first)

    before, slow = between(slowed - 1, slowed), between(slowed + 1, slowed + 3)
    fast = between(fast_again + 1, fast_again + 3)
    print(f"{before} in the second before, then {slow / 2:.1f}/s, then {fast / 2:.1f}/s")
    assert before >= 0.8 * FAST
    assert slow <= 2 * 1.25 * SLOW
    assert fast >= 2 * 0.8 * FAST


def wait_past(wired: Site, instant: float) -> None:
    """Poll until something was accepted after this instant."""
    poll(lambda: max(line.at for line in texts(wired.simulator.ledger)) > instant, 30)


def change_rate(wired: Site, campaign: Campaign, rate: int) -> float:
    """Change the campaign's rate as a person does, and return when."""
    now = timezone.now()
    running.change_rate(number=campaign.number, by=wired.author, rate=Decimal(rate), now=now)
    return timezone.now().timestamp()
