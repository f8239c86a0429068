"""The sweeps: what a lost nudge would have done, done by the clock."""

from contextlib import suppress
from datetime import timedelta

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from campaigns.actions.building import builds_under_way
from campaigns.actions.running import sweep
from campaigns.actions.upkeep import (
    ensure_partitions,
    forget_observations,
    forget_requests,
    give_up_receipts,
)
from campaigns.queries.starts import starts_between
from campaigns.tasks.builds import build
from workspaces.scope import scope_everywhere

# Beyond the next sweep, also where that is late.
SOON = timedelta(seconds=5)


@shared_task(name="campaigns.sweep", ignore_result=True)
def sweep_campaigns() -> None:
    """Start, complete and expire what is due; have somebody look again when the next start is."""
    now = timezone.now()
    sweep(now)
    with scope_everywhere("the sweep looks for starts in all workspaces"):
        starts = starts_between(now, now + SOON)
    for at in starts:
        with suppress(OperationalError):
            sweep_at_a_start.apply_async(eta=at, retry=False)


@shared_task(name="campaigns.sweep_at_a_start", ignore_result=True)
def sweep_at_a_start() -> None:
    """Start in time what would begin with the next sweep, up to its whole period late."""
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
    """Forget answers that no caller will ask for again, and observations that nobody sees."""
    forget_requests(timezone.now())
    forget_observations(timezone.now())
