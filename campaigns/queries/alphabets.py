"""Which alphabet a campaign's segments are counted for: it must fit every connection that may carry
the campaign.

A text never needs fewer segments where data coding 0 is Latin-1, and on a route where one
connection takes it for that, every connection makes the same parts of a text.
"""

from django.db.models import QuerySet

from campaigns.models import Campaign
from campaigns.rules.campaign_states import State
from smpp_client.models import RouteConnection
from smpp_client.rules.segments import Alphabet

NOT_BUILT = frozenset({State.DRAFT, State.BUILDING, State.RETURNED, State.FAILED})


def alphabet_now(campaign: Campaign) -> Alphabet:
    """Return what a campaign is counted for as its route's connections are set now.

    While it has no route, all that its workspace may use count.
    """
    return Alphabet.LATIN1 if _latin1_parts(campaign).exists() else Alphabet.GSM


def latin1_names(campaign: Campaign) -> list[str]:
    """Return the names of the connections that take Latin-1, of those that may carry a campaign."""
    names = _latin1_parts(campaign).order_by("connection__name")
    return list(names.values_list("connection__name", flat=True).distinct())


def _latin1_parts(campaign: Campaign) -> QuerySet[RouteConnection]:
    parts = RouteConnection.objects.filter(connection__alphabet=Alphabet.LATIN1.value)
    if campaign.route_id is not None:
        return parts.filter(route=campaign.route_id)
    return parts.filter(route__grants__workspace=campaign.workspace_id)


def alphabet_counted(campaign: Campaign) -> Alphabet:
    """Return what a campaign was counted for when it was built; before that, what it will be."""
    if State(campaign.state) in NOT_BUILT:
        return alphabet_now(campaign)
    return Alphabet(campaign.alphabet)
