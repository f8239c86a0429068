"""Campaigns: their state, counts, plan and slots."""

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from campaigns.api.base import ApiRequest, ApiView, page_answer
from campaigns.api.cursors import next_link, read_cursor
from campaigns.api.describing import WITH_KEY, answers
from campaigns.api.reading import read_query
from campaigns.api.shapes import CampaignLineSerializer, CampaignPage, CampaignSerializer, PageQuery
from campaigns.queries.api_campaigns import (
    CAMPAIGNS,
    campaign_by_number,
    page_of_campaigns,
    shown_campaign,
)
from campaigns.queries.why import why_not_faster
from campaigns.rules.api_answers import CAMPAIGN, campaign_number

QUESTION = "campaigns"
NAME = OpenApiParameter(
    "campaign", {"type": "string", "pattern": f"^{CAMPAIGN}$"}, OpenApiParameter.PATH
)


class Campaigns(ApiView):
    """The campaigns of a workspace."""

    permission = "campaign.see"

    @extend_schema(
        operation_id="list_campaigns",
        summary="List campaigns",
        parameters=[PageQuery],
        responses=answers(200, CampaignPage, 400, *WITH_KEY),
    )
    def get(self, request: ApiRequest) -> Response:
        """The campaigns of the key's workspace, newest first, a page at a time."""
        query = read_query(PageQuery, request.query_params)
        before = read_cursor(QUESTION, query.get("cursor", ""))
        page = page_of_campaigns(request.me.here, limit=query["limit"], before=before)
        following = next_link(CAMPAIGNS, QUESTION, page.after, limit=query["limit"])
        return page_answer([CampaignLineSerializer(one).data for one in page.campaigns], following)


class Campaign(ApiView):
    """One campaign."""

    permission = "campaign.see"

    @extend_schema(
        operation_id="get_campaign",
        summary="See one campaign",
        parameters=[NAME],
        responses=answers(200, CampaignSerializer, *WITH_KEY, 404),
    )
    def get(self, request: ApiRequest, campaign: str) -> Response:
        """A campaign with its state, counts that add up, its plan, and why it is not faster."""
        found = campaign_by_number(request.me.here, campaign_number(campaign))
        if found is None:
            raise Http404
        shown = shown_campaign(found, why_not_faster(found, timezone.now()))
        return Response(CampaignSerializer(shown).data)
