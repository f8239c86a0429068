"""Subscribers write over the wire: the simulator, the sender process, and the rows."""

import time
from typing import Any

import pytest
from django.db import connection as database

from campaigns.models import Campaign, InboundMessage, Message, OptOut
from campaigns.queries.inbound import page_of_replies
from smpp_client.models import Connection
from smpp_client.simulator.ledger import texts
from tests import make
from tests.campaigns.sending.wire import Site, progress, wait_bound
from tests.poll import poll
from tests.processes import Processes
from workspaces.queries.keys import keys

pytestmark = pytest.mark.processes

CODE = "2020"
# A STOP in each of the forms that phones and SMSCs give it.
STOPS: tuple[dict[str, Any], ...] = (
    {"text": "STOP"},
    {"octets": b"Stop.".hex(), "coding": 0},
    {"octets": b"\5\0\3\7\2\1STOP all".hex(), "coding": 0, "esm_class": 0x40},
    {"octets": "Отписаться".encode("utf-16-be").hex(), "coding": 8},
)


def write(site: Site, index: int, **content: Any) -> None:
    """Let subscriber `index` write to the workspace's short code."""
    site.simulator.write(system_id="center", source=make.number(index), destination=CODE, **content)


def texts_stored(site: Site) -> list[str]:
    """Return what the workspace's page shows, oldest first."""
    return [row.text for row in page_of_replies(site.author.here).rows][::-1]


def look_again() -> None:
    """Open the test's own connection anew, seeing every workspace."""
    database.connect()
    with database.cursor() as cursor:
        for name in ("app.workspace", "app.workspace_uuid"):
            cursor.execute("SELECT set_config(%s, '*', false)", [name])


def last_in_line(campaign: Campaign, count: int) -> list[int]:
    """Return the subscribers whose messages go out last."""
    fingerprints = {keys().fingerprint(make.number(index)): index for index in range(200)}
    rows = Message.objects.filter(campaign=campaign).order_by("-position")[:count]
    return [fingerprints[bytes(row.fingerprint)] for row in rows]


def test_stop_in_every_form_is_an_opt_out_within_a_second_and_nothing_more_goes_there(
    wired: Site, processes: Processes
) -> None:
    make.sender(wired.author.here, CODE)
    Connection.objects.filter(pk=wired.connection.pk).update(rate=40)
    campaign = make.sending(wired.author, wired.route, rows=200)
    processes.start("sender")
    poll(lambda: progress(campaign).submitted_segments > 10, 20)
    left = last_in_line(campaign, len(STOPS))
    seconds: list[float] = []
    for index, stop in zip(left, STOPS, strict=True):
        began = time.monotonic()
        write(wired, index, **stop)
        poll(lambda: OptOut.objects.count() > len(seconds), 5, f"{stop} was not obeyed")
        seconds.append(time.monotonic() - began)
    stopped_at = time.time()
    print(f"opt-outs after {[round(s, 2) for s in seconds]} s")
    assert max(seconds) < 1
    poll(lambda: progress(campaign).queued == progress(campaign).sending == 0, 60)
    late = {line.destination for line in texts(wired.simulator.ledger) if line.at > stopped_at}
    assert not late & {make.number(index) for index in left}
    assert progress(campaign).suppressed == len(STOPS)


def test_a_message_is_answered_when_it_is_stored_and_stored_once(
    wired: Site, processes: Processes
) -> None:
    make.sender(wired.author.here, CODE)
    processes.start("sender")
    wait_bound(wired.connection)
    simulator = wired.simulator
    before = simulator.counters()["receipts_acknowledged"]
    long = "Long «text» ".encode("utf-16-be")
    write(wired, 0, octets=(b"\5\0\3\1\2\2" + long[9:]).hex(), coding=8, esm_class=0x40)
    write(wired, 0, octets=(b"\5\0\3\1\2\1" + long[:9]).hex(), coding=8, esm_class=0x40)
    simulator.wait_for(receipts_acknowledged=before + 2)
    assert texts_stored(wired) == ["Long «text» "]

    database.close()
    processes.ground.postgres.stop(immediate=True)
    write(wired, 1, text="While you were away")
    simulator.wait_for(receipts_sent=before + 3)
    # The link goes before there is an answer: the peer brings the message back to the next session.
    simulator.do("drop")
    assert simulator.counters()["receipts_acknowledged"] == before + 2
    processes.ground.postgres.start()
    simulator.wait_for(receipts_acknowledged=before + 3, seconds=30)
    look_again()
    assert texts_stored(wired) == ["Long «text» ", "While you were away"]
    assert InboundMessage.objects.count() == 3
