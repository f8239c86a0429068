"""Started, paused, resumed, slowed, cancelled: asked first, then done, refused with a sentence."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from campaigns.actions import running
from campaigns.models import Campaign
from tests.campaigns.looking import Team, client_of, path, seen_by, team, text
from tests.workspaces.log import entries
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.django_db
ACTS = ["start", "pause", "resume", "rate", "cancel"]


@pytest.fixture
def care(db: None) -> Team:
    return team()


def press(me: Me, campaign: Campaign, act: str, **values: Any) -> Any:
    """Press the button of an act."""
    return client_of(me).post(path(campaign, f"{act}/"), values)


def now(campaign: Campaign) -> Campaign:
    """Return the campaign as its row is now."""
    with scope(campaign.workspace):
        return Campaign.objects.get(pk=campaign.pk)


# Asked first


@pytest.mark.parametrize("act", ACTS)
def test_asking_changes_nothing(care: Team, act: str) -> None:
    campaign = care.campaign()
    seen_by(care.author, path(campaign, f"{act}/"))
    seen_by(care.author, path(campaign, f"{act}/"), **{"HX-Request": "true"})
    assert now(campaign).state == "sending"


def test_the_question_says_the_effect_in_numbers(care: Team) -> None:
    campaign = care.campaign(rows=7)
    assert "7 messages wait until somebody presses Resume" in seen_by(
        care.author, path(campaign, "pause/")
    )
    page = seen_by(care.author, path(campaign, "cancel/"))
    assert "<b>7 messages</b> will not be sent." in page
    assert "Cancel 7 messages" in page


def test_a_dialog_gets_the_question_alone(care: Team) -> None:
    campaign = care.campaign()
    asked = seen_by(care.author, path(campaign, "pause/"), **{"HX-Request": "true"})
    assert "<html" not in asked
    assert "data-close" in asked


@pytest.mark.parametrize("act", ACTS)
def test_a_viewer_is_not_even_asked(care: Team, act: str) -> None:
    campaign = care.campaign()
    viewer = care.member(Role.VIEWER)
    assert client_of(viewer).get(path(campaign, f"{act}/")).status_code == 403
    assert press(viewer, campaign, act, why="no").status_code == 403
    assert now(campaign).state == "sending"


# Done


def test_a_start_by_hand_begins(care: Team) -> None:
    campaign = care.campaign("approved", start_by="hand")
    assert press(care.author, campaign, "start").status_code == 302
    assert now(campaign).state == "sending"


def test_a_start_before_its_time_is_refused_in_words(care: Team) -> None:
    later = timezone.now() + timedelta(hours=2)
    plan = {"starts_at": later, "ends_at": later + timedelta(hours=2)}
    campaign = care.campaign("approved", start_by="hand", mode="spread", **plan)
    response = press(care.author, campaign, "start")
    assert response.status_code == 409
    assert "It was approved to start later." in text(response)
    assert now(campaign).state == "approved"


def test_pause_and_resume(care: Team) -> None:
    campaign = care.campaign()
    press(care.author, campaign, "pause", why="Wrong day")
    assert now(campaign).state == "paused"
    assert entries(care.place)[-1]["why"] == "Wrong day"
    press(care.author, campaign, "resume")
    assert now(campaign).state == "sending"


def test_an_act_that_came_too_late_says_so(care: Team) -> None:
    campaign = care.campaign()
    press(care.author, campaign, "pause")
    response = press(care.author, campaign, "pause")
    assert response.status_code == 409
    assert "The campaign has changed meanwhile." in text(response)


def test_a_held_campaign_is_released(care: Team) -> None:
    campaign = care.campaign()
    with scope(care.place):
        running.hold(campaign.pk, reason="x", sentence="The route is gone.", now=timezone.now())
    press(care.author, campaign, "resume")
    assert now(campaign).state == "sending"
    assert entries(care.place)[-1]["op"] == "campaign.release"


def test_a_rate_below_the_approved_one_is_set_and_taken_back(care: Team) -> None:
    campaign = care.campaign(rate_ceiling=Decimal(50))
    press(care.author, campaign, "rate", rate="12.5")
    assert now(campaign).runtime_rate == Decimal("12.5")
    press(care.author, campaign, "rate", rate="")
    assert now(campaign).runtime_rate is None


@pytest.mark.parametrize(
    ("rate", "sentence"),
    [
        ("60", "Approved are at most 50 segments/s."),
        ("0", "Type a rate above zero, or pause instead."),
        ("soon", "Type a number, as 40 or 12.5."),
    ],
)
def test_another_rate_is_refused_at_its_field_and_stays_typed(
    care: Team, rate: str, sentence: str
) -> None:
    campaign = care.campaign(rate_ceiling=Decimal(50))
    page = text(press(care.author, campaign, "rate", rate=rate))
    assert sentence in page
    assert f'value="{rate}"' in page
    assert now(campaign).runtime_rate is None


def test_few_messages_are_cancelled_with_a_reason_alone(care: Team) -> None:
    campaign = care.campaign(rows=7)
    assert "Say why." in text(press(care.author, campaign, "cancel", seen=7))
    assert press(care.author, campaign, "cancel", seen=7, why="Mistake").status_code == 302
    assert now(campaign).state == "cancelled"
    assert "<b>0 of 7</b> went out, the rest did not." in seen_by(care.author, path(campaign))


@pytest.mark.parametrize("typed", ["", "1002", "a thousand"])
def test_many_messages_are_cancelled_only_by_who_types_how_many(care: Team, typed: str) -> None:
    campaign = care.campaign(rows=1_001)
    response = press(care.author, campaign, "cancel", seen=1_001, typed=typed, why="Mistake")
    assert response.status_code == 200
    assert "1,001" in text(response)
    assert now(campaign).state == "sending"


@pytest.mark.parametrize("typed", ["1001", "1,001", "1 001"])
def test_the_number_may_be_typed_with_separators(care: Team, typed: str) -> None:
    campaign = care.campaign(rows=1_001)
    press(care.author, campaign, "cancel", seen=1_001, typed=typed, why="Mistake")
    assert now(campaign).state == "cancelled"


def test_a_forged_smaller_number_does_not_spare_the_typing(care: Team) -> None:
    campaign = care.campaign(rows=1_001)
    response = press(care.author, campaign, "cancel", seen=5, typed="5", why="Mistake")
    assert "Type 1,001, the number shown." in text(response)
    assert 'name="seen" value="1001"' in text(response)
    assert now(campaign).state == "sending"


def test_an_author_does_not_run_the_campaign_of_another(care: Team) -> None:
    campaign = care.campaign()
    other = care.member(Role.AUTHOR)
    response = press(other, campaign, "pause")
    assert response.status_code == 409
    assert "Only its author, a moderator or an admin" in text(response)
    assert now(campaign).state == "sending"


@pytest.mark.parametrize("act", ["start", "resume"])
def test_what_does_not_fit_the_state_is_no_question(care: Team, act: str) -> None:
    campaign = care.campaign()
    page = seen_by(care.author, path(campaign, f"{act}/"))
    assert "In this state that cannot be done." in page
    assert f'id="do-{act}"' not in page
