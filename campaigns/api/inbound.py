"""What subscribers wrote to the workspace."""

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from campaigns.actions.replies import assign_by_email
from campaigns.api.base import ApiRequest, ApiView, page_answer
from campaigns.api.cursors import next_link, read_cursor
from campaigns.api.describing import WITH_KEY, answers
from campaigns.api.reading import read_body, read_query
from campaigns.api.shapes import AssignBody, InboundPage, InboundQuery, InboundSerializer
from campaigns.queries.inbound import NOBODY, ShownReply, page_of_replies, reply_by_uuid
from campaigns.rules.api_answers import INBOUND


class InboundMessages(ApiView):
    """The messages of subscribers to the sender names of a workspace."""

    permission = "inbound.see"

    @extend_schema(
        operation_id="list_inbound",
        summary="List subscribers' messages",
        parameters=[InboundQuery],
        responses=answers(200, InboundPage, 400, *WITH_KEY),
    )
    def get(self, request: ApiRequest) -> Response:
        """What subscribers wrote to the key's workspace, newest first, a page at a time."""
        query = read_query(InboundQuery, request.query_params)
        wish, whose, limit = query.get("asks_for", ""), query.get("assigned_to", ""), query["limit"]
        question = f"inbound:{wish}:{whose}"
        page = page_of_replies(
            request.me.here,
            wish=wish,
            holder=NOBODY if whose else None,
            before=read_cursor(question, query.get("cursor", "")),
            size=limit,
        )
        following = next_link(
            INBOUND, question, page.before, limit=limit, asks_for=wish, assigned_to=whose
        )
        return page_answer([InboundSerializer(_told(row)).data for row in page.rows], following)


class InboundMessage(ApiView):
    """One message of a subscriber."""

    permission = "inbound.see"

    @extend_schema(
        operation_id="get_inbound",
        summary="See one message of a subscriber",
        responses=answers(200, InboundSerializer, *WITH_KEY, 404),
    )
    def get(self, request: ApiRequest, uuid: UUID) -> Response:
        """What one subscriber wrote, its parts put together."""
        return _answer(request, uuid)


class InboundAssignment(ApiView):
    """Who looks after one message of a subscriber."""

    permission: ClassVar[dict[str, str]] = {"PUT": "inbound.assign"}

    @extend_schema(
        operation_id="assign_inbound",
        summary="Say who looks after a message",
        request=AssignBody,
        responses=answers(200, InboundSerializer, 400, *WITH_KEY, 404, 409, 413, 415),
    )
    def put(self, request: ApiRequest, uuid: UUID) -> Response:
        """Give a message to a person of the workspace, or to nobody.

        It is refused with `stale` when it is not with the one that `instead_of` names any more: of
        two who take it at once one gets it. It may be repeated: where it is so already, it stays.
        """
        body = read_body(AssignBody, request.data)
        assign_by_email(
            by=request.me,
            uuid=uuid,
            email=body["email"],
            instead_of=body.get("instead_of"),
            now=timezone.now(),
        )
        return _answer(request, uuid)


def _answer(request: ApiRequest, uuid: UUID) -> Response:
    found = reply_by_uuid(request.me.here, uuid)
    if found is None:
        raise Http404
    return Response(InboundSerializer(_told(found)).data)


def _told(row: ShownReply) -> Mapping[str, Any]:
    return {
        "id": row.uuid,
        "number": None if row.is_erased else row.number,
        "to": row.destination,
        "text": None if row.is_erased or row.is_binary else row.text,
        "asks_for": row.wish or None,
        "is_opted_out": row.is_opted_out,
        "assigned_to": row.holder or None,
        "assigned_to_email": row.holder_email or None,
        "parts": row.part_count,
        "missing_parts": row.missing_count,
        "received_at": row.received_at,
        "links": {"self": f"{INBOUND}/{row.uuid}"},
    }
