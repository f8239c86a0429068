"""Until when somebody has to decide."""

from datetime import datetime

from campaigns.models import Campaign


def deadline_of(campaign: Campaign) -> datetime | None:
    """Return until when a campaign has to be approved: its start, else its end; None if neither."""
    return campaign.starts_at or campaign.ends_at
