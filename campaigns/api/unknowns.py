"""What nobody knows about: segments without an answer, with the cause."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from campaigns.api.base import ApiRequest, ApiView, page_answer
from campaigns.api.cursors import next_link, read_cursor
from campaigns.api.describing import WITH_KEY, answers
from campaigns.api.reading import Text, read_query
from campaigns.api.shapes import PageQuery, is_campaign
from campaigns.queries.unknowns import Asked, page_of_unknowns
from campaigns.rules.api_answers import campaign_number

UNKNOWNS = "/api/v1/unknowns"


class UnknownsQuery(PageQuery):
    """Which are wanted."""

    campaign = Text(
        required=False, validators=[is_campaign], help_text="Only segments of this campaign: C-12."
    )


class UnknownSerializer(serializers.Serializer[Any]):
    """One segment (part of a message) without an answer. `position` names its message in the
    campaign; `to` is masked.
    """

    campaign = serializers.CharField()
    position = serializers.IntegerField(min_value=0)
    part = serializers.IntegerField(min_value=1)
    segments = serializers.IntegerField(min_value=1, source="part_count")
    attempt = serializers.IntegerField(min_value=1)
    to = serializers.CharField(source="number")
    sender = serializers.CharField()
    connection = serializers.CharField()
    cause = serializers.CharField()
    submitted_at = serializers.DateTimeField(source="intended_at")
    unknown_at = serializers.DateTimeField()


class UnknownPage(serializers.Serializer[Any]):
    """Segments without an answer, newest first."""

    next = serializers.CharField(allow_null=True)
    items = UnknownSerializer(many=True)


class Unknowns(ApiView):
    """The segments of this workspace that nobody knows about."""

    permission: ClassVar[dict[str, str]] = {"GET": "message.see"}

    @extend_schema(
        operation_id="list_unknowns",
        summary="List what is unknown",
        parameters=[UnknownsQuery],
        responses=answers(200, UnknownPage, 400, *WITH_KEY),
    )
    def get(self, request: ApiRequest) -> Response:
        """Segments whose submission was never answered, newest first, a page at a time.

        They may have been sent. Nothing sends them again by itself.
        """
        query = read_query(UnknownsQuery, request.query_params)
        name = query.get("campaign", "")
        question = f"unknowns:{name}"
        asked = Asked(
            workspace=request.me.here.pk,
            campaign=campaign_number(name) if name else None,
            before=read_cursor(question, query.get("cursor", "")),
            limit=query["limit"],
        )
        page = page_of_unknowns(asked)
        following = next_link(UNKNOWNS, question, page.after, limit=asked.limit, campaign=name)
        return page_answer([UnknownSerializer(one).data for one in page.rows], following)
