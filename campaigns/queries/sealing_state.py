"""Whether what became of messages is being sealed."""

from datetime import datetime, timedelta

from campaigns.queries.sealed import last_sealed_at
from workspaces.models import Installation

# A pass begins with each hour and is done within minutes; by then one was left out.
LATE = timedelta(hours=2)


def unsealed_since(now: datetime) -> datetime | None:
    """Return since when nothing has been sealed for too long; None while all is well.

    Before the first pass that is since the installation was made.
    """
    since = last_sealed_at()
    if since is None:
        since = Installation.objects.values_list("created_at", flat=True).get(id=1)
    return since if now - since > LATE else None
