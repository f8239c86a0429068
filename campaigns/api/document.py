"""The OpenAPI document: made from the views, so that it lists what there is."""

from functools import lru_cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from campaigns.api.base import ApiRequest, ApiView
from campaigns.api.describing import answers
from campaigns.api.reading import Strict


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of all routes of the API."""
    generator: Any = SchemaGenerator
    made: dict[str, Any] = generator().get_schema(request=None, public=True)
    shapes = made["components"]["schemas"]
    for kind in Strict.__subclasses__():
        if kind.__name__ in shapes:
            shapes[kind.__name__]["additionalProperties"] = False
    _drop_marks(made)
    return made


def _drop_marks(node: Any) -> None:
    """Take out what the generator wrote for itself."""
    if isinstance(node, dict):
        node.pop("x-spec-enum-id", None)
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        _drop_marks(child)


class Document(ApiView):
    """The document, for everybody."""

    permission = "public"

    @extend_schema(
        operation_id="get_openapi",
        summary="Read this document",
        auth=[],
        responses=answers(200, {"type": "object"}),
    )
    def get(self, request: ApiRequest) -> Response:
        """This document (OpenAPI 3.1)."""
        return Response(document())
