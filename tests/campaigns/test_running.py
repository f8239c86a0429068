"""After approval: started, paused, resumed, slowed, cancelled; and what the clock does."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from campaigns.actions import running
from campaigns.actions.moves import CampaignRefused, WrongState
from campaigns.models import Campaign, Mode, Progress, StartBy
from campaigns.queries.starts import starts_between
from campaigns.rules.campaign_states import State
from smpp_client.models import Route
from tests import make
from tests.conftest import Database
from tests.workspaces.log import entries
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

HOUR = timedelta(hours=1)


def fresh(campaign: Campaign) -> Campaign:
    """Return the row as it is now."""
    return Campaign.objects.get(pk=campaign.pk)


def progress(campaign: Campaign) -> Progress:
    """Return the counters."""
    return Progress.objects.get(campaign=campaign)


Act = Callable[[Campaign, Me], object]
ACTS: dict[str, Act] = {
    "start": lambda c, by: running.start(number=c.number, by=by, now=timezone.now()),
    "pause": lambda c, by: running.pause(number=c.number, by=by, now=timezone.now()),
    "resume": lambda c, by: running.resume(number=c.number, by=by, now=timezone.now()),
    "rate": lambda c, by: running.change_rate(
        number=c.number, by=by, rate=Decimal(1), now=timezone.now()
    ),
    "cancel": lambda c, by: running.cancel(
        number=c.number, by=by, why="wrong text", now=timezone.now()
    ),
}


def test_an_approved_campaign_is_started_by_hand(author: Me, route: Route) -> None:
    campaign = make.approved(author, route)
    ACTS["start"](campaign, author)
    assert fresh(campaign).state == State.SENDING
    assert fresh(campaign).started_at is not None


def test_it_is_not_started_before_its_time(author: Me, route: Route) -> None:
    campaign = make.approved(author, route, mode=Mode.SCHEDULED, starts_at=timezone.now() + HOUR)
    with pytest.raises(running.TooEarly):
        ACTS["start"](campaign, author)


def test_it_is_not_started_after_its_window(author: Me, route: Route) -> None:
    campaign = make.approved(author, route, mode=Mode.SPREAD, **make.window(hours=1))
    with pytest.raises(running.TooLate):
        running.start(number=campaign.number, by=author, now=timezone.now() + 2 * HOUR)


def test_what_is_not_approved_is_not_started(author: Me, route: Route) -> None:
    with pytest.raises(WrongState):
        ACTS["start"](make.in_review(author, route), author)


def change_audience(campaign: Campaign) -> None:
    """Pretend that the frozen rows are others than those that were hashed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO message (frozen_on, workspace_id, campaign_id, position, recipient_id,"
            " fingerprint, segment_count) SELECT frozen_on, workspace_id, campaign_id, 9999,"
            " recipient_id, fingerprint, segment_count FROM message WHERE campaign_id = %s"
            " AND position = 0",
            [campaign.pk],
        )


def test_another_audience_than_the_approved_one_is_held(author: Me, route: Route) -> None:
    campaign = make.approved(author, route)
    change_audience(campaign)
    ACTS["start"](campaign, author)
    assert (fresh(campaign).state, fresh(campaign).hold_reason) == (State.HELD, "audience")
    assert entries(author.here)[-1]["op"] == "campaign.hold"


def test_a_hold_for_another_audience_is_not_resumed(author: Me, route: Route) -> None:
    campaign = make.approved(author, route)
    change_audience(campaign)
    ACTS["start"](campaign, author)
    with pytest.raises(running.OtherAudience):
        ACTS["resume"](campaign, author)
    ACTS["pause"](campaign, author)
    with pytest.raises(running.OtherAudience):
        ACTS["resume"](campaign, author)


def test_pause_and_resume(author: Me, route: Route) -> None:
    campaign = make.sending(author, route)
    ACTS["pause"](campaign, author)
    assert fresh(campaign).state == State.PAUSED
    ACTS["resume"](campaign, author)
    assert fresh(campaign).state == State.SENDING


def test_resuming_starts_the_plan_anew_from_where_it_stands(author: Me, route: Route) -> None:
    campaign = make.sending(author, route)
    Progress.objects.filter(campaign=campaign).update(claimed_segments=3)
    ACTS["pause"](campaign, author)
    ACTS["resume"](campaign, author)
    assert progress(campaign).paced_from_segments == 3
    assert progress(campaign).paced_from_at is not None


def test_only_what_was_stopped_is_resumed(author: Me, route: Route) -> None:
    with pytest.raises(WrongState):
        ACTS["resume"](make.sending(author, route), author)


def test_releasing_a_hold_is_recorded_by_its_own_name(author: Me, route: Route) -> None:
    campaign = make.sending(author, route)
    running.hold(campaign.pk, reason="route", sentence="No route.", now=timezone.now())
    assert fresh(campaign).hold_sentence == "No route."
    ACTS["resume"](campaign, author)
    assert entries(author.here)[-1]["op"] == "campaign.release"
    assert fresh(campaign).hold_sentence == ""


def test_holding_twice_is_one_hold(author: Me, route: Route) -> None:
    campaign = make.sending(author, route)
    held = [
        running.hold(campaign.pk, reason="route", sentence="No route.", now=timezone.now())
        for _ in range(2)
    ]
    assert held == [True, False]


@pytest.mark.parametrize("act", list(ACTS))
def test_another_author_does_not_run_the_campaign(author: Me, route: Route, act: str) -> None:
    campaign = make.approved(author, route)
    with pytest.raises(running.NotYours):
        ACTS[act](campaign, make.person_in(author.here, Role.AUTHOR))


def test_the_attempt_on_anothers_campaign_is_recorded(database: Database) -> None:
    place = make.workspace()
    with scope(place):
        author = make.person_in(place, Role.AUTHOR)
        campaign = make.approved(author, make.route(place, make.connection()))
        with pytest.raises(running.NotYours):
            ACTS["pause"](campaign, make.person_in(place, Role.AUTHOR))
        last = entries(place)[-1]
    assert (last["op"], last["res"], last["why"]) == ("campaign.pause", "denied", "not the author")


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
def test_moderators_and_admins_run_every_campaign(author: Me, route: Route, role: Role) -> None:
    campaign = make.sending(author, route)
    ACTS["pause"](campaign, make.person_in(author.here, role))
    assert fresh(campaign).state == State.PAUSED


def spread(author: Me, route: Route) -> Campaign:
    """Make an approved spread of 30 segments over an hour: at most 0.011 segments/s."""
    rows = 30
    return make.approved(author, route, rows=rows, mode=Mode.SPREAD, **make.window(hours=1))


def test_the_rate_goes_down_and_up_again_below_what_was_approved(author: Me, route: Route) -> None:
    campaign = spread(author, route)
    for rate in (Decimal("0.004"), Decimal("0.01"), None):
        running.change_rate(number=campaign.number, by=author, rate=rate, now=timezone.now())
        assert fresh(campaign).runtime_rate == rate


def test_a_rate_above_the_approved_one_needs_an_approval(author: Me, route: Route) -> None:
    campaign = spread(author, route)
    with pytest.raises(running.AboveCeiling):
        running.change_rate(
            number=campaign.number, by=author, rate=Decimal("0.02"), now=timezone.now()
        )


@pytest.mark.parametrize("rate", ["0", "-1", "0.0004", "NaN", "Infinity", "1e12"])
def test_a_rate_that_is_none_is_refused(author: Me, route: Route, rate: str) -> None:
    campaign = make.sending(author, route)
    with pytest.raises(CampaignRefused):
        running.change_rate(
            number=campaign.number, by=author, rate=Decimal(rate), now=timezone.now()
        )


def test_changing_the_rate_is_recorded_with_both_rates(author: Me, route: Route) -> None:
    ACTS["rate"](make.sending(author, route), author)
    assert entries(author.here)[-1]["diff"] == {"rate": [None, "1.000"]}


def test_what_is_over_has_no_rate(author: Me, route: Route) -> None:
    campaign = make.sending(author, route)
    ACTS["cancel"](campaign, author)
    with pytest.raises(WrongState):
        ACTS["rate"](campaign, author)


def test_cancelling_drops_what_was_not_claimed(author: Me, route: Route) -> None:
    campaign = make.sending(author, route, rows=5)
    dropped = ACTS["cancel"](campaign, author)
    assert (dropped, progress(campaign).cancelled, progress(campaign).queued) == (5, 5, 0)


@pytest.mark.parametrize("made", ["draft", "ready", "in_review", "approved", "sending"])
def test_everything_that_is_not_over_can_be_cancelled(author: Me, route: Route, made: str) -> None:
    campaign = getattr(make, made)(author, route)
    ACTS["cancel"](campaign, author)
    assert fresh(campaign).state == State.CANCELLED


def test_what_is_over_is_not_cancelled_again(author: Me, route: Route) -> None:
    campaign = make.sending(author, route)
    ACTS["cancel"](campaign, author)
    with pytest.raises(WrongState):
        ACTS["cancel"](campaign, author)


# --- the clock ------------------------------------------------------------------------------------


class Clock:
    """A workspace whose scope is closed, so that the sweep can open its own."""

    def __init__(self) -> None:
        self.place = make.workspace()
        with scope(self.place):
            self.author = make.person_in(self.place, Role.AUTHOR)
            self.route = make.route(self.place, make.connection())

    def made(self, how: str, **fields: object) -> Campaign:
        """Make a campaign by one of make's functions."""
        with scope(self.place):
            made: Campaign = getattr(make, how)(self.author, self.route, **fields)
        return made

    def state(self, campaign: Campaign, after: timedelta = timedelta()) -> State:
        """Sweep at this distance from now and return the state."""
        running.sweep(timezone.now() + after)
        with scope(self.place):
            return State(fresh(campaign).state)

    def update(self, campaign: Campaign, **counts: int) -> None:
        """Set counters."""
        with scope(self.place):
            Progress.objects.filter(campaign=campaign).update(**counts)


@pytest.fixture
def clock(db: None) -> Clock:
    """The workspace."""
    return Clock()


def test_an_approved_campaign_starts_by_itself(clock: Clock) -> None:
    assert clock.state(clock.made("approved")) == State.SENDING


def test_one_that_waits_for_a_hand_waits(clock: Clock) -> None:
    assert clock.state(clock.made("approved", start_by=StartBy.HAND)) == State.APPROVED


def test_a_scheduled_one_waits_for_its_time_and_starts_then(clock: Clock) -> None:
    campaign = clock.made("approved", mode=Mode.SCHEDULED, starts_at=timezone.now() + HOUR)
    assert clock.state(campaign) == State.SCHEDULED
    assert clock.state(campaign, 0.9 * HOUR) == State.SCHEDULED
    assert clock.state(campaign, 1.1 * HOUR) == State.SENDING


def test_a_start_is_known_by_its_instant_unless_a_hand_begins_it(clock: Clock) -> None:
    at = timezone.now() + HOUR
    for start_by in (StartBy.ITSELF, StartBy.HAND):
        clock.made("approved", mode=Mode.SCHEDULED, starts_at=at, start_by=start_by)
    running.sweep(timezone.now())
    with scope(clock.place):
        assert starts_between(at - HOUR, at) == [at]
        assert starts_between(at, at + HOUR) == []


def test_sweeping_twice_changes_nothing(clock: Clock) -> None:
    clock.made("approved")
    now = timezone.now()
    assert [running.sweep(now), running.sweep(now)] == [1, 0]


def test_a_window_that_ends_expires_the_rest(clock: Clock) -> None:
    campaign = clock.made("sending", mode=Mode.SPREAD, **make.window(hours=1))
    assert clock.state(campaign, 2 * HOUR) == State.EXPIRED
    with scope(clock.place):
        assert (progress(campaign).expired, progress(campaign).queued) == (5, 0)


@pytest.mark.parametrize("how", ["in_review", "approved"])
def test_what_was_never_started_expires_too(clock: Clock, how: str) -> None:
    fields = {"mode": Mode.SPREAD, "start_by": StartBy.HAND, **make.window(hours=1)}
    assert clock.state(clock.made(how, **fields), 2 * HOUR) == State.EXPIRED


def test_it_is_completed_when_nothing_waits_any_more(clock: Clock) -> None:
    campaign = clock.made("sending")
    clock.update(campaign, queued=0, submitted=4, unknown=1)
    assert clock.state(campaign) == State.COMPLETED


@pytest.mark.parametrize("waiting", ["queued", "sending", "deferred"])
def test_it_is_not_completed_while_one_waits(clock: Clock, waiting: str) -> None:
    campaign = clock.made("sending")
    clock.update(campaign, **{"queued": 0, "submitted": 4, waiting: 1})
    assert clock.state(campaign) == State.SENDING


def test_complete_and_over_at_once_is_completed_not_expired(clock: Clock) -> None:
    campaign = clock.made("sending", mode=Mode.SPREAD, **make.window(hours=1))
    clock.update(campaign, queued=0, delivered=5)
    assert clock.state(campaign, 2 * HOUR) == State.COMPLETED


def trigger() -> dict[str, object]:
    """Return the fields of a trigger that ends in a day."""
    ends_at = timezone.now() + timedelta(days=1)
    return {"mode": Mode.TRIGGER, "text": "Hi", "daily_cap": 10, "ends_at": ends_at}


def test_a_trigger_stays_open_with_nothing_to_send_until_its_end(clock: Clock) -> None:
    campaign = clock.made("approved", **trigger())
    assert clock.state(campaign) == State.SENDING
    assert clock.state(campaign, 12 * HOUR) == State.SENDING
    assert clock.state(campaign, 25 * HOUR) == State.COMPLETED


def test_the_machines_moves_are_recorded_as_its_own(clock: Clock) -> None:
    campaign = clock.made("approved")
    assert clock.state(campaign) == State.SENDING
    last = entries(clock.place)[-1]
    assert (last["op"], last["act"]) == ("campaign.start", {"kind": "system", "id": "sweep"})


def test_a_deleted_campaign_is_left_alone(clock: Clock) -> None:
    campaign = clock.made("approved")
    with scope(clock.place):
        Campaign.objects.filter(pk=campaign.pk).update(deleted_at=timezone.now())
    assert clock.state(campaign) == State.APPROVED
