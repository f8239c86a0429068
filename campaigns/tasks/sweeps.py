"""The sweeps: what a lost nudge would have done, done by the clock."""

from celery import shared_task
from django.utils import timezone

from campaigns.actions.building import builds_under_way
from campaigns.actions.running import sweep
from campaigns.actions.upkeep import ensure_partitions, forget_requests, give_up_receipts
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


@shared_task(name="campaigns.give_up_receipts", ignore_result=True)
def sweep_receipts() -> None:
    """Say of messages that waited too long that no receipt came."""
    give_up_receipts(timezone.now())


@shared_task(name="campaigns.ensure_partitions", ignore_result=True)
def sweep_partitions() -> None:
    """Have the partitions of this month and the next."""
    ensure_partitions(timezone.now())


@shared_task(name="campaigns.forget_requests", ignore_result=True)
def sweep_requests() -> None:
    """Forget answers that no caller will ask for again."""
    forget_requests(timezone.now())
