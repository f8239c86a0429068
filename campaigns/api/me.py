"""Who calls."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from campaigns.api.base import ApiRequest, ApiView
from campaigns.api.describing import answers
from campaigns.api.shapes import MeSerializer


class Caller(ApiView):
    """The key that calls."""

    permission = "signed_in"

    @extend_schema(
        operation_id="get_me",
        summary="See your key",
        responses=answers(200, MeSerializer, 401, 429),
    )
    def get(self, request: ApiRequest) -> Response:
        """The key of this call: its workspace, scopes and end."""
        key, here = request.me.key, request.me.here
        assert key is not None, "The gate lets only keys through to the API."
        shown = {
            "key": {
                "name": key.name,
                "prefix": key.prefix,
                "scopes": key.scopes,
                "permissions": sorted(request.me.permissions),
                "created_at": key.created_at,
                "expires_at": key.expires_at,
            },
            "workspace": {"slug": here.slug, "name": here.name, "zone": here.zone},
        }
        return Response(MeSerializer(shown).data)
