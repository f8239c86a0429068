"""When campaigns begin by themselves next."""

from datetime import datetime

from campaigns.models import Campaign, StartBy
from campaigns.rules.campaign_states import State


def starts_between(after: datetime, until: datetime) -> list[datetime]:
    """Return the instants at which scheduled campaigns of all workspaces begin by themselves."""
    rows = Campaign.objects.filter(
        state=State.SCHEDULED,
        start_by=StartBy.ITSELF,
        starts_at__gt=after,
        starts_at__lte=until,
        deleted_at=None,
    )
    starts = rows.order_by("starts_at").values_list("starts_at", flat=True).distinct()
    return [at for at in starts if at is not None]
