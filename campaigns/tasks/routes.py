"""The sweep that watches routes while no sender lives to do it."""

from celery import shared_task
from django.utils import timezone

from campaigns.actions.route_watch import watch_routes
from smpp_client.actions.shifts import make_shifts


@shared_task(name="campaigns.watch_routes", ignore_result=True)
def sweep_routes() -> None:
    """Hold campaigns whose route is down, release those whose route is back, make the steps of
    shifts.
    """
    make_shifts(timezone.now())
    watch_routes(timezone.now())
