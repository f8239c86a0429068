"""Several sessions of one connection: pairs, several processes, one rate over all of them."""

from collections import Counter
from typing import Any

import pytest
from django.db.models import F

from smpp_client.models import Connection, ConnectionEvent, Lease, SessionStatus
from smpp_client.simulator.ledger import texts
from tests import make
from tests.campaigns.sending.wire import Site, wait_for_counts
from tests.poll import poll
from tests.processes import Processes

pytestmark = [pytest.mark.processes, pytest.mark.alone]


def change(site: Site, **fields: Any) -> None:
    """Change settings as the page does."""
    Connection.objects.filter(pk=site.connection.pk).update(**fields, version=F("version") + 1)


def bound(site: Site) -> list[int]:
    """Return the slots that have a session, in order."""
    rows = SessionStatus.objects.filter(lease__connection=site.connection, state="bound")
    return sorted(rows.values_list("lease__slot", flat=True))


def shares(site: Site) -> list[int]:
    """Return the shares of the rate that are in use, the largest first."""
    rows = Lease.objects.filter(connection=site.connection).exclude(share=None)
    return sorted((row.share or 0 for row in rows), reverse=True)


def most_in_a_second(site: Site) -> int:
    """Return how many segments the peer took in its busiest second, wherever that begins."""
    times = sorted(line.at for line in texts(site.simulator.ledger))
    most = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def test_three_pairs_over_two_senders_keep_one_rate_through_a_kill_and_a_change(
    wired: Site, processes: Processes
) -> None:
    """Rate 200 over three transmitters that two processes hold, at the second of two hosts; one is
    killed, then the rate is halved without a new bind.
    """
    site = wired
    elsewhere = f"127.0.0.1:{site.simulator.port}"
    change(site, bind_form="pair", rate=200, port=1, further_hosts=elsewhere)
    first = processes.start("sender", known_as="first")
    poll(lambda: bound(site) == [0, 100], 20, "the first pair is not bound")
    processes.start("sender", known_as="second")
    change(site, bind_count=3)
    poll(lambda: bound(site) == [0, 1, 2, 100, 101, 102], 20, "not all are bound")
    poll(lambda: shares(site) == [67, 67, 66], 10, "the rate is not divided")
    hosts = SessionStatus.objects.values_list("host", flat=True)
    assert set(hosts) == {elsewhere}
    campaign = make.sending(site.author, site.route, rows=1_500)
    poll(lambda: site.simulator.counters()["accepted"] > 300, 20, "nothing is sent")
    assert len(set(Lease.objects.values_list("owner", flat=True))) == 2
    first.kill9()
    poll(lambda: site.simulator.counters()["accepted"] > 700, 30, "the second sends nothing")
    binds = site.simulator.counters()["binds"]
    change(site, rate=100)
    poll(lambda: sum(shares(site)) == 100, 10, "the lower rate is not divided")
    assert site.simulator.counters()["binds"] == binds
    change(site, rate=200)
    row = wait_for_counts(campaign, 60, queued=0, sending=0)
    assert row.unknown <= 3 * site.connection.window
    # The peer stamps what it reads: on a busy machine some were held up on their way to it.
    assert most_in_a_second(site) <= 220
    assert not ConnectionEvent.objects.filter(kind="lost").exists()
    fewest = [6]

    def is_bound_anew() -> bool:
        counters = site.simulator.counters()
        fewest[0] = min(fewest[0], counters["sessions_open"])
        return counters["binds"] >= binds + 6

    change(site, system_type="esme")
    poll(is_bound_anew, 40, "the sessions are not bound anew")
    assert fewest[0] >= 4  # one after the other


def test_sessions_move_to_a_sender_that_joins_later_and_back_when_it_leaves(
    wired: Site, processes: Processes
) -> None:
    """Each has its part of them in the end, and nothing in flight is lost on the way."""
    site = wired
    change(site, bind_count=4, rate=200)
    campaign = make.sending(site.author, site.route, rows=3_000)
    processes.start("sender", known_as="first")
    poll(lambda: bound(site) == [0, 1, 2, 3], 20, "not all are bound")
    assert owners(site) == [4]
    second = processes.start("sender", known_as="second")
    poll(lambda: owners(site) == [2, 2] and bound(site) == [0, 1, 2, 3], 60, "they have not moved")
    assert second.term() == 0
    poll(lambda: owners(site) == [4] and bound(site) == [0, 1, 2, 3], 60, "none came back")
    wait_for_counts(campaign, 120, delivered=3_000)
    assert set(site.accepted().values()) == {1}


def owners(site: Site) -> list[int]:
    """Return how many slots each living sender holds."""
    held = Lease.objects.filter(connection=site.connection).exclude(owner="")
    return sorted(Counter(held.values_list("owner", flat=True)).values())
