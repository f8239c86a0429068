"""Whether what became of messages is being sealed."""

from datetime import datetime, timedelta

from audit.rules.clock import is_late
from workspaces.models import Installation

# A pass begins with each hour and is done within minutes; by then one was left out.
LATE = timedelta(hours=2)


def unsealed_since(last_at: datetime | None, now: datetime) -> datetime | None:
    """Return since when nothing has been sealed for too long; None while all is well.

    `last_at` is until when everything is sealed; before the first pass, when it is None, the age of
    the installation counts.
    """
    since = last_at
    if since is None:
        since = Installation.objects.values_list("created_at", flat=True).get(id=1)
    return since if is_late(since, patience=LATE, now=now) else None
