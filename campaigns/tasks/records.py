"""Reading call records and settling by them, each step going on where the last one ended."""

from contextlib import suppress
from time import monotonic

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from campaigns.actions.records import forget_records
from campaigns.actions.settling import imports_under_way, step
from workspaces.scope import scope_everywhere

BUDGET_SECONDS = 60


@shared_task(name="campaigns.import_records", ignore_result=True)
def import_records(records_id: int) -> None:
    """Work for a minute, then ask for the rest."""
    until = monotonic() + BUDGET_SECONDS
    with scope_everywhere("a connection's records are held against the attempts of all workspaces"):
        while not step(records_id, timezone.now()).is_done:
            if monotonic() > until:
                import_records.delay(records_id)
                return


def nudge_records(records_id: int) -> None:
    """Ask for an import at once. With the broker down the sweep starts it a little later."""
    with suppress(OperationalError):
        import_records.apply_async((records_id,), retry=False)


@shared_task(name="campaigns.sweep_records", ignore_result=True)
def sweep_records() -> None:
    """Nudge imports without a worker, and remove files that nobody needs."""
    with scope_everywhere("the sweep looks after the call records of all workspaces"):
        now = timezone.now()
        for records_id in imports_under_way(now):
            import_records.delay(records_id)
        forget_records(now)
