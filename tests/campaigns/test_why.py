"""Why a campaign is not faster: one test for each reason that people can read."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from campaigns.actions import running
from campaigns.actions.sending.wording import bound_sentence, turn_sentence
from campaigns.models import Campaign, Progress, QueuedSegment
from campaigns.queries.why import why_not_faster
from smpp_client.carrier import Bound, Kind, Room
from smpp_client.models import Connection, Lease, Route, RouteConnection, SessionStatus
from tests import make
from tests.campaigns.sending.conftest import desk  # noqa: F401 - the fixture
from tests.campaigns.sending.ground import Ground
from workspaces.models import Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def observe(connection: Connection, at: datetime, state: str = "bound", sentence: str = "") -> None:
    """Write what the owner of a slot saw at an instant."""
    lease, _made = Lease.objects.get_or_create(connection=connection, slot=0)
    SessionStatus.objects.update_or_create(
        lease=lease,
        defaults={"state": state, "sentence": sentence, "since_at": at, "observed_at": at},
    )


class Site:
    """One workspace with a route over one connection that is up."""

    def __init__(self, place: Workspace) -> None:
        self.place = place
        self.author: Me = make.person_in(self.place, Role.ADMIN, "Ada Author")
        self.wire = make.connection("smsc-a")
        self.route: Route = make.route(self.place, self.wire)
        self.now = NOON
        observe(self.wire, NOON)

    def sending(self, **fields: Any) -> Campaign:
        """A campaign that has been sending for an hour; its times are the test's own."""
        campaign = make.sending(self.author, self.route, **fields)
        campaign.started_at = campaign.state_since_at = NOON - timedelta(hours=1)
        return campaign

    def why(self, campaign: Campaign, now: datetime | None = None) -> str:
        return why_not_faster(campaign, now or self.now)


@pytest.fixture
def site(db: None) -> Iterator[Site]:
    """A site whose workspace is in scope."""
    place = make.workspace("care", zone="Asia/Tashkent")
    with scope(place):
        yield Site(place)


def told(campaign: Campaign, sentence: str, at: datetime) -> None:
    """Let the desk have said this."""
    Progress.objects.filter(campaign=campaign).update(reason=sentence, reason_at=at)


# Before and after


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("draft", "It is a draft: nothing is sent before it is approved."),
        ("ready", "It is ready and waits to be submitted for approval."),
        ("in_review", "It waits for a moderator to approve it."),
        ("returned", "It was returned and waits for its author."),
        ("rejected", "It was rejected: nothing is sent."),
        ("failed", "Its audience could not be built: nothing is sent."),
        ("completed", "Everything is sent."),
        ("cancelled", "It was cancelled: the rest is not sent."),
        ("expired", "Its window is over: the rest was not sent in time."),
    ],
)
def test_a_campaign_that_cannot_send_says_what_it_waits_for(
    site: Site, state: str, sentence: str
) -> None:
    campaign = make.draft(site.author, site.route)
    campaign.state = state
    assert site.why(campaign) == sentence


def test_a_build_says_how_far_it_is(site: Site) -> None:
    campaign = make.draft(site.author, site.route, rows=5)
    campaign.state, campaign.built_count = "building", 3
    assert site.why(campaign) == "Its audience is being built: 3 of 5 people so far."


def test_an_approved_campaign_starts_within_seconds(site: Site) -> None:
    campaign = make.approved(site.author, site.route)
    assert site.why(campaign) == "It is approved and starts within seconds."


def test_an_approved_campaign_that_is_started_by_hand_waits_for_a_person(site: Site) -> None:
    campaign = make.approved(site.author, site.route, start_by="hand")
    assert site.why(campaign) == "It is approved and waits for a person to press start."


def test_before_its_time_it_cannot_be_started_by_hand(site: Site) -> None:
    campaign = make.approved(site.author, site.route, start_by="hand")
    campaign.starts_at = NOON
    wanted = "It may be started by hand from 17:00 on."
    assert site.why(campaign, NOON - timedelta(hours=1)) == wanted


def test_a_scheduled_campaign_says_when_it_starts(site: Site) -> None:
    campaign = make.approved(site.author, site.route)
    campaign.state, campaign.starts_at = "scheduled", NOON
    assert site.why(campaign, NOON - timedelta(hours=1)) == ("It is scheduled and starts at 17:00.")
    assert site.why(campaign, NOON - timedelta(days=1)) == (
        "It is scheduled and starts at 20 Nov 17:00."
    )


def test_a_start_that_nobody_made_is_blamed_on_the_sweeps(site: Site) -> None:
    campaign = make.approved(site.author, site.route)
    campaign.state, campaign.starts_at = "scheduled", NOON
    wanted = "It should have started at 17:00: the sweeps do not run."
    assert site.why(campaign, NOON + timedelta(minutes=2)) == wanted


def test_a_pause_says_who_made_it_and_when(site: Site) -> None:
    campaign = make.sending(site.author, site.route)
    moderator = make.person_in(site.place, Role.MODERATOR, "Mo Moderator")
    running.pause(number=campaign.number, by=moderator, now=NOON)
    campaign.refresh_from_db()
    assert site.why(campaign, NOON + timedelta(minutes=1)) == "Paused by Mo Moderator at 17:00."


def test_a_hold_says_its_own_reason(site: Site) -> None:
    campaign = make.sending(site.author, site.route)
    running.hold(campaign.pk, reason="route", sentence="The route is gone.", now=site.now)
    campaign.refresh_from_db()
    assert site.why(campaign) == "The route is gone."


# While it sends


def test_a_suspended_workspace_sends_nothing(site: Site) -> None:
    campaign = site.sending()
    campaign.workspace.is_suspended = True
    assert site.why(campaign) == "The workspace is suspended: nothing goes out."


def test_when_nothing_is_left_everything_is_sent(site: Site) -> None:
    campaign = site.sending(rows=2)
    Progress.objects.filter(campaign=campaign).update(queued=0, delivered=2)
    assert site.why(campaign) == "Everything is sent."


def test_before_its_start_it_waits(site: Site) -> None:
    campaign = site.sending()
    campaign.starts_at = NOON
    wanted = "It waits for its start at 17:00."
    assert site.why(campaign, NOON - timedelta(hours=1)) == wanted


def test_after_its_window_nothing_goes_out(site: Site) -> None:
    campaign = site.sending()
    campaign.ends_at = NOON
    assert site.why(campaign, NOON + timedelta(hours=1)) == "Its window ended at 17:00."


def test_closed_hours_say_when_it_goes_on(site: Site) -> None:
    campaign = site.sending()
    campaign.starts_at, campaign.ends_at = NOON, NOON + timedelta(days=2)
    campaign.daily_from, campaign.daily_until = time(9), time(20)
    campaign.zone = "Asia/Tashkent"
    wanted = "Closed hours: it goes on at 21 Nov 09:00."
    assert site.why(campaign, NOON + timedelta(hours=5)) == wanted


def test_closed_hours_that_do_not_end_in_time_say_so(site: Site) -> None:
    campaign = site.sending()
    campaign.starts_at, campaign.ends_at = NOON, NOON + timedelta(hours=10)
    campaign.daily_from, campaign.daily_until = time(9), time(20)
    campaign.zone = "Asia/Tashkent"
    wanted = "Closed hours: its daily window does not open again."
    assert site.why(campaign, NOON + timedelta(hours=5)) == wanted


def test_a_window_that_never_opens_cannot_be_kept(site: Site) -> None:
    campaign = site.sending()
    campaign.starts_at, campaign.ends_at = NOON, NOON + timedelta(hours=2)
    campaign.daily_from, campaign.daily_until = time(1), time(2)
    campaign.zone = "UTC"
    wanted = "The plan cannot be kept: its daily window never opens."
    assert site.why(campaign, NOON + timedelta(hours=1)) == wanted


def test_a_route_whose_connections_have_no_weight_takes_nothing(site: Site) -> None:
    campaign = site.sending()
    RouteConnection.objects.filter(route=site.route).update(weight=0)
    wanted = f"No connection of the route {site.route.name} takes new traffic."
    assert site.why(campaign) == wanted


def test_disabled_connections_are_named_as_the_reason(site: Site) -> None:
    campaign = site.sending()
    Connection.objects.filter(pk=site.wire.pk).update(is_enabled=False)
    wanted = f"Every connection of the route {site.route.name} is disabled."
    assert site.why(campaign) == wanted


def test_a_sender_that_never_ran_is_not_passed_over(site: Site) -> None:
    campaign = site.sending()
    SessionStatus.objects.all().delete()
    wanted = "The sender process does not run: it has not observed a connection yet."
    assert site.why(campaign) == wanted


def test_a_sender_that_fell_silent_is_told_with_its_last_time(site: Site) -> None:
    campaign = site.sending()
    observe(site.wire, NOON)
    wanted = "The sender process does not run: nothing was observed since 17:00:00."
    assert site.why(campaign, NOON + timedelta(seconds=6)) == wanted


def test_a_connection_that_is_down_speaks_for_itself(site: Site) -> None:
    campaign = site.sending()
    observe(site.wire, site.now, "down", "Nobody listens at 127.0.0.1 port 2775.")
    assert site.why(campaign) == (
        f"No connection of the route {site.route.name} is up:"
        " Nobody listens at 127.0.0.1 port 2775."
    )


def test_one_connection_that_is_up_is_enough(site: Site) -> None:
    campaign = site.sending()
    other = make.connection("smsc-b")
    RouteConnection.objects.create(route=site.route, connection=other, weight=1)
    observe(other, site.now, "down", "Nobody listens.")
    told(campaign, "Goes at its plan's rate: 5.0 segments/s.", site.now)
    assert site.why(campaign) == "Goes at its plan's rate: 5.0 segments/s."


def test_a_trigger_without_pushes_waits_for_them(site: Site) -> None:
    ends_at = timezone.now() + timedelta(days=30)
    campaign = site.sending(mode="trigger", text="Hello", ends_at=ends_at, daily_cap=5)
    assert site.why(campaign) == "Nothing is pushed now: messages leave as they come."


def test_a_reason_of_more_than_five_seconds_ago_is_no_reason(site: Site) -> None:
    campaign = site.sending()
    told(campaign, "Goes at its plan's rate: 5.0 segments/s.", NOON - timedelta(seconds=6))
    observe(site.wire, NOON)
    wanted = "The sender runs and has not looked at this campaign since 16:59:54."
    assert site.why(campaign, NOON) == wanted


def test_what_has_just_begun_is_given_a_moment(site: Site) -> None:
    campaign = site.sending()
    campaign.state_since_at = NOON - timedelta(seconds=4)
    wanted = "It has just begun: the first messages leave within seconds."
    assert site.why(campaign) == wanted


def test_a_peer_that_answers_nothing_is_the_reason_though_the_session_is_up(site: Site) -> None:
    campaign = site.sending()
    told(campaign, "Limited by the window: 0 segments wait for the SMSC's answer.", site.now)
    observe(site.wire, site.now, sentence="The partner has answered no segment for 60 s.")
    assert site.why(campaign) == "smsc-a: The partner has answered no segment for 60 s."
    other = make.connection("smsc-b")
    RouteConnection.objects.create(route=site.route, connection=other, weight=100)
    observe(other, site.now)
    assert site.why(campaign).startswith("Limited by the window")


def test_a_campaign_that_no_sender_took_up_says_so(site: Site) -> None:
    campaign = site.sending()
    assert site.why(campaign) == "The sender runs and has not taken up this campaign yet."


# In the desk's own words


def after_claim(ground: Ground, campaign: Campaign, room: Room, now: datetime) -> str:
    """Claim, then ask."""
    ground.desk.claim(ground.lease, room=room, now=now)
    observe(ground.connection, now)
    campaign.refresh_from_db()
    campaign.state_since_at = now - timedelta(minutes=5)
    return why_not_faster(campaign, now)


@pytest.mark.parametrize(
    ("room", "sentence"),
    [
        (
            Room(1, Bound.WINDOW, 80),
            "Limited by the window: 80 segments wait for the SMSC's answer.",
        ),
        (
            Room(1, Bound.BUDGET, 50),
            "Limited by the intent budget: 50 segments are not settled yet.",
        ),
        (Room(1, Bound.THROTTLED, 40), "Slowed by the SMSC: 40 segments/s for now."),
        (
            Room(1, Bound.STANDSTILL, 0),
            "The SMSC refuses everything for now: one segment is tried at a time.",
        ),
        (Room(1, Bound.RATE, 300), "Limited by the connection's rate: 300 segments/s."),
    ],
)
def test_what_bounds_the_session_is_the_reason(
    desk: Ground,  # noqa: F811
    room: Room,
    sentence: str,
) -> None:
    campaign = make.sending(desk.author, desk.route, rows=20)
    assert after_claim(desk, campaign, room, timezone.now()) == sentence


PLENTY = Room(1_000, Bound.RATE, 1_000)


def test_a_spread_on_its_plan_says_its_rate(desk: Ground) -> None:  # noqa: F811
    campaign = make.sending(desk.author, desk.route, rows=200, mode="spread", **make.window(1))
    sentence = after_claim(desk, campaign, PLENTY, timezone.now())
    assert sentence.startswith("Goes at its plan's rate: 0.")


def test_a_spread_that_is_late_is_bound_by_the_catch_up_rule(desk: Ground) -> None:  # noqa: F811
    campaign = make.sending(desk.author, desk.route, rows=200, mode="spread", **make.window(1))
    later = timezone.now() + timedelta(minutes=10)
    sentence = after_claim(desk, campaign, PLENTY, later)
    assert sentence.startswith("Limited by the catch-up rule: 0.")


def test_a_rate_that_was_set_by_hand_is_the_reason(desk: Ground) -> None:  # noqa: F811
    campaign = make.sending(desk.author, desk.route, rows=200, rate_ceiling=Decimal(50))
    running.change_rate(number=campaign.number, by=desk.author, rate=Decimal(2), now=timezone.now())
    sentence = after_claim(desk, campaign, PLENTY, timezone.now())
    assert sentence == "Slowed by hand: 2.0 segments/s."


def test_an_approved_rate_is_the_reason(desk: Ground) -> None:  # noqa: F811
    campaign = make.sending(desk.author, desk.route, rows=200, rate_ceiling=Decimal(5))
    sentence = after_claim(desk, campaign, PLENTY, timezone.now())
    assert sentence == "Limited by its approved rate: 5.0 segments/s."


def test_what_was_tried_once_waits_for_its_next_try(desk: Ground) -> None:  # noqa: F811
    campaign = make.sending(desk.author, desk.route, rows=1)
    desk.record(desk.claim(), Kind.DEFERRED, 0x58)
    now = timezone.now()
    observe(desk.connection, now)
    told(campaign, "", now)
    sentence = why_not_faster(campaign, now)
    assert sentence.startswith("Everything was tried once: 1 wait for their next try at ")


# What divides a route


def test_numbers_of_a_range_whose_connection_is_down(site: Site) -> None:
    other = make.connection("smsc-b")
    RouteConnection.objects.create(route=site.route, connection=other, weight=0)
    campaign = site.sending(rows=3)
    Progress.objects.filter(campaign=campaign).update(queued=2, submitted=1, cursor=3)
    for position in (0, 1):
        QueuedSegment.objects.create(
            workspace=site.place,
            campaign=campaign,
            position=position,
            part=1,
            part_count=1,
            not_before_at=NOON,
            lane_id=other.pk,
        )
    said = "2 messages wait for the connection smsc-b, whose number range theirs is: it is down."
    assert site.why(campaign) == said
    observe(other, NOON)
    assert site.why(campaign) != said


def test_a_backup_that_carries_alone_is_named_before_the_rest(site: Site) -> None:
    other = make.connection("smsc-b")
    RouteConnection.objects.create(route=site.route, connection=other, tier=1)
    campaign = site.sending()
    Progress.objects.filter(campaign=campaign).update(reason="On plan.", reason_at=NOON)
    assert site.why(campaign) == "On plan."
    observe(site.wire, NOON, "down", "Gone.")
    observe(other, NOON)
    assert site.why(campaign) == "Only the backup smsc-b takes segments. On plan."
    observe(site.wire, NOON, "bound", "The partner refuses everything.")
    assert site.why(campaign) == "On plan."
    SessionStatus.objects.filter(lease__connection=site.wire).update(stands_still=True)
    assert site.why(campaign) == "Only the backup smsc-b takes segments. On plan."


def test_a_campaign_that_shares_its_connection_says_with_how_many() -> None:
    said = bound_sentence(Room(0, Bound.RATE, 100), rivals=2)
    assert said.startswith("Shares the connection's 100 segments/s with 2 other campaigns")


def test_what_is_another_connections_turn_says_so() -> None:
    assert "by weight" in turn_sentence()
