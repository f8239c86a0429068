"""How the installation is, for the platform team."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views import View

from campaigns.queries.diagnostics import findings
from campaigns.queries.troubles import old_batches, sessions, wrong_counts
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
            found = findings(now)
            context: dict[str, Any] = {
                "sessions": sessions(),
                "old_batches": old_batches(now),
                "wrong_counts": wrong_counts(),
            }
        return show(
            request,
            "platform/diagnostics.html",
            findings=found,
            bad_count=sum(one.tone == "bad" for one in found),
            warn_count=sum(one.tone == "warn" for one in found),
            now=now,
            **context,
        )
