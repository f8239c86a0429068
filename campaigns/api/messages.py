"""Messages: pushed one by one, and what became of them."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from campaigns.actions.pushing import PushRequest, push
from campaigns.api.base import ApiRequest, ApiView, page_answer
from campaigns.api.cursors import next_link, read_cursor
from campaigns.api.describing import IDEMPOTENCY_KEY, REPLAY, WITH_KEY, answers
from campaigns.api.reading import read_body, read_key, read_query
from campaigns.api.shapes import Accepted, MessagePage, MessageSerializer, MessagesQuery, PushBody
from campaigns.models import Campaign
from campaigns.queries.api_campaigns import campaign_by_number
from campaigns.queries.api_messages import Asked, message_of, page_of_messages
from campaigns.rules.api_answers import MESSAGES, body_hash, campaign_number
from campaigns.rules.api_refusals import ApiRefused, InputFault, More


class Messages(ApiView):
    """The messages that were pushed into this workspace's trigger campaigns."""

    permission: ClassVar[dict[str, str]] = {"GET": "message.see", "POST": "message.send"}

    @extend_schema(
        operation_id="push_message",
        summary="Send one message",
        parameters=[IDEMPOTENCY_KEY, REPLAY],
        request=PushBody,
        responses=answers(201, Accepted, 400, *WITH_KEY, 404, 409, 413, 415, 422),
    )
    def post(self, request: ApiRequest) -> Response:
        """Take a message into a trigger campaign that is sending.

        It is sent once, however often the call is repeated with its idempotency key. A number that
        has opted out is taken too, and then suppressed.
        """
        key = read_key(request.headers.get("Idempotency-Key"))
        sent: Any = request.data
        body = read_body(PushBody, sent)
        wanted = PushRequest(
            campaign=campaign_number(body["campaign"]),
            to=body["to"],
            values=body["values"],
            client_reference=body.get("client_reference", ""),
            body_hash=body_hash(sent),
        )
        pushed = push(by=request.me, request=wanted, key=key, now=timezone.now())
        headers = {"Location": pushed.answer["links"]["self"]}
        if pushed.is_replay:
            headers["Idempotency-Replay"] = "true"
        return Response(Accepted(pushed.answer).data, status=pushed.status, headers=headers)

    @extend_schema(
        operation_id="list_messages",
        summary="List messages",
        parameters=[MessagesQuery],
        responses=answers(200, MessagePage, 400, *WITH_KEY, 404),
    )
    def get(self, request: ApiRequest) -> Response:
        """The messages of the key's workspace, newest first, a page at a time."""
        query = read_query(MessagesQuery, request.query_params)
        state, name = query.get("state", ""), query.get("campaign", "")
        question = f"messages:{state}:{name}"
        asked = Asked(
            limit=query["limit"],
            before=read_cursor(question, query.get("cursor", "")),
            state=state,
            campaign=_campaign(request, name) if name else None,
        )
        page = page_of_messages(request.me.here, asked)
        following = next_link(
            MESSAGES, question, page.after, limit=asked.limit, state=state, campaign=name
        )
        return page_answer([MessageSerializer(one).data for one in page.messages], following)


def _campaign(request: ApiRequest, name: str) -> Campaign:
    found = campaign_by_number(request.me.here, campaign_number(name))
    if found is None:
        sentence = _("There is no such campaign.")
        fault = InputFault("campaign", "not_found", sentence, "parameter")
        raise ApiRefused("not_found", sentence, More([fault]))
    return found


class Message(ApiView):
    """One message."""

    permission = "message.see"

    @extend_schema(
        operation_id="get_message",
        summary="See one message",
        responses=answers(200, MessageSerializer, *WITH_KEY, 404),
    )
    def get(self, request: ApiRequest, uuid: UUID) -> Response:
        """A message with its state, why it is in it, and its parts."""
        found = message_of(request.me.here, uuid)
        if found is None:
            raise Http404
        return Response(MessageSerializer(found).data)
