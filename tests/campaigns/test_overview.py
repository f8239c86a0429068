"""The workspace's first page: true figures, what waits, what needs a person."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.models import Campaign, Progress
from campaigns.queries.overview import Glance, glance
from campaigns.rules.campaign_states import State
from tests import make
from tests.campaigns.pages import Stage, stage, text
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope


@pytest.fixture
def here(db: None) -> Stage:
    """The workspace."""
    return stage()


def page(here: Stage, who: Me | None = None) -> str:
    """Return the overview."""
    return text(here.client(who or here.author).get(here.url(None, "")))


def seen(here: Stage, who: Me | None = None) -> Glance:
    """Return what the overview says."""
    with scope(here.place):
        return glance(who or here.author, timezone.now())


def counted(here: Stage, campaign: Campaign, **counts: int) -> None:
    """Set counters of a campaign."""
    with scope(here.place):
        Progress.objects.filter(campaign=campaign).update(**counts)


def put(here: Stage, campaign: Campaign, **fields: object) -> None:
    """Change columns directly."""
    with scope(here.place):
        Campaign.objects.filter(pk=campaign.pk).update(**fields)


def test_a_new_workspace_shows_its_first_three_steps(here: Stage) -> None:
    words = page(here)
    assert "The first three steps" in words
    assert "Nothing is sending now, that is normal." in words


def test_after_the_first_campaign_the_steps_are_gone(here: Stage) -> None:
    here.made()
    assert "The first three steps" not in page(here)


def test_a_sending_campaign_shows_how_far_it_is(here: Stage) -> None:
    campaign = here.made("sending", rows=10, name="Weekend")
    counted(here, campaign, queued=7, delivered=3)
    words = page(here)
    assert "1 campaign is sending" in words
    assert "3 of 10" in words
    assert here.url(campaign, "pause/") in words


def test_the_page_renews_itself_only_while_something_sends(here: Stage) -> None:
    assert "hx-trigger" not in page(here)
    campaign = here.made("sending")
    assert 'hx-trigger="every 5s"' in page(here)
    put(here, campaign, state=State.COMPLETED, finished_at=timezone.now())
    assert "hx-trigger" not in page(here)


def test_the_script_gets_the_moving_part_alone(here: Stage) -> None:
    client = here.client(here.author)
    part = text(client.get(here.url(None, ""), headers={"HX-Request": "true"}))
    assert part.startswith('<div id="overview"')
    assert "<html" not in part


def test_the_tiles_count_todays_campaigns(here: Stage) -> None:
    first, second = here.made("sending", rows=10), here.made("sending", rows=5)
    counted(here, first, queued=0, delivered=8, undelivered=2, submitted_segments=12)
    put(here, first, state=State.COMPLETED, finished_at=timezone.now())
    counted(here, second, queued=4, unknown=1, submitted_segments=1)
    tiles = seen(here).tiles
    assert (tiles.accepted, tiles.delivered, tiles.with_receipt, tiles.unknown) == (13, 8, 10, 1)
    assert tiles.delivered_share == 80.0


def test_what_was_finished_yesterday_is_not_todays(here: Stage) -> None:
    campaign = here.made("sending", rows=10)
    counted(here, campaign, queued=0, delivered=10, submitted_segments=10)
    long_ago = timezone.now() - timedelta(days=2)
    put(here, campaign, state=State.COMPLETED, finished_at=long_ago)
    assert seen(here).tiles.accepted == 0


def test_without_a_receipt_there_is_no_share(here: Stage) -> None:
    here.made("sending")
    assert seen(here).tiles.delivered_share is None
    assert "no receipt yet" in page(here)


def test_what_is_held_needs_attention_and_says_why(here: Stage) -> None:
    campaign = here.made("sending", name="Roaming")
    put(here, campaign, state=State.HELD, hold_sentence="No route.")
    words = page(here)
    assert "1 campaign is held." in words
    assert "No route." in words


def test_what_is_paused_needs_attention_and_is_not_called_normal(here: Stage) -> None:
    campaign = here.made("sending", name="Weekend")
    put(here, campaign, state=State.PAUSED)
    words = page(here)
    assert "1 campaign is paused." in words
    assert "Nothing goes out until somebody presses Resume." in words
    assert "1 <small>paused</small>" in words
    assert "that is normal" not in words.lower()


def test_unknown_messages_need_attention(here: Stage) -> None:
    campaign = here.made("sending", rows=5)
    counted(here, campaign, queued=3, unknown=2)
    assert "2 messages may have reached people" in page(here)


def test_an_expired_rest_needs_attention(here: Stage) -> None:
    campaign = here.made("sending", rows=5)
    counted(here, campaign, queued=0, expired=5)
    put(here, campaign, state=State.EXPIRED, finished_at=timezone.now())
    assert "Its window ended before 5 messages were sent." in page(here)


def test_what_waits_is_shown_to_who_may_decide(here: Stage) -> None:
    here.made("in_review", name="Black Friday")
    assert "1 decision waits for you." in page(here, here.moderator)
    assert "Black Friday" in page(here, here.moderator)
    assert "Nothing waits for you." in page(here)


def test_own_work_does_not_wait_for_oneself(here: Stage) -> None:
    both = here.person(Role.AUTHOR_MODERATOR)
    with scope(here.place):
        make.in_review(both, here.route)
    assert "Nothing waits for you." in page(here, both)


def test_approved_campaigns_come_up_by_their_time(here: Stage) -> None:
    now = timezone.now()
    for name, hours in (("Later", 5), ("Sooner", 1)):
        here.made("approved", name=name, mode="scheduled", starts_at=now + timedelta(hours=hours))
    assert [row.name for row in seen(here).coming] == ["Sooner", "Later"]


def test_only_who_may_run_a_campaign_is_offered_its_pause(here: Stage) -> None:
    campaign = here.made("sending")
    assert here.url(campaign, "pause/") not in page(here, here.person(Role.AUTHOR))
    assert here.url(campaign, "pause/") in page(here, here.moderator)


def test_a_campaign_behind_its_plan_is_named(here: Stage) -> None:
    start = timezone.now() - timedelta(hours=1)
    window = {"starts_at": start, "ends_at": start + timedelta(hours=2)}
    here.made("sending", rows=200, mode="spread", name="Slow one", **window)
    found = seen(here)
    assert found.tiles.behind == 1
    assert any("Slow one is" in sentence for sentence in found.lede)
    # Amber is for what waits for somebody: nothing is held.
    assert "1 <small>behind</small>" in page(here)
    assert "<small>held</small>" not in page(here)


def test_another_workspace_is_not_seen(here: Stage) -> None:
    stage().made("sending", name="Foreign")
    assert "Foreign" not in page(here)
