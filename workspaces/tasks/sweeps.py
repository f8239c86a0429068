"""Rows that have had their time."""

from celery import shared_task
from django.utils import timezone

from workspaces.actions.guesses import sweep_guesses
from workspaces.actions.passes import keep_passes
from workspaces.actions.sessions import sweep_sessions


@shared_task(name="workspaces.sweep_sessions")
def sweep_old_sessions() -> None:
    """Delete sessions past their limits and failures that lock nobody any more."""
    now = timezone.now()
    sweep_sessions(now)
    sweep_guesses(now)


@shared_task(name="workspaces.keep_passes")
def keep_outage_passes() -> None:
    """Write down who may look at diagnostics if the database goes away now."""
    keep_passes(timezone.now())
