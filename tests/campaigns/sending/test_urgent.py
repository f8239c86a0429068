"""Calls of the API beside a bulk campaign that has the connection's full rate, over the wire."""

import time
from pathlib import Path

import pytest
from django.utils import timezone

from smpp_client.models import Connection
from smpp_client.simulator.ledger import texts
from tests import make
from tests.campaigns.api.care import MESSAGES, VALUES, call, trigger
from tests.campaigns.sending.wire import Site, progress, wait_bound
from tests.poll import poll
from tests.processes import Processes
from tests.standstills import is_hit, require_enough, seconds_lost, witness
from workspaces.actions.keys import create_key
from workspaces.rules.permissions import SCOPES

pytestmark = [pytest.mark.processes, pytest.mark.alone]
RATE, SECONDS, PUSHES = 400, 9, 150


@pytest.mark.timeout(180)
def test_calls_of_the_api_pass_a_bulk_campaign_that_has_the_full_rate(
    wired: Site, processes: Processes, tmp_path: Path
) -> None:
    Connection.objects.filter(pk=wired.connection.pk).update(rate=RATE, window=100)
    bulk = make.sending(wired.author, wired.route, rows=RATE * (SECONDS + 3))
    pins = trigger(wired.author, wired.route, priority="transactional")
    token = create_key(
        by=wired.author, name="Care", scopes=tuple(SCOPES), days=30, now=timezone.now()
    ).token
    web, _sender = processes.start_together("web", "sender")
    wait_bound(wired.connection)
    poll(lambda: progress(bulk).submitted_segments > RATE, 20, "the bulk campaign does not run")

    with witness(tmp_path) as seen:
        began = time.time()
        called: dict[str, float] = {}
        for index in range(PUSHES):
            pause = began + index * SECONDS / PUSHES - time.time()
            time.sleep(max(0.0, pause))
            number = make.number(50_000 + index)
            body = {"campaign": str(pins), "to": f"+{number}", "values": VALUES}
            called[number] = time.time()
            status, _answer = call(web, "POST", MESSAGES, token, body, key=f"call-{index}")
            assert status == 201
        ended = time.time()
        poll(lambda: progress(pins).submitted_segments == PUSHES, 10, "not all were sent")
        still = seen.all()

    lines = list(texts(wired.simulator.ledger))
    arrived = {line.destination: line.at for line in lines}
    spans = [(at, arrived[number]) for number, at in called.items()]
    waits = sorted(1000 * (there - at) for at, there in spans if not is_hit(still, at, there))
    lost = seconds_lost(still, began, ended)
    bulk_rate = sum(began <= line.at < ended for line in lines) / (ended - began - lost)
    p50, p99 = waits[len(waits) // 2], waits[int(0.99 * len(waits))]
    print(
        f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, most {waits[-1]:.0f} ms, wire {bulk_rate:.0f}/s; of"
        f" {PUSHES} {len(waits)} judged, the machine stood still for {lost:.2f} s"
    )
    require_enough(len(waits), PUSHES)
    require_enough(ended - began - lost, ended - began)
    assert bulk_rate >= 0.9 * RATE
    assert p99 < 200
