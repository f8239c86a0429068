"""A message's whole way: a key's call over HTTP, the sender, the simulator over mTLS, and back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from campaigns.models import Campaign
from tests.campaigns.api.care import MESSAGES, VALUES, call, key_of, trigger
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
    status, taken = call(web, "POST", MESSAGES, token, body, key="one")
    assert status == 201
    assert call(web, "POST", MESSAGES, token, body, key="one") == (201, taken)
    found = poll(lambda: _delivered(web, taken["links"]["self"], token), 20)
    assert [part["state"] for part in found["parts"]] == ["delivered"]
    assert found["to"] == "+44 77 ••• ••• 23"
    with scope_everywhere("the test looks at everything"):
        wait_for_counts(campaign, delivered=1)
    assert dict(made.accepted()) == {(NUMBER, "Your balance is 12.50 EUR on 21 Nov."): 1}
    assert NUMBER not in web.log_text + processes["sender"].log_text


def _delivered(web: Handle, path: str, token: str) -> Any:
    status, found = call(web, "GET", path, token)
    assert status == 200
    return found if found["state"] == "delivered" else None
