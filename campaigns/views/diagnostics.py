"""How the installation is, for the platform team."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views import View

from campaigns.queries.diagnostics import findings, findings_without_database
from campaigns.queries.installation_parts import fallback_state
from campaigns.queries.troubles import old_batches, sessions, wrong_counts
from campaigns.rules.findings import Finding
from workspaces.gate.request import GateRequest
from workspaces.scope import scope_everywhere
from workspaces.views.shown import show


class Diagnostics(View):
    """Every check with what it found, and the rows behind it."""

    permission = "platform.see"

    def get(self, request: GateRequest) -> HttpResponse:
        """Look now."""
        now = timezone.now()
        with scope_everywhere("the platform's diagnostics"):
            context: dict[str, Any] = _told(findings(now), now) | {
                "sessions": sessions(),
                "old_batches": old_batches(now),
                "wrong_counts": wrong_counts(),
            }
        return show(request, "platform/diagnostics.html", **context)

    @staticmethod
    def without_database(request: HttpRequest) -> HttpResponse:
        """Look while the database is away: the gate knows from before who may."""
        now = timezone.now()
        context = _told(findings_without_database(now), now)
        return show(request, "platform/diagnostics_away.html", **context)


def _told(found: Sequence[Finding], now: datetime) -> dict[str, Any]:
    return {
        "findings": found,
        "bad_count": sum(one.tone == "bad" for one in found),
        "warn_count": sum(one.tone == "warn" for one in found),
        "fallback": fallback_state(),
        "now": now,
    }
