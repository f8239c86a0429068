"""Sender names."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from campaigns.api.base import ApiRequest, ApiView, page_answer
from campaigns.api.cursors import next_link, read_cursor
from campaigns.api.describing import WITH_KEY, answers
from campaigns.api.reading import read_query
from campaigns.api.shapes import PageQuery, SenderPage, SenderSerializer
from campaigns.queries.senders import Row, senders_of

SENDERS = "/api/v1/senders"
QUESTION = "senders"


class Senders(ApiView):
    """The sender names of a workspace that are not archived."""

    permission = "sender.see"

    @extend_schema(
        operation_id="list_senders",
        summary="List sender names",
        parameters=[PageQuery],
        responses=answers(200, SenderPage, 400, *WITH_KEY),
    )
    def get(self, request: ApiRequest) -> Response:
        """The sender names of the key's workspace, by name, a page at a time."""
        query = read_query(PageQuery, request.query_params)
        first, limit = read_cursor(QUESTION, query.get("cursor", "")), query["limit"]
        rows = senders_of(request.me.here)
        after = first + limit if len(rows) > first + limit else 0
        items = [SenderSerializer(_shown(row)).data for row in rows[first : first + limit]]
        return page_answer(items, next_link(SENDERS, QUESTION, after, limit=limit))


def _shown(row: Row) -> dict[str, object]:
    return {
        "name": row.sender.value,
        "state": row.standing.value,
        "category": row.told.category if row.told else None,
        "revision": row.approved.number if row.approved else None,
    }
