"""The health checks of web."""

from django.http import HttpRequest, JsonResponse
from django.views import View

from audit.queries.fallback_findings import Tone
from message_center.health import fallback_tone, look


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


class Audit(View):
    """What must be recorded can be, with the database and without."""

    permission = "public"

    def get(self, request: HttpRequest) -> JsonResponse:
        """200 when the fallback file can take what comes, 503 with an alarm; asks no database.

        `fallback` is ok, warn (entries wait to enter the log) or bad. Diagnostics says why.
        """
        tone = fallback_tone()
        return JsonResponse({"fallback": tone.value}, status=503 if tone is Tone.BAD else 200)
