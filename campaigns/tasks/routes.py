"""The sweep that watches routes while no sender lives to do it."""

from celery import shared_task

from campaigns.actions.route_watch import watch_routes
from smpp_client.actions.shifts import make_shifts
from smpp_client.queries.clock import database_now


@shared_task(name="campaigns.watch_routes", ignore_result=True)
def sweep_routes() -> None:
    """Hold campaigns whose route is down, release those whose route is back, make the steps of
    shifts; by the database's clock, as the senders' observations are.
    """
    now = database_now()
    make_shifts(now)
    watch_routes(now)
