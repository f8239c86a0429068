"""A route that is down holds its campaigns, and they go on by themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from audit.queries.entries import of_object
from audit.rules.events import Obj
from campaigns.actions import running
from campaigns.actions.route_watch import PATIENCE, watch_routes
from campaigns.models import Campaign, Progress
from campaigns.tasks.routes import sweep_routes
from smpp_client.models import (
    FIRST_RECEIVER_SLOT,
    Connection,
    Lease,
    Route,
    RouteRange,
    SessionStatus,
)
from tests import make
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope_everywhere

SECOND = timedelta(seconds=1)


@dataclass
class Site:
    """A workspace with a route over two connections, seen once a second."""

    author: Me
    route: Route
    wires: list[Connection]
    now: datetime

    def see(self, *states: str, sentence: str = "") -> None:
        """Write what was observed of each connection now."""
        for wire, state in zip(self.wires, states, strict=True):
            lease, _made = Lease.objects.get_or_create(connection=wire, slot=0)
            SessionStatus.objects.update_or_create(
                lease=lease,
                defaults={
                    "state": state,
                    "sentence": sentence,
                    "since_at": self.now,
                    "observed_at": self.now,
                },
            )

    def pass_seconds(self, count: int, *states: str, sentence: str = "") -> None:
        """Let seconds pass in which this was observed."""
        for _second in range(count):
            self.now += SECOND
            self.see(*states, sentence=sentence)
            watch_routes(self.now)

    def state(self, campaign: Campaign) -> str:
        campaign.refresh_from_db()
        return campaign.state


@pytest.fixture
def site(db: None) -> Iterator[Site]:
    with scope_everywhere("the test looks at everything"):
        author = make.person_in(make.workspace(), Role.ADMIN)
        wires = [make.connection(), make.connection()]
        made = Site(author, make.route(author.here, *wires), wires, timezone.now())
        made.see("bound", "bound")
        yield made


def entries(campaign: Campaign) -> list[tuple[str, str, str]]:
    workspace: UUID = campaign.workspace.uuid
    rows = of_object(workspace, Obj("campaign", f"cmp_{campaign.pk}"), limit=20)
    return [(row.op, row.actor.kind, row.why) for row in rows]


def test_one_of_two_that_is_up_is_enough(site: Site) -> None:
    campaign = make.sending(site.author, site.route)
    site.pass_seconds(10, "down", "bound")
    assert site.state(campaign) == "sending"


def test_with_all_down_it_is_held_with_the_reason_and_goes_on_by_itself(site: Site) -> None:
    campaign = make.sending(site.author, site.route)
    Progress.objects.filter(campaign=campaign).update(claimed_segments=3)
    site.pass_seconds(4, "down", "down", sentence="Nobody answers.")
    assert site.state(campaign) == "held"
    assert campaign.hold_reason == "route_down"
    assert site.route.name in campaign.hold_sentence
    assert "Nobody answers." in campaign.hold_sentence
    site.pass_seconds(1, "bound", "down")
    assert site.state(campaign) == "sending"
    assert campaign.hold_sentence == ""
    row = Progress.objects.get(campaign=campaign)
    assert (row.paced_from_at, row.paced_from_segments) == (site.now, 3)
    release, hold = entries(campaign)[:2]
    assert release[:2] == ("campaign.release", "system")
    assert hold[:2] == ("campaign.hold", "system")
    assert "Nobody answers." in hold[2]


def test_with_all_standing_still_it_goes_on_so_that_segments_are_tried(site: Site) -> None:
    campaign = make.sending(site.author, site.route)
    SessionStatus.objects.update(stands_still=True)
    site.pass_seconds(4, "bound", "bound", sentence="The partner refuses everything.")
    assert site.state(campaign) == "sending"


def test_a_receiver_that_is_up_alone_lets_nothing_out(site: Site) -> None:
    campaign = make.sending(site.author, site.route)
    Lease.objects.filter(connection=site.wires[0]).update(slot=FIRST_RECEIVER_SLOT)
    for _second in range(4):
        site.now += SECOND
        for lease in Lease.objects.all():
            is_receiver = lease.slot == FIRST_RECEIVER_SLOT
            SessionStatus.objects.filter(lease=lease).update(
                state="bound" if is_receiver else "down",
                sentence="" if is_receiver else "Nobody answers.",
                observed_at=site.now,
            )
        watch_routes(site.now)
    assert site.state(campaign) == "held"
    assert "Nobody answers." in campaign.hold_sentence


def test_a_session_that_binds_again_at_once_holds_nobody_up(site: Site) -> None:
    campaign = make.sending(site.author, site.route)
    site.pass_seconds(1, "down", "down")
    site.pass_seconds(1, "bound", "down")
    site.pass_seconds(1, "down", "down")
    assert site.state(campaign) == "sending"


def test_a_sender_that_is_gone_holds_as_well(site: Site) -> None:
    campaign = make.sending(site.author, site.route)
    for second in range(8):
        watch_routes(site.now + second * SECOND)
    assert site.state(campaign) == "held"
    assert "sender process does not run" in campaign.hold_sentence


def test_a_machine_whose_clock_is_wrong_holds_nothing(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = make.sending(site.author, site.route)
    site.now += timedelta(minutes=5)  # however slow this machine is, it was seen lately
    site.see("bound", "bound")
    wrong = timezone.now() + timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: wrong)
    sweep_routes()
    site.route.refresh_from_db()
    assert site.route.down_since_at is None
    assert site.state(campaign) == "sending"


def test_what_a_person_paused_stays_paused(site: Site) -> None:
    campaign = make.sending(site.author, site.route)
    running.pause(number=campaign.number, by=site.author, now=site.now)
    site.pass_seconds(4, "down", "down")
    site.pass_seconds(4, "bound", "bound")
    assert site.state(campaign) == "paused"


def test_what_a_person_paused_while_it_was_held_stays_paused(site: Site) -> None:
    campaign = make.sending(site.author, site.route)
    site.pass_seconds(4, "down", "down")
    running.pause(number=campaign.number, by=site.author, now=site.now)
    site.pass_seconds(4, "bound", "bound")
    assert site.state(campaign) == "paused"


def test_what_is_held_for_another_reason_stays_held(site: Site) -> None:
    campaign = make.sending(site.author, site.route)
    running.hold(campaign.pk, reason="sender", sentence="No sender.", now=site.now)
    site.pass_seconds(4, "down", "down")
    site.pass_seconds(4, "bound", "bound")
    assert site.state(campaign) == "held"


def test_a_disabled_connection_does_not_count(site: Site) -> None:
    campaign = make.sending(site.author, site.route)
    Connection.objects.update(is_enabled=False)
    site.pass_seconds(4, "bound", "bound")
    assert site.state(campaign) == "held"
    assert "disabled" in campaign.hold_sentence


def test_a_connection_without_weight_counts_when_a_range_is_its_own(site: Site) -> None:
    campaign = make.sending(site.author, site.route)
    site.route.route_connections.filter(connection=site.wires[1]).update(weight=0)
    site.pass_seconds(4, "down", "bound")
    assert site.state(campaign) == "held"
    RouteRange.objects.create(route=site.route, prefix="44", connection=site.wires[1])
    site.pass_seconds(1, "down", "bound")
    assert site.state(campaign) == "sending"


def test_twice_at_once_is_once(site: Site) -> None:
    campaign = make.sending(site.author, site.route)
    site.pass_seconds(2, "down", "down")
    site.now += PATIENCE
    assert watch_routes(site.now) == 1
    assert watch_routes(site.now) == 0
    assert [row[0] for row in entries(campaign)].count("campaign.hold") == 1
