"""How the installation is, for a super admin's monitoring."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from audit.queries.fallback_findings import document
from campaigns.api.base import ApiRequest, ApiView
from campaigns.api.describing import WITH_KEY, answers
from campaigns.api.shapes import DiagnosticsSerializer
from campaigns.queries.diagnostics import findings, findings_without_database
from campaigns.queries.installation_parts import fallback_state
from campaigns.rules.findings import Finding
from workspaces.scope import scope_everywhere

WORST = ("bad", "warn", "ok")


class Diagnostics(ApiView):
    """The checks of the diagnostics page, and the audit fallback files of this machine."""

    permission = "diagnostics.see"

    @extend_schema(
        operation_id="get_diagnostics",
        summary="See how the installation is",
        responses=answers(200, DiagnosticsSerializer, *WITH_KEY),
    )
    def get(self, request: ApiRequest) -> Response:
        """Every check as it is now. Needs a super admin's key. It answers while the database is
        away too, with what can be known then.
        """
        now = timezone.now()
        with scope_everywhere("the platform's diagnostics"):
            return Response(_shown(findings(now), now))

    @staticmethod
    def without_database(request: HttpRequest) -> JsonResponse:
        """Answer while the database is away: the gate knows from before who may."""
        now = timezone.now()
        return JsonResponse(_shown(findings_without_database(now), now))


def _shown(found: Sequence[Finding], now: datetime) -> dict[str, Any]:
    tones = {one.tone for one in found}
    shown = {
        "state": next(tone for tone in WORST if tone in tones),
        "looked_at": now,
        "checks": [
            {"code": one.code, "name": one.name, "state": one.tone, "detail": one.sentence}
            for one in found
        ],
        "fallback": document(fallback_state()),
    }
    return dict(DiagnosticsSerializer(shown).data)
