"""The campaign's page: one address before, while and after it sends."""

import re
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from campaigns.actions import running
from campaigns.models import ApiMessage, Campaign, Progress
from campaigns.rules.message_states import MessageState
from smpp_client.models import ConnectionEvent
from tests import make as nouns
from tests.campaigns.looking import Team, client_of, path, seen_by, team
from tests.workspaces import make as people
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.django_db
EVERY_ACT = ("rate/", "cancel/", "pause/", "resume/", "start/")


@pytest.fixture
def care(db: None) -> Team:
    return team()


def acts_in(page: str) -> set[str]:
    """Return which acts a page offers."""
    return {act for act in EVERY_ACT if f'/{act}" data-open' in page}


# Who sees what


def test_an_author_runs_his_own_campaign(care: Team) -> None:
    campaign = care.campaign()
    assert acts_in(seen_by(care.author, path(campaign))) == {"rate/", "cancel/", "pause/"}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUTHOR, Role.AUTHOR_MODERATOR])
def test_others_of_the_team_look_at_it(care: Team, role: Role) -> None:
    campaign = care.campaign()
    assert acts_in(seen_by(care.member(role), path(campaign))) == set()


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.ADMIN])
def test_moderators_and_admins_run_every_campaign(care: Team, role: Role) -> None:
    campaign = care.campaign()
    assert acts_in(seen_by(care.member(role), path(campaign))) == {"rate/", "cancel/", "pause/"}


def test_a_super_admin_who_looks_in_changes_nothing(care: Team) -> None:
    campaign = care.campaign()
    root = people.me(people.user(is_super_admin=True))
    assert acts_in(seen_by(root, path(campaign))) == set()


@pytest.mark.parametrize("more", ["", "now/", "chart/", "messages/"])
def test_a_neighbour_finds_nothing(care: Team, more: str) -> None:
    campaign = care.campaign()
    neighbour = people.me_in(people.workspace(), Role.ADMIN)
    assert client_of(neighbour).get(path(campaign, more)).status_code == 404


def test_a_number_that_nobody_gave_is_not_there(care: Team) -> None:
    response = client_of(care.author).get("/w/care/campaigns/C-99/")
    assert response.status_code == 404


# The states of a campaign


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("draft", "It is a draft: nothing is sent before it is approved."),
        ("ready", "It is ready and waits to be submitted for approval."),
        ("in_review", "It waits for a moderator to approve it."),
        ("approved", "It is approved and starts within seconds."),
        ("sending", "The sender process does not run"),
    ],
)
def test_the_page_says_why_nothing_is_faster(care: Team, state: str, sentence: str) -> None:
    campaign = care.campaign(state)
    assert sentence in seen_by(care.author, path(campaign))


def test_its_window_is_told_as_a_sentence(care: Team) -> None:
    """ "From in 1 day, 10:00 until in 1 day, 12:00" is none."""
    campaign = care.campaign("in_review", mode="spread", **nouns.window(30))
    page = seen_by(care.author, path(campaign))
    assert "From <b><time" in page
    assert not re.search(r"(From|until) <b><time[^>]*>in ", page)


def test_the_traffic_of_a_connection_is_not_called_the_campaigns(care: Team) -> None:
    page = seen_by(care.author, path(care.campaign("in_review")))
    assert "Connections of the route" in page
    assert "All traffic now" in page


def test_only_what_waits_for_a_person_can_be_started(care: Team) -> None:
    by_itself, by_hand = care.campaign("approved"), care.campaign("approved", start_by="hand")
    assert acts_in(seen_by(care.author, path(by_itself))) == {"cancel/"}
    page = seen_by(care.author, path(by_hand))
    assert acts_in(page) == {"cancel/", "start/"}
    assert "Start 5 messages" in page


def test_a_held_campaign_says_why_and_can_be_released(care: Team) -> None:
    campaign = care.campaign()
    with scope(care.place):
        running.hold(campaign.pk, reason="x", sentence="The route is gone.", now=timezone.now())
    page = seen_by(care.author, path(campaign))
    assert acts_in(page) == {"cancel/", "resume/"}
    assert "<b>The route is gone.</b>" in page
    assert "Release" in page


def test_the_end_says_what_became_of_all(care: Team) -> None:
    campaign = care.campaign(rows=4)
    care.counts(campaign, delivered=3, unknown=1)
    with scope(care.place):
        Campaign.objects.filter(pk=campaign.pk).update(
            state="completed", finished_at=timezone.now()
        )
    page = seen_by(care.author, path(campaign))
    assert "<b>4 messages</b> are done, 75.0 % delivered so far." in page
    assert acts_in(page) == set()


# Counts


def test_every_state_has_a_row_and_the_sum_is_checked_with_its_time(care: Team) -> None:
    campaign = care.campaign(rows=6)
    care.counts(campaign, delivered=2, unknown=1)
    page = seen_by(care.author, path(campaign))
    for state in MessageState:
        assert f'messages/?state={state.value}"' in page
    assert "The rows add up to the approved list. Counted " in page
    assert "bytes may have left; never resent by itself" in page
    assert "3 of 6 people" in page


def test_rows_that_do_not_add_up_are_said_aloud(care: Team) -> None:
    campaign = care.campaign(rows=6)
    with scope(care.place):
        Progress.objects.filter(campaign=campaign).update(total=F("total") - 1, queued=5)
    page = seen_by(care.author, path(campaign))
    assert "The rows do not add up to the approved list." in page


def test_a_campaign_behind_its_plan_says_by_how_much(care: Team) -> None:
    start = timezone.now() - timedelta(hours=1)
    plan = {"starts_at": start, "ends_at": start + timedelta(hours=2)}
    campaign = care.campaign(rows=100, mode="spread", **plan)
    page = seen_by(care.author, path(campaign))
    assert "<b>50 segments</b> behind its plan" in page


def test_a_trigger_counts_what_it_took_and_what_is_left_of_its_day(care: Team) -> None:
    ends_at = timezone.now() + timedelta(days=30)
    campaign = care.campaign(mode="trigger", text="Hello", ends_at=ends_at, daily_cap=1_000)
    push(care, campaign, days_ago=[2, 1, 1, 0, 0, 0])
    page = seen_by(care.author, path(campaign))
    assert "6 messages accepted so far" in page
    assert "<b>3 of 1,000</b> today" in page
    assert not re.search(r"until <b><time[^>]*>in ", page)
    assert "Open for triggers" in page
    assert acts_in(page) == {"cancel/", "pause/"}


def push(care: Team, campaign: Campaign, days_ago: list[int]) -> None:
    """Let the API have taken messages, the oldest first."""
    admin = care.member(Role.ADMIN)
    key = people.key(care.place, admin).key
    with scope(care.place):
        ApiMessage.objects.bulk_create(
            ApiMessage(
                uuid=f"00000000-0000-4000-8000-{index:012d}",
                workspace=care.place,
                campaign=campaign,
                position=index,
                api_key=key,
                request_id="r",
                created_at=timezone.now() - timedelta(days=days),
            )
            for index, days in enumerate(days_ago)
        )
        Progress.objects.filter(campaign=campaign).update(total=len(days_ago), queued=len(days_ago))


# What moves


def test_the_page_asks_every_two_seconds_while_it_sends(care: Team) -> None:
    campaign = care.campaign()
    assert 'hx-trigger="every 2s"' in seen_by(care.author, path(campaign))


def test_it_asks_every_ten_seconds_while_it_stands_still(care: Team) -> None:
    campaign = care.campaign()
    with scope(care.place):
        running.pause(number=campaign.number, by=care.author, now=timezone.now())
    assert 'hx-trigger="every 10s"' in seen_by(care.author, path(campaign))


def test_it_stops_asking_when_nothing_can_change_any_more(care: Team) -> None:
    campaign = care.campaign(rows=4)
    with scope(care.place):
        Campaign.objects.filter(pk=campaign.pk).update(
            state="completed", finished_at=timezone.now()
        )
    care.counts(campaign, delivered=3, submitted=1)
    assert 'hx-trigger="every 10s"' in seen_by(care.author, path(campaign))
    care.counts(campaign, delivered=4, submitted=0)
    assert "every 10s" not in seen_by(care.author, path(campaign))


def test_what_moves_comes_alone_each_part_with_its_id(care: Team) -> None:
    campaign = care.campaign()
    moving = seen_by(care.author, path(campaign, "now/?seen=sending&bar=1"))
    assert "<html" not in moving
    for part in ("happened", "ledger", "connections", "task-bar"):
        assert f'id="{part}"' in moving
    assert moving.count('hx-swap-oob="true"') == 4


@pytest.mark.parametrize(("seen", "is_asked"), [("approved", True), ("sending", False)])
def test_a_campaign_that_was_started_meanwhile_is_drawn_anew(
    care: Team, seen: str, is_asked: bool
) -> None:
    campaign = care.campaign()
    response = client_of(care.author).get(path(campaign, f"now/?seen={seen}"))
    assert ("HX-Refresh" in response.headers) == is_asked


def test_screen_readers_are_told_quarters_and_states_only(care: Team) -> None:
    campaign = care.campaign(rows=10)
    care.counts(campaign, delivered=4)
    assert 'data-milestone="25 % is sent."' in seen_by(care.author, path(campaign))
    care.counts(campaign, delivered=9)
    assert 'data-milestone="75 % is sent."' in seen_by(care.author, path(campaign))


# The story


def test_the_story_tells_who_did_what_and_when_connections_broke(care: Team) -> None:
    campaign = care.campaign()
    with scope(care.place):
        running.pause(number=campaign.number, by=care.author, why="Wrong day", now=timezone.now())
    ConnectionEvent.objects.create(
        connection=care.wire,
        kind="lost",
        sentence="The peer closed the connection.",
        happened_at=timezone.now(),
    )
    page = seen_by(care.author, path(campaign))
    name = care.author.user.name
    assert f"Paused by {name}." in page
    assert "Wrong day" in page
    assert f"Submitted for approval by {name}." in page
    assert f"{care.wire.name}: The peer closed the connection." in page


def test_the_text_is_shown_with_its_slots_and_as_the_first_person_reads_it(care: Team) -> None:
    campaign = care.campaign(text="Hello {{name}}, <today>")
    page = seen_by(care.author, path(campaign))
    assert 'Hello <span class="ph">name</span>, &lt;today&gt;' in page
    assert "Hello Name0, &lt;today&gt;" in page


def test_the_approval_record_names_the_decider_and_what_was_approved(care: Team) -> None:
    campaign = care.campaign()
    page = seen_by(care.author, path(campaign))
    with scope(care.place):
        approval = campaign.approval
        assert approval is not None
        assert approval.decided_by.name in page
        assert bytes(approval.digest).hex()[:16] in page
