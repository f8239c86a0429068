"""The health checks of web."""

from django.http import HttpRequest, JsonResponse
from django.views import View

from message_center.health import look


class Live(View):
    """The process answers."""

    permission = "public"

    def get(self, request: HttpRequest) -> JsonResponse:
        """200, always."""
        return JsonResponse({"live": True})


class Ready(View):
    """The process can do its work."""

    permission = "public"

    def get(self, request: HttpRequest) -> JsonResponse:
        """200 with the database, 503 without; a missing broker is only named."""
        found = look()
        answer = {"database": found.is_database_up, "broker": found.is_broker_up}
        return JsonResponse(answer, status=200 if found.is_database_up else 503)
