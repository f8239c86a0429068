"""A message's whole way: a key's call over HTTP, the sender, the simulator over mTLS, and back."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from campaigns.models import Campaign
from tests.campaigns.api.care import MESSAGES, VALUES, key_of, trigger
from tests.campaigns.sending.wire import Site, site, wait_bound, wait_for_counts
from tests.poll import poll
from tests.processes import Handle, Processes
from workspaces.queries import keys as key_queries
from workspaces.scope import scope_everywhere

pytestmark = pytest.mark.processes
NUMBER = "447700900123"


@pytest.fixture
def wired(processes: Processes, tmp_path: Path) -> Iterator[tuple[Site, Campaign, str]]:
    """A workspace with a trigger campaign, a key of it, and a simulator."""
    key_queries.keys.cache_clear()
    with scope_everywhere("the test makes its ground"):
        made = site(tmp_path / "wire")
        campaign = trigger(made.author, made.route)
    yield made, campaign, key_of(made.author).token
    made.simulator.kill()


def test_a_pushed_message_is_delivered_once_and_its_state_comes_back(
    wired: tuple[Site, Campaign, str], processes: Processes
) -> None:
    made, campaign, token = wired
    web, _sender = processes.start_together("web", "sender")
    body = {"campaign": str(campaign), "to": f"+{NUMBER}", "values": VALUES}
    with scope_everywhere("the test looks at everything"):
        wait_bound(made.connection)
    status, taken = _call(web, "POST", MESSAGES, token, body, key="one")
    assert status == 201
    assert _call(web, "POST", MESSAGES, token, body, key="one") == (201, taken)
    found = poll(lambda: _delivered(web, taken["links"]["self"], token), 20)
    assert [part["state"] for part in found["parts"]] == ["delivered"]
    assert found["to"] == "+44 77 ••• ••• 23"
    with scope_everywhere("the test looks at everything"):
        wait_for_counts(campaign, delivered=1)
    assert dict(made.accepted()) == {(NUMBER, "Your balance is 12.50 EUR on 21 Nov."): 1}
    assert NUMBER not in web.log_text + processes["sender"].log_text


def _delivered(web: Handle, path: str, token: str) -> Any:
    status, found = _call(web, "GET", path, token)
    assert status == 200
    return found if found["state"] == "delivered" else None


def _call(
    web: Handle, method: str, path: str, token: str, body: Any = None, *, key: str = ""
) -> tuple[int, Any]:
    headers = {"Host": "localhost", "Authorization": f"Bearer {token}"}
    if body is not None:
        headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
    connection = HTTPConnection("127.0.0.1", web.port, timeout=10)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()
