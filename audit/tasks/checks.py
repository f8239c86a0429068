"""The nightly check of the log."""

from celery import shared_task
from django.utils import timezone

from audit.actions.checking import check_log


@shared_task(name="audit.check", ignore_result=True)
def check() -> None:
    """Look whether the log and its guards are what they were."""
    check_log(now=timezone.now())
