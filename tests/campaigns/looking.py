"""A team with a campaign, looked at through the product's pages."""

from dataclasses import dataclass
from typing import Any

from django.test import Client

from campaigns.models import Campaign, Progress
from smpp_client.models import Connection, Route
from tests import make
from tests.workspaces import make as people
from workspaces.models import Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope


@dataclass(frozen=True)
class Team:
    """A workspace with an author, a route and nothing sent yet. Nothing is in scope outside."""

    place: Workspace
    author: Me
    wire: Connection
    route: Route

    def campaign(self, state: str = "sending", /, **fields: Any) -> Campaign:
        """Make a campaign of the author: draft, ready, in_review, approved or sending."""
        with scope(self.place):
            made: Campaign = getattr(make, state)(self.author, self.route, **fields)
        return made

    def member(self, role: Role) -> Me:
        """Make another member."""
        return people.me_in(self.place, role)

    def counts(self, campaign: Campaign, **states: int) -> None:
        """Move the counters of a campaign to these states; the rest stays queued."""
        with scope(self.place):
            queued = campaign.total - sum(states.values())
            Progress.objects.filter(campaign=campaign).update(queued=queued, **states)


def team(slug: str = "care", zone: str = "Asia/Tashkent") -> Team:
    """Make a team."""
    place = people.workspace(slug, zone=zone)
    author = people.me_in(place, Role.AUTHOR)
    with scope(place):
        wire = make.connection()
        return Team(place, author, wire, make.route(place, wire))


def path(campaign: Campaign, more: str = "") -> str:
    """Return the address of a campaign's page, or of one below it."""
    return f"/w/{campaign.workspace.slug}/campaigns/C-{campaign.number}/{more}"


def text(response: Any) -> str:
    """Return a page's text with single spaces."""
    return " ".join(response.content.decode().split())


def seen_by(me: Me, address: str, **headers: str) -> str:
    """Return the page at this address as a member sees it; it has to be there."""
    response = people.signed_in(me.user).get(address, headers=headers)
    assert response.status_code == 200, f"{address} answers {response.status_code}"
    return text(response)


def client_of(me: Me) -> Client:
    """Return a client in which a member is signed in."""
    return people.signed_in(me.user)
