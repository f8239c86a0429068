"""The sender under faults.

After each the same is asked: nothing twice, nothing lost, nothing stuck, counts that add up.
"""

import random
import time
from collections import Counter
from collections.abc import Container
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

import pytest
from django.db import connection as database
from django.db.models import Q
from django.utils import timezone

from campaigns.actions import running
from campaigns.models import Batch, Campaign, Submission
from campaigns.rules.campaign_states import State
from smpp_client.models import Connection, ConnectionEvent, SessionState, SessionStatus
from smpp_client.simulator.ledger import texts
from tests import make
from tests.campaigns.sending.ground import counts, derived
from tests.campaigns.sending.wire import (
    Site,
    complete,
    progress,
    wait_bound,
    wait_for_counts,
)
from tests.poll import poll
from tests.processes import Processes
from tests.visitors import Visitor

pytestmark = [pytest.mark.processes, pytest.mark.alone]
# From the kill to the first segment of the next sender that was accepted, its start with it.
RESUMED_SECONDS = 5


def wait_settled(campaign: Campaign, seconds: float = 60) -> None:
    """Poll until nothing is queued, sending or deferred."""

    def is_settled() -> bool:
        row = progress(campaign)
        return row.queued == row.sending == row.deferred == 0

    poll(is_settled, seconds, "something is still open")


def wait_submitted(campaign: Campaign, count: int) -> None:
    """Poll until so many segments are accepted."""
    poll(lambda: progress(campaign).submitted_segments >= count, 20, f"never {count} submitted")


def check_invariants(campaign: Campaign, wired: Site) -> Counter[str]:
    """Hold the rows against the simulator's own ledger; return how often each was accepted."""
    accepted = Counter(line.destination for line in texts(wired.simulator.ledger))
    assert not [number for number, count in accepted.items() if count > 1], "sent twice"
    row = progress(campaign)
    known = row.total - row.unknown
    assert len(accepted) >= known, "lost"
    assert len(accepted) <= row.total
    assert not Batch.objects.filter(closed_at=None).exists(), "stuck"
    poll(lambda: counts(campaign) == derived(campaign), 5, "counters differ from the rows")
    return accepted


def ever_unknown() -> int:
    """Return how many segments are unknown, or were until a receipt told what became of them."""
    return Submission.objects.filter(Q(kind="unknown") | ~Q(evidence="")).count()


def test_ten_kills_of_the_sender_leave_no_duplicate_and_lose_nothing(
    wired: Site, processes: Processes
) -> None:
    wired.simulator.control(delay=0.03)
    Connection.objects.filter(pk=wired.connection.pk).update(rate=150)
    campaign = make.sending(wired.author, wired.route, rows=2_500)
    dice = random.Random(20261121)
    sender = processes.start("sender")
    resumed: list[float] = []
    unknown = [0]
    for _kill in range(10):
        before = progress(campaign).submitted_segments
        wait_submitted(campaign, before + dice.randint(20, 60))
        killed_at = time.monotonic()
        sender.kill9()
        last = Batch.objects.latest("pk").pk
        sender.begin()
        # A batch of the new one: a receipt may settle something of the old one before.
        rest = Submission.objects.filter(batch_id__gt=last, kind="submitted")
        poll(rest.exists, 30, "nothing goes on")
        resumed.append(time.monotonic() - killed_at)
        # A new owner claims nothing before what the old one left is settled.
        unknown.append(ever_unknown())
    wait_settled(campaign, 90)
    unknown.append(ever_unknown())
    each = [after - before for before, after in pairwise(unknown)]
    print(f"resumed after {sorted(round(s, 2) for s in resumed)} s, unknown each {each}")
    check_invariants(campaign, wired)
    assert median(resumed) <= RESUMED_SECONDS
    # Half of it is the start of a process, which takes what a busy machine leaves it.
    assert max(resumed) <= 3 * RESUMED_SECONDS
    assert max(each) <= wired.connection.budget
    assert each[-1] == 0
    assert progress(campaign).refused == 0


def test_a_stopped_sender_drains_and_leaves_nothing_unknown(
    wired: Site, processes: Processes
) -> None:
    wired.simulator.control(delay=0.05)
    Connection.objects.filter(pk=wired.connection.pk).update(rate=80)
    campaign = make.sending(wired.author, wired.route, rows=600)
    sender = processes.start("sender")
    for _stop in range(3):
        before = progress(campaign).submitted_segments
        wait_submitted(campaign, before + 50)
        assert sender.term() == 0
        assert progress(campaign).sending == 0
        # Nobody is told of a pace at which nothing goes out any more.
        left = SessionStatus.objects.get(lease__connection=wired.connection)
        assert (left.state, left.in_flight, left.rate_now) == (SessionState.DOWN, 0, 0)
        sender.start()
    wait_settled(campaign)
    check_invariants(campaign, wired)
    assert progress(campaign).unknown == 0


def test_a_database_that_stops_and_comes_back_leaves_nothing_unknown(
    wired: Site, processes: Processes
) -> None:
    wired.simulator.control(delay=0.02)
    Connection.objects.filter(pk=wired.connection.pk).update(rate=100)
    campaign = make.sending(wired.author, wired.route, rows=900)
    processes.start("sender")
    for _stop in range(2):
        before = progress(campaign).submitted_segments
        wait_submitted(campaign, before + 100)
        database.close()
        processes.ground.postgres.stop(immediate=True)
        processes.ground.postgres.start()
        database.connect()
        wanted = {"app.workspace": "*", "app.workspace_uuid": "*"}
        with database.cursor() as cursor:
            for name, value in wanted.items():
                cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
    wait_settled(campaign)
    check_invariants(campaign, wired)
    assert progress(campaign).unknown == 0


def test_throttled_segments_go_later_and_none_is_lost(wired: Site, processes: Processes) -> None:
    wired.simulator.control(throttle_every=7)
    campaign = make.sending(wired.author, wired.route, rows=200)
    processes.start("sender")
    wait_for_counts(campaign, 60, delivered=200)
    check_invariants(campaign, wired)
    assert SessionStatus.objects.get().throttled_count > 0


def test_a_link_that_drops_leaves_what_was_in_flight_unknown_and_sends_the_rest(
    wired: Site, processes: Processes
) -> None:
    # Without receipts: those would settle what the lost answers left open.
    wired.simulator.control(drop_after=60, receipts=False)
    campaign = make.sending(wired.author, wired.route, rows=300)
    processes.start("sender")
    poll(lambda: ConnectionEvent.objects.filter(kind="lost").exists(), 20)
    wired.simulator.control(drop_after=0)
    wait_settled(campaign)
    check_invariants(campaign, wired)
    # A receipt that names its segment may have told meanwhile what became of it.
    assert 0 < ever_unknown() <= 2 * wired.connection.budget
    assert progress(campaign).unknown <= 2 * wired.connection.budget


def test_a_peer_that_falls_silent_makes_its_answers_unknown_and_late_ones_settle_them(
    wired: Site, processes: Processes
) -> None:
    Connection.objects.filter(pk=wired.connection.pk).update(
        rate=20, response_seconds=1, enquire_seconds=60
    )
    campaign = make.sending(wired.author, wired.route, rows=100)
    processes.start("sender")
    wait_bound(wired.connection)
    wired.simulator.freeze()
    poll(lambda: progress(campaign).unknown > 0, 30)
    told = ConnectionEvent.objects.filter(connection=wired.connection)
    poll(lambda: told.filter(kind="alarm", sentence__contains="no segment for 1 s").exists(), 30)
    wired.simulator.thaw()
    wait_settled(campaign)
    poll(lambda: told.filter(kind="answers").exists(), 30)
    wait_for_counts(campaign, 30, unknown=0)
    check_invariants(campaign, wired)


def test_a_pause_takes_effect_within_a_second(wired: Site, processes: Processes) -> None:
    Connection.objects.filter(pk=wired.connection.pk).update(rate=200)
    campaign = make.sending(wired.author, wired.route, rows=2_000)
    processes.start("sender")
    poll(lambda: progress(campaign).submitted_segments > 50, 20)
    running.pause(number=campaign.number, by=wired.author, now=timezone.now())
    paused_at = time.time()
    poll(lambda: progress(campaign).sending == 0, 5)
    count = progress(campaign).submitted_segments
    later = timezone.now() + timedelta(seconds=1.5)
    poll(lambda: SessionStatus.objects.filter(observed_at__gt=later).exists(), 10, "not alive")
    assert progress(campaign).submitted_segments == count
    last = max(line.at for line in texts(wired.simulator.ledger))
    assert last - paused_at < 1.0
    running.resume(number=campaign.number, by=wired.author, now=timezone.now())
    poll(lambda: progress(campaign).submitted_segments > count, 5)
    check_twice = Counter(line.destination for line in texts(wired.simulator.ledger))
    assert max(check_twice.values()) == 1


def test_an_opt_out_by_page_stops_that_number_from_the_next_second(
    wired: Site, processes: Processes
) -> None:
    Connection.objects.filter(pk=wired.connection.pk).update(rate=50)
    web = processes.start("web")
    visitor = Visitor(web, wired.author.user)
    campaign = make.sending(wired.author, wired.route, rows=600)
    processes.start("sender")
    wait_submitted(campaign, 20)
    opted_out: dict[str, float] = {}
    for _person in range(8):
        number = next_unsent(wired, opted_out)
        form = {"number": f"+{number}", "country": "GB", "words": "call to the care desk"}
        answer = visitor.post(f"/w/{wired.author.here.slug}/optouts/add/", **form)
        assert answer.url.endswith("/optouts/")
        opted_out[number] = time.time()
    wait_settled(campaign)
    sent = {line.destination: line.at for line in texts(wired.simulator.ledger)}
    late = {n: sent[n] - at for n, at in opted_out.items() if sent.get(n, 0) > at + 1}
    assert not late
    # Who was on his way in that second got it; all others are suppressed, and nobody else is.
    stopped = [number for number in opted_out if number not in sent]
    assert progress(campaign).suppressed == len(stopped) > 0


def next_unsent(wired: Site, taken: Container[str]) -> str:
    """Return a number that nothing was sent to until now, from the end of the list."""
    sent = {line.destination for line in texts(wired.simulator.ledger)}
    numbers = (make.number(index) for index in reversed(range(600)))
    return next(number for number in numbers if number not in sent and number not in taken)


def test_whatever_is_changed_by_sql_while_sending_holds_the_campaign(
    wired: Site, processes: Processes
) -> None:
    place = wired.author.here
    own, other = make.sender(place), make.sender(place)
    changes = {
        "text": "text = 'Send me your PIN'",
        "sender": f"sender_id = {other.pk}, sender_revision_id = {other.approved_revision_id}",
        "route": f"route_id = {make.route(place, wired.connection).pk}",
        "plan": "ends_at = now() + interval '9 hours'",
    }
    Connection.objects.filter(pk=wired.connection.pk).update(rate=100)
    begun = {
        name: make.sending(wired.author, wired.route, 500, text=name, sender_id=own.pk)
        for name in [*changes, "bystander"]
    }
    processes.start("sender")
    for name, change in changes.items():
        campaign = begun[name]
        wait_submitted(campaign, 20)
        changed_at = change_by_sql(campaign, change)
        poll(lambda one=campaign: _state(one) == State.HELD, 5)  # type: ignore[misc]
        assert campaign.hold_sentence.startswith("It is not what was approved")
        poll(lambda one=campaign: progress(one).sending == 0, 5)  # type: ignore[misc]
        assert not Batch.objects.filter(campaign=campaign, opened_at__gt=changed_at).exists()
    wait_submitted(begun["bystander"], progress(begun["bystander"]).submitted_segments + 100)
    # Nothing but what the database knew of at the hold, as it was approved.
    lines = Counter((line.text, line.source) for line in texts(wired.simulator.ledger))
    del lines["bystander", own.value]
    known = {name: progress(begun[name]).submitted_segments for name in changes}
    assert lines == {(name, own.value): count for name, count in known.items()}


def change_by_sql(campaign: Campaign, change: str) -> datetime:
    """Change columns behind the product's back, and return when that was committed."""
    with database.cursor() as cursor:
        cursor.execute(f"UPDATE campaign SET {change} WHERE id = %s", [campaign.pk])  # noqa: S608
    return timezone.now()


def _state(campaign: Campaign) -> str:
    campaign.refresh_from_db()
    return campaign.state


def test_a_second_sender_waits_and_takes_over_when_the_first_is_killed(
    wired: Site, processes: Processes
) -> None:
    Connection.objects.filter(pk=wired.connection.pk).update(rate=100)
    campaign = make.sending(wired.author, wired.route, rows=800)
    first = processes.start("sender")
    wait_bound(wired.connection)
    processes.start("sender", known_as="second")
    poll(lambda: progress(campaign).submitted_segments > 100, 20)
    assert wired.simulator.counters()["sessions_open"] == 1
    first.kill9()
    at_kill = progress(campaign).submitted_segments
    poll(lambda: progress(campaign).submitted_segments > at_kill + 50, 15)
    wait_settled(campaign)
    check_invariants(campaign, wired)


def test_a_frozen_sender_that_wakes_up_writes_nothing_more(
    wired: Site, processes: Processes
) -> None:
    Connection.objects.filter(pk=wired.connection.pk).update(rate=100)
    campaign = make.sending(wired.author, wired.route, rows=900)
    first = processes.start("sender")
    poll(lambda: progress(campaign).submitted_segments > 100, 20)
    processes.start("sender", known_as="second")
    first.freeze()
    at_freeze = progress(campaign).submitted_segments
    poll(lambda: progress(campaign).submitted_segments > at_freeze + 100, 30)
    first.thaw()
    wait_settled(campaign)
    check_invariants(campaign, wired)
    assert complete(campaign) == "completed"
