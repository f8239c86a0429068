"""What a workspace sent to one number."""

from typing import Any

import pytest
from django.utils import timezone

from campaigns.models import Message, OptOut
from tests import make
from tests.campaigns.looking import Team, client_of, seen_by, team, text
from tests.campaigns.test_messages import attempt
from workspaces.queries.keys import keys
from workspaces.queries.me import Me
from workspaces.scope import scope

pytestmark = pytest.mark.django_db


@pytest.fixture
def care(db: None) -> Team:
    return team()


def find(me: Me, number: str, country: str = "GB") -> Any:
    """Look for a number."""
    return client_of(me).post(
        f"/w/{me.here.slug}/messages/", {"number": number, "country": country}
    )


def test_the_form_waits_for_a_number(care: Team) -> None:
    page = seen_by(care.author, "/w/care/messages/")
    assert "Type a number to see what this workspace sent to it." in page


def test_a_number_is_found_in_every_campaign_however_it_is_written(care: Team) -> None:
    first = care.campaign(name="First")
    care.campaign(name="Second")
    attempt(first, position_of(care, first, 2), "unknown", cause="no answer")
    for written in ("+447700900002", "07700 900002", "00447700900002"):
        page = text(find(care.author, written))
        assert "2 messages to +44 77" in page
        assert page.index("Second") < page.index("First")
        assert "no answer" in page


def position_of(care: Team, campaign: Any, index: int) -> int:
    """Return the position of number(index) in a campaign."""
    with scope(care.place):
        found = Message.objects.get(
            campaign=campaign, fingerprint=keys().fingerprint(make.number(index))
        )
    return int(found.position)


def test_the_number_is_in_no_address_and_no_link(care: Team) -> None:
    care.campaign()
    response = find(care.author, make.number(0))
    assert response.status_code == 200
    page = text(response)
    links = [part.split('"')[0] for part in page.split('href="')[1:]]
    assert not [link for link in links if make.number(0)[-6:] in link]


def test_nothing_found_says_what_that_means(care: Team) -> None:
    page = text(find(care.author, "+447700900999"))
    assert "This workspace has sent nothing to this number" in page


def test_what_is_no_number_is_said_at_the_field_and_stays_typed(care: Team) -> None:
    page = text(find(care.author, "hello"))
    assert "This is not a phone number. Use digits only." in page
    assert 'value="hello"' in page


def test_a_person_who_opted_out_is_told_first(care: Team) -> None:
    with scope(care.place):
        OptOut.objects.create(
            workspace=care.place,
            fingerprint=keys().fingerprint(make.number(1)),
            number_sealed=keys().seal_number(make.number(1), care.place.pk),
            source="page",
            added_at=timezone.now(),
        )
    assert "wants no messages of this workspace" in text(find(care.author, make.number(1)))


def test_a_neighbours_messages_stay_his(care: Team) -> None:
    team("vas").campaign()
    assert "has sent nothing to this number" in text(find(care.author, make.number(0)))
