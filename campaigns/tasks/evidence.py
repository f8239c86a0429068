"""Sealing what became of messages, and ending what was sealed long enough ago."""

from celery import shared_task
from django.utils import timezone

from campaigns.actions.sealing import seal_messages
from campaigns.actions.sealing_alarm import tell_unsealed
from campaigns.actions.segment_upkeep import prune_segments, remove_strays

# A pass after a long outage takes as long as it takes; it holds no row that anybody waits for.
LONGEST_SECONDS = 3600


@shared_task(
    name="campaigns.seal_messages",
    ignore_result=True,
    time_limit=LONGEST_SECONDS,
    soft_time_limit=LONGEST_SECONDS - 60,
)
def seal() -> None:
    """Seal the outcomes of the hour that is over; the next minute tries again what failed."""
    seal_messages(timezone.now(), clock=timezone.now)


@shared_task(name="campaigns.watch_sealing", ignore_result=True)
def watch() -> None:
    """Raise the alarm when an hour was left out."""
    tell_unsealed(timezone.now())


@shared_task(name="campaigns.prune_segments", ignore_result=True)
def prune() -> None:
    """Destroy segments whose term is over, and files that a killed pass left."""
    now = timezone.now()
    prune_segments(now)
    remove_strays(now)
