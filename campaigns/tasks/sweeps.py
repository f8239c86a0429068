"""The sweeps: what a lost nudge would have done, done by the clock."""

from celery import shared_task
from django.utils import timezone

from campaigns.actions.building import builds_under_way
from campaigns.actions.running import sweep
from campaigns.tasks.builds import build
from workspaces.scope import scope_everywhere


@shared_task(name="campaigns.sweep", ignore_result=True)
def sweep_campaigns() -> None:
    """Start, complete and expire what is due."""
    sweep(timezone.now())


@shared_task(name="campaigns.sweep_builds", ignore_result=True)
def sweep_builds() -> None:
    """Nudge every build under way; two workers on one campaign do no harm."""
    with scope_everywhere("the sweep looks for builds of all workspaces"):
        for campaign_id in builds_under_way():
            build.delay(campaign_id)
