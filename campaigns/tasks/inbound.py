"""The sweep of subscribers' messages."""

from celery import shared_task
from django.utils import timezone

from campaigns.actions.reply_upkeep import erase_replies, forget_redeliveries


@shared_task(name="campaigns.sweep_inbound", ignore_result=True)
def sweep_inbound() -> None:
    """Settle what no peer brings back, erase what was kept long enough."""
    forget_redeliveries(timezone.now())
    erase_replies(timezone.now())
