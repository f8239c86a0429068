"""Building audiences, a chunk at a time; a killed worker's successor goes on where it stopped."""

from celery import shared_task
from django.utils import timezone

from campaigns.actions.building import build_chunk
from workspaces.scope import scope_everywhere


@shared_task(name="campaigns.build")
def build(campaign_id: int) -> None:
    """Write one chunk of a campaign's audience and ask for the next."""
    with scope_everywhere("the builder is told a campaign, not a workspace"):
        if not build_chunk(campaign_id, timezone.now()).is_done:
            build.delay(campaign_id)
