"""Campaigns that begin at once, at their time and by hand, while nobody sends yet.

People write, submit and approve at the pages of the running product; beat begins what begins by
itself.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import Campaign, Mode, StartBy
from campaigns.rules.campaign_states import State
from smpp_client.simulator.ledger import texts
from tests import make
from tests.campaigns.sending.wire import Site, site, wait_for_counts
from tests.poll import poll
from tests.processes import Processes
from tests.visitors import Visitor
from tests.workspaces.log import entries
from workspaces.queries import keys as key_queries
from workspaces.rules.permissions import Role
from workspaces.scope import scope_everywhere

pytestmark = [pytest.mark.processes, pytest.mark.timeout(300)]
ROWS = 5
# What has begun while nobody sends is held within a moment.
BEGUN = (State.SENDING, State.HELD)


@pytest.fixture
def wired(processes: Processes, tmp_path: Path) -> Iterator[Site]:
    """A site with a running simulator."""
    key_queries.keys.cache_clear()
    with scope_everywhere("the test looks at everything"):
        made = site(tmp_path / "wire")
        yield made
        made.simulator.kill()


class Writer:
    """An author at the pages of his workspace, with a sender name and a list."""

    def __init__(self, wired: Site, visitor: Visitor, sender_id: int, list_id: int) -> None:
        self._visitor = visitor
        self._home = f"/w/{wired.author.here.slug}/"
        self._purpose = {"name": "Balance", "sender": sender_id}
        self._list_id = list_id
        self._route_id = wired.route.pk

    def write(self, text: str, start_by: StartBy) -> Campaign:
        """Write a campaign on demand in the wizard's steps, build it, and submit it."""
        began = self._visitor.post(f"{self._home}campaigns/new/")
        number = re.search(r"/C-(\d+)/", began.url)
        assert number
        campaign = Campaign.objects.get(number=int(number[1]))
        self._step(campaign, "purpose", **self._purpose)
        self._step(campaign, "message", text=text)
        self._step(campaign, "recipients", recipient_list=self._list_id)
        plan = {"mode": Mode.ON_DEMAND, "priority": "operational", "route": self._route_id}
        self._step(campaign, "plan", start_by=start_by, **plan)
        self._visitor.post(f"{self._home}campaigns/{campaign}/build/")
        poll(lambda: is_in(campaign, State.READY), 60, "never built")
        self._visitor.post(f"{self._home}campaigns/{campaign}/submit/", typed_count=ROWS)
        assert is_in(campaign, State.IN_REVIEW)
        return campaign

    def _step(self, campaign: Campaign, step: str, **fields: Any) -> None:
        path = f"{self._home}campaigns/{campaign}/edit/{step}/"
        version = self._visitor.get(path).field("version")
        after = self._visitor.post(path, version=version, go="next", **fields)
        assert not after.url.endswith(path), f"{step} was not saved"

    def start(self, campaign: Campaign) -> None:
        """Start what waits for a person."""
        self._visitor.post(f"{self._home}campaigns/{campaign}/start/")


def is_in(campaign: Campaign, *states: State) -> bool:
    """Read the campaign again and compare."""
    campaign.refresh_from_db()
    return campaign.state in states


def test_what_people_write_and_approve_without_a_sender_goes_out_when_there_is_one(
    wired: Site, processes: Processes
) -> None:
    place = wired.author.here
    author = make.person_in(place, Role.AUTHOR)
    web, *_ = processes.start_together("web", "worker", "beat")
    start = timezone.now() + timedelta(seconds=15)
    # The form knows whole minutes: this one is written by the verbs, so that nobody waits for one.
    timed = make.in_review(
        author, wired.route, ROWS, text="Timed {{name}}", mode=Mode.SCHEDULED, starts_at=start
    )
    assert timed.recipient_list_id
    writer = Writer(
        wired, Visitor(web, author.user), make.sender(place).pk, timed.recipient_list_id
    )
    by_hand = writer.write("By hand {{name}}", StartBy.HAND)
    at_once = writer.write("At once {{name}}", StartBy.ITSELF)
    moderator = Visitor(web, make.member(place, Role.MODERATOR))
    for campaign in (timed, by_hand, at_once):
        path = f"/w/{place.slug}/review/{campaign}/"
        moderator.post(f"{path}approve/", seen=moderator.get(path).field("seen"))
    poll(lambda: is_in(at_once, *BEGUN), 60, "nobody began it")
    # The same sweep has seen the other one, which is older.
    assert is_in(by_hand, State.APPROVED)
    writer.start(by_hand)
    assert is_in(by_hand, *BEGUN)
    assert not list(texts(wired.simulator.ledger))

    processes.start("sender")
    for campaign in (at_once, by_hand, timed):
        wait_for_counts(campaign, 60, delivered=ROWS)
    wanted = {
        (make.number(row), f"{words} Name{row}"): 1
        for row in range(ROWS)
        for words in ("At once", "By hand", "Timed")
    }
    assert wired.accepted() == Counter(wanted)
    began = {e["obj"]["id"]: e["act"] for e in entries(place) if e["op"] == "campaign.start"}
    assert began[f"cmp_{by_hand.pk}"]["id"] == f"usr_{author.user.pk}"
    for campaign in (at_once, timed):
        assert began[f"cmp_{campaign.pk}"]["kind"] == "system"
    first = min(one.at for one in texts(wired.simulator.ledger) if one.text.startswith("Timed"))
    assert first >= start.timestamp()
