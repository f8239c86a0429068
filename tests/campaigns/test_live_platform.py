"""The Master view: campaigns of every workspace, to look at."""

import pytest
from django.utils import timezone

from campaigns.actions import running
from campaigns.queries import all_campaigns
from tests.campaigns.looking import Team, client_of, seen_by, team
from tests.workspaces import make as people
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope

pytestmark = pytest.mark.django_db
HOME = "/platform/campaigns/"


@pytest.fixture
def root(db: None) -> Me:
    return people.me(people.user(is_super_admin=True))


@pytest.fixture
def care(db: None) -> Team:
    return team("care")


@pytest.fixture
def vas(db: None) -> Team:
    return team("vas")


def test_campaigns_of_every_workspace_are_listed_newest_first(
    root: Me, care: Team, vas: Team
) -> None:
    care.campaign(name="Balance day")
    vas.campaign("draft", name="Codes")
    page = seen_by(root, HOME)
    assert page.index("Codes") < page.index("Balance day")
    assert 'href="/w/care/campaigns/C-1/"' in page
    assert 'href="/w/vas/campaigns/C-1/"' in page
    assert "<b>1 campaign</b> is sending, paused or held." in page


@pytest.mark.parametrize(
    ("query", "found", "missing"),
    [
        ("?group=running", "Balance day", "Codes"),
        ("?group=drafts", "Codes", "Balance day"),
        ("?workspace=care", "Balance day", "Codes"),
        ("?q=codes", "Codes", "Balance day"),
        ("?q=C-1&workspace=vas", "Codes", "Balance day"),
        ("?group=nonsense&before=x", "Codes", "nothing at all"),
    ],
)
def test_the_filter_is_the_address(
    root: Me, care: Team, vas: Team, query: str, found: str, missing: str
) -> None:
    care.campaign(name="Balance day")
    vas.campaign("draft", name="Codes")
    page = seen_by(root, HOME + query)
    assert found in page
    assert missing not in page


def test_what_is_held_says_why_in_the_list(root: Me, care: Team) -> None:
    campaign = care.campaign()
    with scope(care.place):
        running.hold(campaign.pk, reason="x", sentence="The route is gone.", now=timezone.now())
    assert "The route is gone." in seen_by(root, HOME)


def test_older_ones_are_on_the_next_page(
    root: Me, care: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_campaigns, "PAGE", 2)
    made = [care.campaign("draft", name=f"Number {index}") for index in range(3)]
    assert f"?before={made[1].pk}" in seen_by(root, HOME)
    page = seen_by(root, f"{HOME}?before={made[1].pk}")
    assert "Number 0" in page
    assert "Number 2" not in page


def test_there_is_nothing_to_press_but_links_and_the_filter(root: Me, care: Team) -> None:
    care.campaign()
    main = seen_by(root, HOME).partition("<main")[2].partition("</main>")[0]
    assert 'method="post"' not in main


@pytest.mark.parametrize("address", [HOME, "/platform/diagnostics/"])
def test_members_do_not_know_of_it(care: Team, address: str) -> None:
    assert client_of(care.member(Role.ADMIN)).get(address).status_code == 404
