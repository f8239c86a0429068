"""The campaign that an address names, and the addresses below it."""

from django.http import Http404
from django.urls import reverse

from campaigns.models import Campaign
from campaigns.queries.live import find_campaign
from workspaces.gate.request import GateRequest


def campaign_or_404(request: GateRequest, number: int) -> Campaign:
    """Return a campaign of this workspace; anybody else's does not exist here."""
    found = find_campaign(request.me.here, number)
    if found is None:
        raise Http404
    return found


def address(request: GateRequest, name: str, campaign: Campaign, **more: int) -> str:
    """Return the address of one of a campaign's pages."""
    where = {"workspace": request.me.here.slug, "number": campaign.number, **more}
    return reverse(f"campaigns:{name}", kwargs=where)
