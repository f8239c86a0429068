"""What is done to a campaign from outside the wizard, over its addresses."""

import pytest

from campaigns.rules.campaign_states import State
from tests.campaigns.pages import Stage, stage, text
from tests.workspaces import make as people
from workspaces.models import User
from workspaces.rules.permissions import Role


@pytest.fixture
def here(db: None) -> Stage:
    """The workspace."""
    return stage()


@pytest.fixture
def visitor(here: Stage) -> User:
    """A super admin who has entered the workspace."""
    account = people.user("Platform", is_super_admin=True)
    people.visit(here.place, account)
    return account


def test_withdrawing_brings_it_back_to_its_author(here: Stage) -> None:
    campaign = here.made("in_review")
    response = here.client(here.author).post(here.url(campaign, "withdraw/"))
    assert response.headers["Location"] == here.url(campaign, "edit/check/")
    assert here.fresh(campaign).state == State.READY


def test_what_is_decided_is_not_withdrawn(here: Stage) -> None:
    campaign = here.made("approved")
    response = here.client(here.author).post(here.url(campaign, "withdraw/"), follow=True)
    assert "The campaign has changed meanwhile." in text(response)
    assert here.fresh(campaign).state == State.APPROVED


def test_a_clone_opens_at_its_first_step(here: Stage) -> None:
    campaign = here.made("sending", name="Weekend")
    response = here.client(here.author).post(here.url(campaign, "clone/"), follow=True)
    assert response.redirect_chain[-1][0] == here.url(None, "campaigns/C-2/edit/purpose/")
    assert "This is a copy of C-1." in text(response)
    assert 'value="Weekend, copy"' in text(response)


def test_archive_and_restore(here: Stage) -> None:
    campaign = here.made()
    client = here.client(here.author)
    assert client.post(here.url(campaign, "archive/")).headers["Location"] == here.url(
        None, "campaigns/"
    )
    assert here.fresh(campaign).is_archived
    assert client.post(here.url(campaign, "restore/")).headers["Location"] == here.url(campaign, "")
    assert not here.fresh(campaign).is_archived


def test_a_campaign_at_work_says_why_it_is_not_archived(here: Stage) -> None:
    campaign = here.made("sending")
    response = here.client(here.author).post(here.url(campaign, "archive/"), follow=True)
    assert "Cancel its rest first." in text(response)


@pytest.mark.parametrize("act", ["withdraw", "clone", "archive", "restore", "submit", "build"])
def test_looking_does_nothing(here: Stage, act: str) -> None:
    campaign = here.made()
    assert here.client(here.author).get(here.url(campaign, f"{act}/")).status_code == 405


@pytest.mark.parametrize("act", ["withdraw", "clone", "archive", "restore", "submit", "build"])
@pytest.mark.parametrize("role", [Role.VIEWER, Role.MODERATOR])
def test_who_does_not_write_does_none_of_it(here: Stage, act: str, role: Role) -> None:
    campaign = here.made()
    before = here.fresh(campaign)
    response = here.client(here.person(role)).post(here.url(campaign, f"{act}/"))
    assert response.status_code == 403
    assert here.fresh(campaign).version == before.version


@pytest.mark.parametrize("act", ["withdraw", "clone", "archive", "restore", "submit", "build"])
def test_what_does_not_exist_is_not_found(here: Stage, act: str) -> None:
    url = here.url(None, f"campaigns/C-77/{act}/")
    assert here.client(here.author).post(url).status_code == 404


def test_only_the_platform_team_deletes(here: Stage) -> None:
    campaign = here.made()
    client = here.client(here.person(Role.ADMIN))
    assert client.get(here.url(campaign, "delete/")).status_code == 403
    assert client.post(here.url(campaign, "delete/")).status_code == 403
    assert here.fresh(campaign).deleted_at is None


@pytest.mark.parametrize("typed", ["C-1", "c-1 "])
def test_the_typed_number_and_a_reason_delete(here: Stage, visitor: User, typed: str) -> None:
    campaign = here.made()
    client = people.signed_in(visitor)
    response = client.post(
        here.url(campaign, "delete/"), {"why": "Made by mistake", "typed": typed}
    )
    assert response.headers["Location"] == here.url(None, "campaigns/")
    assert here.fresh(campaign).deleted_at is not None
    assert client.get(here.url(campaign, "")).status_code == 404


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"why": "Mistake", "typed": "C-2"}, "It is C-1."),
        ({"why": "", "typed": "C-1"}, "This field is required."),
    ],
)
def test_without_both_nothing_is_deleted(
    here: Stage, visitor: User, fields: dict[str, str], sentence: str
) -> None:
    campaign = here.made()
    page = people.signed_in(visitor).post(here.url(campaign, "delete/"), fields)
    assert sentence in text(page)
    assert here.fresh(campaign).deleted_at is None


def test_a_campaign_at_work_is_not_deleted(here: Stage, visitor: User) -> None:
    campaign = here.made("sending")
    page = people.signed_in(visitor).post(
        here.url(campaign, "delete/"), {"why": "Mistake", "typed": "C-1"}
    )
    assert "Cancel its rest first." in text(page)
    assert here.fresh(campaign).state == State.SENDING
