"""What the tests of campaign pages stand on: people with browsers, and campaigns in every state."""

from dataclasses import dataclass
from typing import Any

from django.test import Client

from campaigns.models import Campaign
from smpp_client.models import Route
from tests import make
from tests.workspaces import make as people
from workspaces.models import Workspace
from workspaces.queries.me import Me
from workspaces.rules.permissions import Role
from workspaces.scope import scope


@dataclass
class Stage:
    """A workspace with a route, its author, and another person who decides."""

    place: Workspace
    author: Me
    moderator: Me
    route: Route

    def person(self, role: Role) -> Me:
        """Return a new member."""
        return people.me_in(self.place, role)

    def client(self, who: Me) -> Client:
        """Return a person's browser."""
        return people.signed_in(who.user)

    def made(self, how: str = "draft", **fields: Any) -> Campaign:
        """Make a campaign by one of make's functions."""
        with scope(self.place):
            campaign: Campaign = getattr(make, how)(self.author, self.route, **fields)
        return campaign

    def fresh(self, campaign: Campaign) -> Campaign:
        """Return the row as it is now."""
        with scope(self.place):
            return Campaign.objects.get(pk=campaign.pk)

    def url(self, campaign: Campaign | None, path: str) -> str:
        """Return an address below a campaign, or below the workspace."""
        below = f"campaigns/{campaign}/" if campaign is not None else ""
        return f"/w/{self.place.slug}/{below}{path}"


def stage(zone: str = "UTC") -> Stage:
    """Make the workspace."""
    place = people.workspace(zone=zone)
    author, moderator = people.me_in(place, Role.AUTHOR), people.me_in(place, Role.MODERATOR)
    with scope(place):
        route = make.route(place, make.connection(rate=100))
    return Stage(place, author, moderator, route)


def text(response: Any) -> str:
    """Return a page's text with single spaces."""
    return " ".join(response.content.decode().split())
