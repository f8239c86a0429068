"""What every view of the API does. The gate has found the caller before."""

from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.api.limits import CALLS
from campaigns.api.parsing import StrictJsonParser
from campaigns.rules.api_rates import WINDOW_SECONDS
from campaigns.rules.api_refusals import ApiRefused, More
from workspaces.queries.me import Me

POLICY = "key"


class ApiRequest(Request):
    """A request that has passed the gate: `me` is the caller, a key (None only where a view is
    public).
    """

    me: Me
    request_id: str


class ApiView(APIView):
    """A view of the API. `permission` is one word, or words by method; the gate reads it."""

    permission: ClassVar[str | dict[str, str]]
    parser_classes = (StrictJsonParser,)
    renderer_classes = (JSONRenderer,)
    metadata_class = None
    headers: dict[str, str]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Count the call; raises ApiRefused above the key's limit."""
        super().initial(request, *args, **kwargs)
        me: Me | None = getattr(request, "me", None)
        if me is None or me.key is None:
            return
        per_minute = settings.API_RATE_PER_MINUTE
        left = CALLS.take(me.key.pk, per_minute)
        self.headers["RateLimit-Policy"] = f'"{POLICY}";q={per_minute};w={WINDOW_SECONDS}'
        self.headers["RateLimit"] = f'"{POLICY}";r={left.calls};t={left.full_seconds}'
        if not left.is_allowed:
            raise ApiRefused(
                "rate_limited",
                _("This key calls too often. Wait, then go on more slowly."),
                More(retry_after=left.wait_seconds),
            )


def page_answer(items: list[Any], following: str | None) -> Response:
    """Answer with a page."""
    return Response({"items": items, "next": following})
