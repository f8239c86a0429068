"""Drafts: made, edited by one person at a time, copied, put away."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from campaigns.actions import building, drafts, review, running
from campaigns.actions.moves import CampaignRefused, NoSuchCampaign
from campaigns.models import Campaign, Mode
from campaigns.rules.campaign_states import State
from smpp_client.models import Route
from tests import make
from tests.workspaces.log import entries
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope


@pytest.fixture
def author(db: None) -> Iterator[Me]:
    """An author, inside his workspace."""
    place = make.workspace(zone="Asia/Tashkent")
    with scope(place):
        yield make.person_in(place, Role.AUTHOR)


def new(author: Me, **fields: Any) -> Campaign:
    """Make a draft."""
    return drafts.create_draft(by=author, fields=fields, now=timezone.now())


def edit(campaign: Campaign, by: Me, version: int | None = None, **fields: Any) -> Campaign:
    """Save fields, having seen the campaign's own version unless told otherwise."""
    seen = campaign.version if version is None else version
    return drafts.edit_draft(
        number=campaign.number, by=by, fields=fields, version=seen, now=timezone.now()
    )


def test_numbers_count_in_the_workspace(author: Me) -> None:
    assert [new(author).number for _ in range(3)] == [1, 2, 3]


def test_a_draft_takes_the_zone_of_its_workspace(author: Me) -> None:
    assert new(author).zone == "Asia/Tashkent"


def test_creating_is_recorded(author: Me) -> None:
    campaign = new(author, name="Balance")
    last = entries(author.here)[-1]
    assert (last["op"], last["obj"]["id"]) == ("campaign.create", f"cmp_{campaign.pk}")


def test_an_edit_changes_what_it_names_and_nothing_else(author: Me) -> None:
    campaign = edit(new(author, name="Old", purpose="Test"), author, name="New")
    assert (campaign.name, campaign.purpose, campaign.version) == ("New", "Test", 2)


def test_an_edit_is_recorded_with_what_was_there_before(author: Me) -> None:
    edit(new(author, name="Old"), author, name="New")
    last = entries(author.here)[-1]
    assert (last["op"], last["diff"]) == ("campaign.edit", {"name": ["Old", "New"]})


def test_saving_what_is_there_already_changes_no_version_and_is_not_recorded(author: Me) -> None:
    campaign = new(author, name="Same")
    before = len(entries(author.here))
    assert edit(campaign, author, name="Same").version == 1
    assert len(entries(author.here)) == before


def test_what_the_machine_keeps_cannot_be_edited(author: Me) -> None:
    campaign = edit(new(author), author, total=7, state="approved")
    assert (campaign.total, campaign.state) == (0, State.DRAFT)


def test_a_version_that_was_not_seen_is_not_overwritten(author: Me) -> None:
    campaign = new(author, name="First")
    colleague = make.person_in(author.here, Role.AUTHOR, "Kamola")
    edit(campaign, colleague, name="Theirs")
    with pytest.raises(drafts.EditedMeanwhile, match="Kamola saved another version"):
        edit(campaign, author, version=1, name="Mine")
    campaign.refresh_from_db()
    assert campaign.name == "Theirs"


def test_the_time_of_the_other_version_is_in_the_workspaces_zone(author: Me) -> None:
    campaign = new(author)
    moment = timezone.now().replace(hour=20, minute=15)
    drafts.edit_draft(
        number=campaign.number, by=author, fields={"name": "x"}, version=1, now=moment
    )
    with pytest.raises(drafts.EditedMeanwhile, match="at 01:15"):
        edit(campaign, author, version=1, name="y")


def test_a_plan_that_ends_before_it_starts_is_refused(author: Me) -> None:
    now = timezone.now()
    campaign = new(author, starts_at=now)
    with pytest.raises(drafts.BadTimes):
        edit(campaign, author, ends_at=now - timedelta(hours=1))


def test_editing_a_ready_campaign_voids_its_audience(author: Me, route: Route) -> None:
    campaign = make.ready(author, route)
    assert edit(campaign, author, text="Other").state == State.DRAFT


def test_saving_a_ready_campaign_unchanged_keeps_its_audience(author: Me, route: Route) -> None:
    campaign = make.ready(author, route)
    assert edit(campaign, author, text=campaign.text).state == State.READY


def test_a_campaign_in_review_is_past_editing(author: Me, route: Route) -> None:
    campaign = make.in_review(author, route)
    with pytest.raises(drafts.NotEditable, match="withdraw"):
        edit(campaign, author, text="Other")


def test_a_campaign_that_is_being_built_is_not_edited(author: Me, route: Route) -> None:
    campaign = make.draft(author, route)
    building.start_build(number=campaign.number, by=author, now=timezone.now())
    with pytest.raises(drafts.NotEditable, match="being built"):
        edit(campaign, author, text="Other")


def test_a_clone_takes_the_content_and_no_times_and_no_approval(author: Me, route: Route) -> None:
    source = make.approved(author, route, mode=Mode.SPREAD, **make.window())
    copy = drafts.clone(number=source.number, by=author, now=timezone.now())
    assert (copy.text, copy.route_id, copy.state) == (source.text, source.route_id, State.DRAFT)
    assert (copy.starts_at, copy.ends_at, copy.rate_ceiling, copy.approval_id) == (None,) * 4
    assert copy.cloned_from_id == source.pk
    assert copy.name == "Balance, copy"


def test_the_clones_author_is_who_cloned(author: Me, route: Route) -> None:
    source = make.draft(author, route)
    colleague = make.person_in(author.here, Role.AUTHOR)
    copy = drafts.clone(number=source.number, by=colleague, now=timezone.now())
    assert copy.author_person_id == colleague.person_id


def test_archive_and_restore(author: Me) -> None:
    campaign = new(author)
    drafts.archive(number=campaign.number, by=author, now=timezone.now())
    campaign.refresh_from_db()
    assert campaign.is_archived
    drafts.restore(number=campaign.number, by=author, now=timezone.now())
    campaign.refresh_from_db()
    assert not campaign.is_archived


def test_archiving_twice_is_recorded_once(author: Me) -> None:
    campaign = new(author)
    for _ in range(2):
        drafts.archive(number=campaign.number, by=author, now=timezone.now())
    assert [entry["op"] for entry in entries(author.here)].count("campaign.archive") == 1


@pytest.mark.parametrize("act", ["archive", "delete"])
def test_a_campaign_at_work_is_neither_archived_nor_deleted(
    author: Me, route: Route, act: str
) -> None:
    campaign = make.sending(author, route)
    more = {"why": "a mistake"} if act == "delete" else {}
    with pytest.raises(CampaignRefused, match="at work"):
        getattr(drafts, act)(number=campaign.number, by=author, now=timezone.now(), **more)


def test_a_deleted_campaign_is_there_for_nobody(author: Me) -> None:
    campaign = new(author)
    drafts.delete(number=campaign.number, by=author, why="a mistake", now=timezone.now())
    with pytest.raises(NoSuchCampaign):
        edit(campaign, author, name="x")
    with pytest.raises(NoSuchCampaign):
        running.cancel(number=campaign.number, by=author, why="", now=timezone.now())


def test_deleting_is_recorded_with_its_reason(author: Me) -> None:
    campaign = new(author)
    drafts.delete(number=campaign.number, by=author, why="a mistake", now=timezone.now())
    last = entries(author.here)[-1]
    assert (last["op"], last["why"]) == ("campaign.delete", "a mistake")


def test_the_number_of_a_deleted_campaign_is_not_given_again(author: Me) -> None:
    campaign = new(author)
    drafts.delete(number=campaign.number, by=author, why="a mistake", now=timezone.now())
    assert new(author).number == campaign.number + 1


def test_a_withdrawn_campaign_can_be_edited_again(author: Me, route: Route) -> None:
    campaign = make.in_review(author, route)
    campaign = review.withdraw(number=campaign.number, by=author, now=timezone.now())
    assert edit(campaign, author, text="Other").state == State.DRAFT
