"""The list of campaigns: pills with counts, filters in the address, pages by number."""

from datetime import timedelta

import pytest
from django.utils import timezone

from campaigns.models import Campaign, Mode, Progress
from campaigns.queries import campaigns as questions
from campaigns.queries.campaigns import Filter, Group
from campaigns.rules.campaign_states import State
from tests import make
from tests.campaigns.pages import Stage, stage, text
from workspaces.rules.permissions import Role
from workspaces.scope import scope


@pytest.fixture
def here(db: None) -> Stage:
    """The workspace."""
    return stage()


def listed(here: Stage, query: str = "") -> str:
    """Return the list as its author sees it."""
    return text(here.client(here.author).get(here.url(None, "campaigns/") + query))


def put(here: Stage, campaign: Campaign, **fields: object) -> None:
    """Change columns directly."""
    with scope(here.place):
        Campaign.objects.filter(pk=campaign.pk).update(**fields)


def test_pills_count_what_they_show(here: Stage) -> None:
    here.made(name="A draft")
    here.made("in_review", name="Reviewed")
    here.made("sending", name="Sent now")
    page = listed(here)
    for words in ("All", "Draft", "In review", "Sending"):
        assert f'{words} <span class="n">{3 if words == "All" else 1}</span>' in page
    assert "Reviewed" in listed(here, "?state=in_review")
    assert "A draft" not in listed(here, "?state=in_review")


def test_every_state_is_under_one_pill() -> None:
    states = [state for group in questions.STATES.values() for state in group]
    assert sorted(states) == sorted(State)


def test_archived_campaigns_are_under_their_own_pill_only(here: Stage) -> None:
    put(here, here.made(name="Old one"), is_archived=True)
    here.made(name="New one")
    assert "Old one" not in listed(here)
    assert "Old one" in listed(here, "?state=archived")


def test_deleted_campaigns_are_nowhere(here: Stage) -> None:
    put(here, here.made(name="Gone"), deleted_at=timezone.now())
    assert "Gone" not in listed(here) + listed(here, "?state=archived")


@pytest.mark.parametrize("asked", ["Weekend", "weekend", "C-1", "c-1", "1", "Amber"])
def test_a_search_finds_names_numbers_and_senders(here: Stage, asked: str) -> None:
    with scope(here.place):
        sender, other = make.sender(here.place, "Amber"), make.sender(here.place, "Basalt")
    here.made(name="Weekend 20 GB", sender_id=sender.pk)
    here.made(name="Other", sender_id=other.pk)
    page = listed(here, f"?q={asked}")
    assert "Weekend 20 GB" in page
    assert ">Other<" not in page
    assert f"“{asked}”" in page


def test_filters_narrow_together_and_can_be_removed(here: Stage) -> None:
    mine = here.made(name="Mine")
    other = here.person(Role.AUTHOR)
    with scope(here.place):
        make.draft(other, here.route, name="Theirs", sender_id=mine.sender_id)
    page = listed(here, f"?sender={mine.sender_id}&author={here.author.user.pk}")
    assert ">Mine<" in page
    assert ">Theirs<" not in page
    assert f'href="?author={here.author.user.pk}"' in page


def test_an_old_campaign_is_left_out_of_a_period(here: Stage) -> None:
    put(here, here.made(name="Old"), edited_at=timezone.now() - timedelta(days=8))
    assert ">Old<" not in listed(here, "?days=7")
    assert ">Old<" in listed(here, "?days=30")


@pytest.mark.parametrize(
    "query",
    ["?state=x", "?before=x", "?before=-1", "?sender=" + "9" * 30, "?days=3", "?q=%00%25_'\""],
)
def test_nonsense_in_the_address_is_left_out(here: Stage, query: str) -> None:
    here.made()
    response = here.client(here.author).get(here.url(None, "campaigns/") + query)
    assert response.status_code == 200


def test_pages_go_on_where_the_last_one_ended(here: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "PAGE", 2)
    for name in ("First", "Second", "Third"):
        here.made(name=name)
    page = listed(here)
    assert ">Third<" in page
    assert ">First<" not in page
    assert 'href="?before=2"' in page
    older = listed(here, "?before=2")
    assert ">First<" in older
    assert ">Second<" not in older


def test_a_filter_without_a_hit_says_so(here: Stage) -> None:
    here.made()
    assert "No campaign of this state fits the filters." in listed(here, "?q=nothing")
    assert "that is normal" in listed(here, "?state=stopped")


def test_drafts_lead_authors_to_the_wizard_and_others_to_the_page(here: Stage) -> None:
    campaign = here.made(name="Draft")
    assert here.url(campaign, "edit/check/") in listed(here)
    page = text(here.client(here.person(Role.VIEWER)).get(here.url(None, "campaigns/")))
    assert here.url(campaign, "edit/check/") not in page
    assert here.url(campaign, "") in page


def test_only_authors_get_the_button_for_a_new_one(here: Stage) -> None:
    here.made()
    assert "New campaign" in listed(here)
    page = text(here.client(here.person(Role.MODERATOR)).get(here.url(None, "campaigns/")))
    assert "New campaign" not in page.split("<main")[1].split("</main>")[0]


def row(here: Stage, campaign: Campaign) -> questions.Row:
    """Return the campaign's line."""
    with scope(here.place):
        found = questions.page_of(here.place, Filter(search=str(campaign)), timezone.now())
    return found.rows[0]


def test_a_row_counts_what_was_taken_up(here: Stage) -> None:
    campaign = here.made("sending", rows=10)
    with scope(here.place):
        Progress.objects.filter(campaign=campaign).update(queued=4, delivered=5, submitted=1)
    found = row(here, campaign)
    assert (found.done, found.total, found.percent, found.sentence) == (6, 10, 60, "60 %")


def test_a_held_row_says_why(here: Stage) -> None:
    campaign = here.made("sending")
    put(here, campaign, state=State.HELD, hold_sentence="No route.")
    assert (row(here, campaign).sentence, row(here, campaign).is_bad) == ("No route.", True)


def test_a_completed_row_tells_the_delivered_share(here: Stage) -> None:
    campaign = here.made("sending", rows=10)
    with scope(here.place):
        Progress.objects.filter(campaign=campaign).update(queued=0, delivered=9, undelivered=1)
    put(here, campaign, state=State.COMPLETED)
    assert row(here, campaign).sentence == "90.0 % delivered"


def test_an_open_trigger_is_called_open(here: Stage) -> None:
    campaign = here.made(
        "sending",
        mode=Mode.TRIGGER,
        text="Hi",
        daily_cap=5,
        ends_at=timezone.now() + timedelta(days=2),
    )
    assert (row(here, campaign).state, row(here, campaign).sentence) == ("open", "0 today")


def test_the_page_asks_as_often_for_many_rows_as_for_one(
    here: Stage, django_assert_max_num_queries: object
) -> None:
    here.made("sending")
    client = here.client(here.author)
    client.get(here.url(None, "campaigns/"))
    counts = []
    for _ in range(2):
        with django_assert_max_num_queries(60) as asked:  # type: ignore[operator]
            client.get(here.url(None, "campaigns/"))
        counts.append(len(asked))
        for _more in range(3):
            here.made("sending")
    assert counts[0] == counts[1]


def test_another_workspaces_campaigns_are_not_listed(here: Stage) -> None:
    stage().made(name="Foreign")
    assert "Foreign" not in listed(here)


def test_the_pills_are_those_of_the_picture() -> None:
    assert [str(questions.WORDS[group]) for group in Group] == [
        "All",
        "Draft",
        "In review",
        "Scheduled",
        "Sending",
        "Held or paused",
        "Finished",
        "Archived",
    ]
