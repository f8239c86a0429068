"""The clock of the machine steps while a spread runs: never above the catch-up rule, never twice.

The desk takes the time as an argument, so the clock here is the test's own; leases go by the
database's clock and the monotonic one.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from tests import make
from tests.campaigns.sending.ground import Ground, counts, derived, ground
from tests.conftest import Database
from workspaces.queries import keys as key_queries
from workspaces.scope import scope_everywhere

ROWS, HOURS = 3_600, 1.0
PLANNED = ROWS / (HOURS * 3600)
# The catch-up rule, and what a second can hold beyond it: one message.
MOST = PLANNED * 1.25


@pytest.fixture
def desk(database: Database) -> Iterator[Ground]:
    key_queries.keys.cache_clear()
    with scope_everywhere("the test looks at everything"):
        made = ground()
        yield made
        made.close()


def _claims(desk: Ground, start: datetime, seconds: int) -> list[int]:
    """Claim once in each of so many seconds of the test's clock; return how many each time."""
    return [len(desk.claim(100, start + timedelta(seconds=n))) for n in range(seconds)]


@pytest.mark.parametrize(
    "step",
    [timedelta(minutes=30), timedelta(minutes=-30), timedelta(hours=-1), timedelta(hours=3)],
    ids=str,
)
def test_a_step_of_the_clock_makes_no_spike_and_sends_nothing_twice(
    desk: Ground, step: timedelta
) -> None:
    start = timezone.now()
    campaign = make.sending(
        desk.author,
        desk.route,
        rows=ROWS,
        mode="spread",
        starts_at=start - timedelta(seconds=1),
        ends_at=start + timedelta(hours=HOURS),
    )
    before = _claims(desk, start, 60)
    during = _claims(desk, start + timedelta(seconds=60) + step, 60)
    after = _claims(desk, start + timedelta(seconds=120), 60)
    for claimed in (before, during, after):
        assert sum(claimed[10:]) <= MOST * 50 + 2
        assert max(claimed[5:]) <= MOST + 2
    assert sum(before) > PLANNED * 50
    assert sum(after) > PLANNED * 50
    assert counts(campaign) == derived(campaign)
