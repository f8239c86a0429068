"""The sweep that takes fallback files into the log."""

from celery import shared_task
from django.utils import timezone

from audit.actions.fallback_sweep import sweep


@shared_task(name="audit.sweep_fallback")
def sweep_fallback() -> None:
    """Show life, keep what a writer needs while the database is away, and take what waits."""
    sweep(timezone.now())
