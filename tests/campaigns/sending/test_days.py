"""A spread over a range of days with a daily window, on a virtual clock: the time is an argument of
the claim.
"""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.utils import timezone

from campaigns.models import Mode, Progress
from smpp_client.carrier import Kind
from tests import make
from tests.campaigns.sending.ground import Ground, counts

DAYS = 3
ROWS = 90
OPENS, CLOSES = time(9, 0), time(12, 0)
# The pace expects to be asked often; outside the hours a look now and then is enough.
STEP, LONG_STEP = timedelta(seconds=20), timedelta(minutes=30)
LAST_LOOK = time(11, 59, 30)


def step(clock: time) -> timedelta:
    """Return how long until the next claim; the last half minute of a day is looked at closely."""
    if not OPENS <= clock < CLOSES:
        return LONG_STEP
    return timedelta(seconds=1) if clock >= LAST_LOOK else STEP


def plan() -> dict[str, object]:
    """Return a plan of three days from tomorrow on, open from 9 to 12 in the workspace's zone
    (UTC).
    """
    first = timezone.now().astimezone(UTC).date() + timedelta(days=1)
    start = datetime.combine(first, time(0, 0), UTC)
    return {
        "mode": Mode.SPREAD,
        "starts_at": start,
        "ends_at": start + timedelta(days=DAYS),
        "daily_from": OPENS,
        "daily_until": CLOSES,
    }


@pytest.mark.timeout(120)
def test_three_days_get_equal_shares_and_nothing_leaves_outside_the_hours(desk: Ground) -> None:
    wanted = plan()
    start = wanted["starts_at"]
    assert isinstance(start, datetime)
    campaign = make.approved(desk.author, desk.route, rows=ROWS, **wanted)
    campaign.__class__.objects.filter(pk=campaign.pk).update(state="sending")
    sent: dict[int, int] = {}
    now = start
    while now < start + timedelta(days=DAYS):
        segments = desk.claim(now=now)
        if segments:
            assert OPENS <= now.time() < CLOSES
            desk.record(segments, Kind.SUBMITTED)
            day = (now - start).days
            sent[day] = sent.get(day, 0) + len(segments)
        now += step(now.time())
    assert sum(sent.values()) == ROWS
    assert all(abs(count - ROWS / DAYS) <= 1 for count in sent.values())
    assert counts(campaign) == {"submitted": ROWS}


def test_outside_its_hours_a_campaign_says_when_it_goes_on(desk: Ground) -> None:
    wanted = plan()
    campaign = make.approved(desk.author, desk.route, rows=10, **wanted)
    campaign.__class__.objects.filter(pk=campaign.pk).update(state="sending")
    start = wanted["starts_at"]
    assert isinstance(start, datetime)
    assert not desk.claim(now=start + timedelta(hours=3))
    reason = Progress.objects.get(campaign=campaign).reason
    assert reason.startswith("Closed hours")
